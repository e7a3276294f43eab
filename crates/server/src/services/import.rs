//! Imports: a catalog or orders of any size, piece by piece as they come, or a whole catalog at once.

use futures_util::Stream;
use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use tokio::time::sleep;
use tonic::Status;

use super::{
    Desk,
    items::{Kind, ORDERS, PRODUCTS},
    refusal::fault,
    upload::{self, Message, Sent, Upload},
    view::allows,
    write::Envelope,
};
use crate::{
    change::{Change, Outcome, Refusal},
    convert::{
        enums::known,
        outcome::{self, Place},
    },
    edge::Deadline,
    limits,
    status::Fault,
};

/// What an import did so far.
#[derive(Default)]
struct Tally {
    generation: u64,
    received: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
    deleted: u64,
    errors: Vec<pb::ItemOutcome>,
}

impl From<Tally> for pb::ImportProductsResponse {
    fn from(tally: Tally) -> Self {
        let Tally { generation, received, created, updated, unchanged, rejected, deleted, errors } = tally;
        Self {
            generation,
            received_count: received,
            created_count: created,
            updated_count: updated,
            unchanged_count: unchanged,
            rejected_count: rejected,
            deleted_count: deleted,
            errors,
        }
    }
}

impl From<Tally> for pb::ImportOrdersResponse {
    fn from(tally: Tally) -> Self {
        let Tally { generation, received, created, updated, unchanged, rejected, deleted: _, errors } = tally;
        Self {
            generation,
            received_count: received,
            created_count: created,
            updated_count: updated,
            unchanged_count: unchanged,
            rejected_count: rejected,
            errors,
        }
    }
}

/// Items that are right, waiting to fill a change.
type Waiting<T> = Vec<(Sent, T)>;

/// Takes orders as they come.
pub(crate) async fn orders(
    desk: &Desk,
    messages: impl Stream<Item = Result<pb::ImportOrdersRequest, Status>> + Unpin,
    deadline: Deadline,
) -> Result<pb::ImportOrdersResponse, Status> {
    let upload = Upload::open(messages).await?;
    Ok(apply(desk, upload, &ORDERS, deadline).await?.into())
}

/// Takes products as the first message asks.
pub(crate) async fn products(
    desk: &Desk,
    messages: impl Stream<Item = Result<pb::ImportProductsRequest, Status>> + Unpin,
    deadline: Deadline,
) -> Result<pb::ImportProductsResponse, Status> {
    let upload = Upload::open(messages).await?;
    let mode = upload.first().map_or(0, |first| first.mode);
    match known(mode, "an ImportMode").map_err(|unknown: Violation| Fault::from(unknown.within("mode")))? {
        pb::ImportMode::Unspecified | pb::ImportMode::Incremental => {
            Ok(apply(desk, upload, &PRODUCTS, deadline).await?.into())
        }
        pb::ImportMode::Replace => Ok(replace(desk, upload).await?.into()),
    }
}

/// All at the end, or nothing.
async fn replace<S>(desk: &Desk, upload: Upload<pb::ImportProductsRequest, S>) -> Result<Tally, Status>
where
    S: Stream<Item = Result<pb::ImportProductsRequest, Status>> + Unpin,
{
    let _place = desk.room.take()?;
    let envelope = Envelope::unnamed(upload.merchant.clone());
    let max = limits::PRODUCTS_MAX;
    let products = upload::gather(upload, &PRODUCTS, max, envelope.received).await?;
    let mut tally = Tally { received: products.len() as u64, ..Tally::default() };
    let receipt = desk.submit(envelope, Change::ReplaceProducts(products), PRODUCTS.list).await?;
    tally.generation = receipt.generation;
    receipt.outcomes.iter().for_each(|outcome| tally.count(outcome));
    Ok(tally)
}

/// As it comes: a change for every thousand items.
async fn apply<M, S, P, T>(
    desk: &Desk,
    mut upload: Upload<M, S>,
    kind: &'static Kind<P, T>,
    deadline: Deadline,
) -> Result<Tally, Status>
where
    M: Message<Item = P>,
    S: Stream<Item = Result<M, Status>> + Unpin,
    P: Send + 'static,
    T: Clone + Send + 'static,
{
    let envelope = Envelope::unnamed(upload.merchant.clone());
    let mut tally = Tally { generation: desk.generation(&envelope.merchant), ..Tally::default() };
    let mut waiting = Waiting::new();
    while let Some(items) = upload.next().await? {
        let start = usize::try_from(tally.received).unwrap_or(usize::MAX);
        tally.received += items.len() as u64;
        let converted = upload::convert(kind, items, start, envelope.received).await?;
        for (sent, fault) in converted.bad {
            tally.note(kind.list, &sent, Outcome::Rejected(fault));
        }
        waiting.extend(converted.good);
        while waiting.len() >= limits::BULK_ITEMS_MAX {
            let rest = waiting.split_off(limits::BULK_ITEMS_MAX);
            let full = std::mem::replace(&mut waiting, rest);
            land(desk, &envelope, kind, full, deadline, &mut tally).await?;
        }
    }
    if !waiting.is_empty() {
        land(desk, &envelope, kind, waiting, deadline, &mut tally).await?;
    }
    Ok(tally)
}

/// Submits one change; while the writer is full, again after a pause, as long as there is time.
async fn land<P, T: Clone>(
    desk: &Desk,
    envelope: &Envelope,
    kind: &'static Kind<P, T>,
    items: Waiting<T>,
    deadline: Deadline,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let (sent, items): (Vec<Sent>, Vec<T>) = items.into_iter().unzip();
    let receipt = loop {
        let change = (kind.change)(items.clone());
        match desk.writer.submit(envelope.clone().around(change)).await {
            Ok(receipt) => break receipt,
            Err(Refusal::Full) if allows(deadline, limits::RETRY_AFTER_FULL) => {
                sleep(limits::RETRY_AFTER_FULL).await;
            }
            Err(refusal) => return Err(fault(refusal, &envelope.merchant, kind.list)),
        }
    };
    tally.generation = receipt.generation;
    for (sent, outcome) in sent.iter().zip(receipt.outcomes) {
        tally.note(kind.list, sent, outcome);
    }
    Ok(())
}

impl Tally {
    /// Counts what became of an item of `list`, and keeps it if it is among the first refusals.
    fn note(&mut self, list: &'static str, sent: &Sent, outcome: Outcome) {
        self.count(&outcome);
        if matches!(outcome, Outcome::Rejected(_)) && self.errors.len() < limits::IMPORT_ERRORS_MAX {
            self.errors.push(outcome::to_pb(Place { list, index: sent.index }, &sent.id, outcome));
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged | Outcome::Stale | Outcome::Unknown => self.unchanged += 1,
            Outcome::Deleted => self.deleted += 1,
            Outcome::Rejected(_) => self.rejected += 1,
        }
    }
}
