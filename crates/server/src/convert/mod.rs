//! Wire messages to domain values and back, by noun, as free functions.
//!
//! Wire structs are taken apart whole, so that a new field cannot be overlooked.
//! A fault names the field by its path from the message being converted; the caller puts it in its place.
//! Nothing here decides anything: defaults and limits are the contract's.

pub(crate) mod affinity;
pub mod attribute;
mod bounds;
pub mod conversation;
pub mod decision;
pub mod enums;
pub(crate) mod follow_up;
pub mod id;
pub mod lint;
pub mod matching;
pub(crate) mod model;
pub mod money;
pub mod offer;
pub(crate) mod order;
pub mod outcome;
pub mod policy;
pub mod product;
pub mod query;
pub mod rule;
pub mod selector;
pub mod snapshot;
pub mod time;
pub mod zone;

pub use self::bounds::{at_least_one, at_most, required, short};
