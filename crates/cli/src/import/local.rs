//! Reads a file without a server.

use std::{path::Path, sync::atomic::Ordering};

use anyhow::Result;
use sidecart_catalog::Violation;

use super::{
    kind::Kind,
    progress::Progress,
    report::Rejected,
    rows::{Row, Rows},
};

/// Lines after which it is told how far the file is read.
const TOLD_EVERY: u64 = 1_000;

/// Adds every item of a file to what starts empty, and counts the lines that were rejected, which it tells.
///
/// # Errors
/// The file cannot be read, or has the wrong form as a whole.
pub(crate) fn read<K: Kind, W: Default>(
    file: &Path,
    add: fn(&mut W, K::Item) -> Result<(), Violation>,
) -> Result<(W, u64)> {
    let rows = Rows::open::<K>(file)?;
    let mut progress = Progress::new(K::NOUN, file.display().to_string(), &rows);
    let Rows { rows, done, .. } = rows;
    let (mut whole, mut taken, mut rejected) = (W::default(), 0, 0);
    for row in rows {
        let row = row?;
        let line = row.line;
        match added::<K, W>(&mut whole, row, add) {
            Ok(()) => taken += 1,
            Err(reason) => {
                rejected += 1;
                progress.reject(&Rejected { line, reason });
            }
        }
        if (taken + rejected) % TOLD_EVERY == 0 {
            progress.reached(done.load(Ordering::Relaxed), taken);
        }
    }
    progress.finish();
    Ok((whole, rejected))
}

/// Adds the item of a row, or says why not in the words of the import.
fn added<K: Kind, W>(
    whole: &mut W,
    row: Row,
    add: fn(&mut W, K::Item) -> Result<(), Violation>,
) -> Result<(), String> {
    let item = row.fields.and_then(K::item).map_err(|fault| fault.to_string())?;
    let id = K::id(&item).to_owned();
    add(whole, item).map_err(|fault| format!("`{id}`: {fault}"))
}
