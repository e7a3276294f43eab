//! A snapshot as an export file, and back.
//!
//! The file is the backup, the upgrade path and the last good view; its layout is the affair of [`crate::store`].

use std::io::{self, Read, Write};

use bytes::Bytes;
use sidecart_catalog::{MerchantId, Product, Violation};
use sidecart_rules::{Policy, Rule};
use sidecart_scoring::{FollowUps, Imported, Snapshot, model::Model, orders::RecordedOrder};

use crate::{
    change::Truth,
    convert,
    registry::Published,
    store::{
        Row, RowKind,
        export::{self, ExportError, Header},
    },
    writer::{OptedOut, Record, Steps},
};

/// Bytes of a piece of a model.
const PIECE_BYTES: usize = 64 * 1024;

/// Why an export file cannot be taken for the truth of a merchant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// The file is damaged, or not an export file.
    #[error(transparent)]
    File(#[from] ExportError),
    /// A record is whole, but says nothing valid.
    #[error("{kind} `{id}` of the export file is not valid: {violation}")]
    Invalid {
        /// What kind of record.
        kind: RowKind,
        /// Its id, as far as it is text.
        id: String,
        /// What is wrong with it.
        violation: Violation,
    },
}

/// The header of the file that holds a snapshot.
pub(crate) fn header(merchant: &MerchantId, published: &Published) -> Header {
    Header {
        merchant: merchant.as_str().into(),
        generation: published.snapshot.generation(),
        created_ms: published.created_at.as_ms(),
    }
}

/// Everything durable of a merchant, except which writes were answered.
pub(crate) fn rows(snapshot: &Snapshot) -> impl Iterator<Item = Row> {
    let policies = snapshot.policies().iter().map(|policy| row(&**policy));
    let rules = snapshot.rules().list(None).map(|rule| row(&**rule));
    let products = snapshot.catalog().iter().map(|entry| row(entry.product()));
    let orders = snapshot.orders().iter().map(|order| row(&**order));
    let (model, imported) = (model_rows(snapshot.model()), imported_rows(snapshot.imported()));
    let follow_ups = steps_rows(snapshot.follow_ups()).chain(opt_out_rows(snapshot.follow_ups()));
    policies.chain(rules).chain(products).chain(orders).chain(model).chain(imported).chain(follow_ups)
}

/// What became of follow-ups, order by order.
pub(crate) fn steps_rows(follow_ups: &FollowUps) -> impl Iterator<Item = Row> {
    follow_ups.ledger().map(|(order, steps)| row(&Steps(order.clone(), steps.to_vec())))
}

/// Who does not want to be written to.
pub(crate) fn opt_out_rows(follow_ups: &FollowUps) -> impl Iterator<Item = Row> {
    follow_ups.opted_out().map(|shopper| row(&OptedOut(shopper.clone())))
}

/// What was learned, in pieces that fit a record each.
pub(crate) fn model_rows(model: &Model) -> impl Iterator<Item = Row> + use<> {
    pieces(RowKind::Model, if model.is_empty() { Vec::new() } else { convert::model::encode(model) })
}

/// What was imported, in pieces that fit a record each.
pub(crate) fn imported_rows(imported: &Imported) -> impl Iterator<Item = Row> + use<> {
    pieces(RowKind::Imported, convert::affinity::encode(imported))
}

fn pieces(kind: RowKind, bytes: Vec<u8>) -> impl Iterator<Item = Row> {
    let bytes = Bytes::from(bytes);
    (0..bytes.len().div_ceil(PIECE_BYTES)).map(move |at| {
        let (start, end) = (at * PIECE_BYTES, bytes.len().min((at + 1) * PIECE_BYTES));
        let id = u32::try_from(at).expect("a model is bounded").to_be_bytes();
        Row { kind, id: Box::new(id), value: bytes.slice(start..end) }
    })
}

fn row<T: Record>(value: &T) -> Row {
    Row { kind: T::KIND, id: value.id().as_bytes().into(), value: value.encode() }
}

/// Writes a snapshot as an export file.
///
/// # Errors
/// As `out`.
pub(crate) fn write(merchant: &MerchantId, published: &Published, out: &mut dyn Write) -> io::Result<()> {
    let mut file = export::Writer::new(out, &header(merchant, published))?;
    for row in rows(&published.snapshot) {
        file.write(row.kind, &row.id, &row.value)?;
    }
    file.finish()?;
    Ok(())
}

/// Reads an export file to its end, and checks all of it.
///
/// # Errors
/// See [`ArchiveError`].
pub(crate) fn read(input: &mut dyn Read) -> Result<(Header, Truth), ArchiveError> {
    let mut file = export::Reader::new(input)?;
    let truth = read_rows(&mut file)?;
    Ok((file.header().clone(), truth))
}

/// Reads the records of an opened export file to its end, and checks all of them.
///
/// # Errors
/// See [`ArchiveError`].
pub(crate) fn read_rows<R: Read>(file: &mut export::Reader<R>) -> Result<Truth, ArchiveError> {
    let mut truth = Truth::default();
    for row in file {
        let row = row?;
        take(&mut truth, row.kind, &row.id, &row.value)?;
    }
    Ok(truth)
}

/// Adds a record to the truth. What was answered to whom is not part of it.
///
/// # Errors
/// The record says nothing valid.
pub(crate) fn take(truth: &mut Truth, kind: RowKind, id: &[u8], value: &[u8]) -> Result<(), ArchiveError> {
    let invalid =
        |violation| ArchiveError::Invalid { kind, id: String::from_utf8_lossy(id).into_owned(), violation };
    match kind {
        RowKind::Product => truth.products.push(Product::decode(value).map_err(invalid)?),
        RowKind::Rule => truth.rules.push(Rule::decode(value).map_err(invalid)?),
        RowKind::Policy => truth.policies.push(Policy::decode(value).map_err(invalid)?),
        RowKind::Model => drop(truth.model.insert(id.into(), value.to_vec().into())),
        RowKind::Imported => drop(truth.imported.insert(id.into(), value.to_vec().into())),
        RowKind::Order => truth.orders.push(RecordedOrder::decode(value).map_err(invalid)?),
        RowKind::FollowUps => {
            let Steps(order, steps) = Steps::decode(value).map_err(invalid)?;
            truth.follow_ups.push((order, steps));
        }
        RowKind::OptOut => truth.opted_out.push(OptedOut::decode(value).map_err(invalid)?.0),
        RowKind::Request => {}
    }
    Ok(())
}
