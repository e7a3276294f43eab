//! The Sidecart server: the only crate that knows runtime, transport, store and clock.
//!
//! - [`run`]: a server from start to end
//! - `boot`: from the store to the first snapshots
//! - `edge`: the transport · `services`: the API · `convert`: wire to domain and back · `status`: errors on the wire
//! - `change`, `writer`: the one way in · `registry`: the one way out · `diff`: what differs between generations
//! - [`offline`]: the same conversions without a server
//! - `sessions`: what is remembered of conversations
//! - `store`: the truth on disk · `archive`, `keeper`: export files · `metrics` · `limits`: every bound

mod archive;
mod boot;
mod change;
pub mod convert;
mod diff;
pub mod edge;
mod keeper;
mod learner;
pub mod limits;
mod metrics;
pub mod offline;
mod planner;
mod registry;
mod run;
mod services;
mod sessions;
pub mod status;
pub mod store;
mod writer;

pub use boot::{BootError, REPAIR_LEAP, Repair};
pub use run::{Config, RunError, Running, run, start};
