//! What goes with what: orders and what is learned from them, the snapshot, `recommend` and `explain`.
//!
//! Everything here is pure: same snapshot and query, same answer. No clock, no randomness, no store, no runtime.

mod answer;
mod arrange;
mod candidates;
pub mod conversation;
pub mod evaluate;
mod explain;
pub mod follow_ups;
mod gate;
mod holdings;
pub mod imported;
mod judge;
mod lead;
pub mod learn;
mod learned;
pub mod model;
mod offers;
pub mod orders;
mod query;
mod question;
mod recommend;
pub mod refill;
mod routes;
mod score;
mod select;
mod setting;
mod snapshot;
mod stop;
mod trace;
mod words;

pub use answer::{Decision, Evidence, Level, Offer, Reason, Slot, Source, TraceEntry, Verdict, Why};
pub use follow_ups::FollowUps;
pub use gate::Gate;
pub use imported::Imported;
pub use lead::AffinityKind;
pub use orders::Orders;
pub use query::{CartLine, LiveOffer, Order, Query};
pub use recommend::{CANDIDATES_MAX, LOOKS_MAX, ROUTES_MAX, TRACE_MAX, explain, recommend, traced};
pub use score::prior;
pub use snapshot::{Parts, Snapshot};
