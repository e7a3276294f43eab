//! What is sold: ids, money, products, families, categories, attributes, and the catalog part of a snapshot.
//!
//! Knows no wire type, no runtime, no store and no clock; every value here is valid by construction.

mod attribute;
mod catalog;
mod category;
mod entry;
mod id;
mod money;
pub mod names;
mod offer;
mod postings;
mod product;
mod term;
mod time;
mod violation;

pub use attribute::{Attributes, Values};
pub use catalog::{Catalog, Change, FamilyConflict};
pub use category::CategoryPath;
pub use entry::Entry;
pub use id::{FamilyId, MerchantId, OrderId, ProductId, ShopperId};
pub use money::{Currency, MINOR_UNITS_MAX, Money};
pub use offer::{Availability, OfferPatch, Patched};
pub use postings::Postings;
pub use product::{Kind, Parts, Product, limits};
pub use term::{Term, TermId};
pub use time::Timestamp;
pub use violation::Violation;
