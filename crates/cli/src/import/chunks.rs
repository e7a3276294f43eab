//! Cuts rows into what one call takes. Blocks; runs on a thread of its own.

use std::{collections::HashSet, sync::atomic::Ordering};

use anyhow::Result;
use prost::Message;
use tokio::sync::mpsc;

use super::{kind::Kind, report::Rejected, rows::Rows};

/// Items of one call: the most that the server takes.
const ITEMS_MAX: usize = 1_000;
/// Bytes of one call, below the 4 MiB that a request may have.
const BYTES_MAX: usize = 3 * 1024 * 1024;
/// Rejected lines in one chunk, so that a file of nothing else is not gathered in memory.
const REJECTED_MAX: usize = 1_000;

/// Items for one call, and what was rejected on the way to them.
pub(super) struct Chunk<T> {
    /// Items, no id twice.
    pub(super) items: Vec<T>,
    /// The line of each.
    pub(super) lines: Vec<u64>,
    /// Lines that hold no item.
    pub(super) rejected: Vec<Rejected>,
    /// How much of the file is read.
    pub(super) done: u64,
}

/// Chunks that wait to be sent.
pub(super) const WAITING_MAX: usize = 4;

/// Sends all rows as chunks, in order. Ends early when nobody takes them any more.
pub(super) fn send<K: Kind>(rows: Rows, to: &mpsc::Sender<Chunk<K::Item>>) -> Result<()> {
    let Rows { rows, done, .. } = rows;
    let mut draft = Draft::<K>::new();
    for row in rows {
        let row = row?;
        match row.fields.and_then(K::item) {
            Err(fault) => draft.chunk.rejected.push(Rejected { line: row.line, reason: fault.to_string() }),
            Ok(item) => {
                if !draft.has_room_for(&item) && to.blocking_send(draft.take(&done)).is_err() {
                    return Ok(());
                }
                draft.push(item, row.line);
            }
        }
        if draft.chunk.rejected.len() == REJECTED_MAX && to.blocking_send(draft.take(&done)).is_err() {
            return Ok(());
        }
    }
    // Nobody may be left to take it, which is not for the reader to tell.
    let _ = to.blocking_send(draft.take(&done));
    Ok(())
}

struct Draft<K: Kind> {
    chunk: Chunk<K::Item>,
    ids: HashSet<String>,
    bytes: usize,
}

impl<K: Kind> Draft<K> {
    fn new() -> Self {
        let chunk = Chunk { items: Vec::new(), lines: Vec::new(), rejected: Vec::new(), done: 0 };
        Self { chunk, ids: HashSet::new(), bytes: 0 }
    }

    /// An id goes into a call once; a second line with it goes into a later call, and so wins.
    fn has_room_for(&self, item: &K::Item) -> bool {
        let is_empty = self.chunk.items.is_empty();
        let fits = self.chunk.items.len() < ITEMS_MAX && self.bytes + item.encoded_len() <= BYTES_MAX;
        is_empty || fits && (K::id(item).is_empty() || !self.ids.contains(K::id(item)))
    }

    fn push(&mut self, item: K::Item, line: u64) {
        self.bytes += item.encoded_len();
        self.ids.insert(K::id(&item).to_owned());
        self.chunk.items.push(item);
        self.chunk.lines.push(line);
    }

    fn take(&mut self, done: &std::sync::atomic::AtomicU64) -> Chunk<K::Item> {
        let mut chunk = std::mem::replace(self, Self::new()).chunk;
        chunk.done = done.load(Ordering::Relaxed);
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{products::Products, rows::rows_of_text},
        *,
    };

    #[test]
    fn an_id_goes_into_a_call_once() {
        let text = "{\"product_id\":\"a\"}\n{\"product_id\":\"b\"}\n{}x\n{\"product_id\":\"a\",\"title\":\"later\"}\n";
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        send::<Products>(rows_of_text(text).unwrap(), &sender).unwrap();
        drop(sender);
        let mut chunks = Vec::new();
        while let Some(chunk) = receiver.blocking_recv() {
            chunks.push((chunk.lines, chunk.rejected.iter().map(|it| it.line).collect::<Vec<_>>()));
        }
        assert_eq!(chunks, [(vec![1, 2], vec![3]), (vec![4], vec![])]);
    }
}
