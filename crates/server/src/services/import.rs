//! `ImportProducts`: a catalog of any size, piece by piece or all at once.

use futures_util::Stream;
use sidecart::v1 as pb;
use sidecart_catalog::{Product, Violation};
use tokio::time::sleep;
use tonic::Status;

use super::{
    Desk,
    items::PRODUCTS,
    refusal::fault,
    upload::{self, Sent, Upload},
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
type Tally = pb::ImportProductsResponse;

/// Products that are right, waiting to fill a change.
type Waiting = Vec<(Sent, Product)>;

/// Takes an import as its first message asks.
pub(crate) async fn import(
    desk: &Desk,
    messages: impl Stream<Item = Result<pb::ImportProductsRequest, Status>> + Unpin,
    deadline: Deadline,
) -> Result<pb::ImportProductsResponse, Status> {
    let upload = Upload::open(messages).await?;
    let mode = upload.first().map_or(0, |first| first.mode);
    match known(mode, "an ImportMode").map_err(|unknown: Violation| Fault::from(unknown.within("mode")))? {
        pb::ImportMode::Unspecified | pb::ImportMode::Incremental => apply(desk, upload, deadline).await,
        pb::ImportMode::Replace => replace(desk, upload).await,
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
    let mut tally = Tally { received_count: products.len() as u64, ..Tally::default() };
    let receipt = desk.submit(envelope, Change::ReplaceProducts(products), PRODUCTS.list).await?;
    tally.generation = receipt.generation;
    receipt.outcomes.iter().for_each(|outcome| count(&mut tally, outcome));
    Ok(tally)
}

/// As it comes: a change for every thousand products.
async fn apply<S>(
    desk: &Desk,
    mut upload: Upload<pb::ImportProductsRequest, S>,
    deadline: Deadline,
) -> Result<Tally, Status>
where
    S: Stream<Item = Result<pb::ImportProductsRequest, Status>> + Unpin,
{
    let envelope = Envelope::unnamed(upload.merchant.clone());
    let mut tally = Tally { generation: desk.generation(&envelope.merchant), ..Tally::default() };
    let mut waiting = Waiting::new();
    while let Some(products) = upload.next().await? {
        let start = usize::try_from(tally.received_count).unwrap_or(usize::MAX);
        tally.received_count += products.len() as u64;
        let converted = upload::convert(&PRODUCTS, products, start, envelope.received).await?;
        for (sent, fault) in converted.bad {
            note(&mut tally, &sent, Outcome::Rejected(fault));
        }
        waiting.extend(converted.good);
        while waiting.len() >= limits::BULK_ITEMS_MAX {
            let rest = waiting.split_off(limits::BULK_ITEMS_MAX);
            land(desk, &envelope, std::mem::replace(&mut waiting, rest), deadline, &mut tally).await?;
        }
    }
    if !waiting.is_empty() {
        land(desk, &envelope, waiting, deadline, &mut tally).await?;
    }
    Ok(tally)
}

/// Submits one change; while the writer is full, again after a pause, as long as there is time.
async fn land(
    desk: &Desk,
    envelope: &Envelope,
    products: Waiting,
    deadline: Deadline,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let (sent, products): (Vec<Sent>, Vec<Product>) = products.into_iter().unzip();
    let receipt = loop {
        let change = Change::UpsertProducts(products.clone());
        match desk.writer.submit(envelope.clone().around(change)).await {
            Ok(receipt) => break receipt,
            Err(Refusal::Full) if allows(deadline, limits::RETRY_AFTER_FULL) => {
                sleep(limits::RETRY_AFTER_FULL).await;
            }
            Err(refusal) => return Err(fault(refusal, &envelope.merchant, PRODUCTS.list)),
        }
    };
    tally.generation = receipt.generation;
    for (sent, outcome) in sent.iter().zip(receipt.outcomes) {
        note(tally, sent, outcome);
    }
    Ok(())
}

/// Counts what became of a product, and keeps it if it is among the first refusals.
fn note(tally: &mut Tally, sent: &Sent, outcome: Outcome) {
    count(tally, &outcome);
    if matches!(outcome, Outcome::Rejected(_)) && tally.errors.len() < limits::IMPORT_ERRORS_MAX {
        let place = Place { list: PRODUCTS.list, index: sent.index };
        tally.errors.push(outcome::to_pb(place, &sent.id, outcome));
    }
}

fn count(tally: &mut Tally, outcome: &Outcome) {
    match outcome {
        Outcome::Created => tally.created_count += 1,
        Outcome::Updated => tally.updated_count += 1,
        Outcome::Unchanged | Outcome::Stale | Outcome::Unknown => tally.unchanged_count += 1,
        Outcome::Deleted => tally.deleted_count += 1,
        Outcome::Rejected(_) => tally.rejected_count += 1,
    }
}
