//! What the import needs to know about a kind of item.

use prost::Message;
use serde_json::{Map, Value};
use sidecart::v1 as pb;
use tokio_stream::Stream;
use tonic::Status;

use super::{
    report::Counts,
    rows::{Row, RowIter},
};
use crate::{remote::Remote, wire::Fault};

/// Products, rules, orders or affinities.
pub(crate) trait Kind: Send + 'static {
    /// What is imported.
    type Item: Message + Default + Clone;

    /// In words, such as `products`; also the name of the field that holds them in requests.
    const NOUN: &'static str;

    /// Whether files with columns may have this one.
    fn has_column(name: &str) -> bool;

    /// Turns the cells of a row into the fields of a line.
    ///
    /// # Errors
    /// A cell does not hold what its column should.
    fn line_of_cells(cells: Map<String, Value>) -> Result<Map<String, Value>, Fault>;

    /// Puts together the rows of a table that make one item.
    fn gathered(rows: impl Iterator<Item = anyhow::Result<Row>> + Send + 'static) -> RowIter {
        Box::new(rows)
    }

    /// Reads an item from the fields of a line.
    ///
    /// # Errors
    /// The first field that is unknown, or does not hold what it should.
    fn item(fields: Map<String, Value>) -> Result<Self::Item, Fault>;

    /// The item's own id; empty when several may have the same.
    fn id(item: &Self::Item) -> &str;
}

/// What a file can add to.
pub(crate) trait Upsertable: Kind {
    /// Creates or replaces items: the generation, and an outcome for each.
    fn upsert(
        remote: &Remote,
        items: Vec<Self::Item>,
        request_id: String,
    ) -> impl Future<Output = Result<(u64, Vec<pb::ItemOutcome>), Status>> + Send;
}

/// What a file can be the whole of.
pub(crate) trait Replaceable: Kind {
    /// Makes the streamed items the whole: the generation, and what became of them.
    fn replace(
        remote: &Remote,
        items: impl Stream<Item = Vec<Self::Item>> + Send + 'static,
    ) -> impl Future<Output = Result<(u64, Counts), Status>> + Send;
}
