//! sled 0.34.7 behind a few calls, with the rules that make it safe. No type of it leaves this file.
//!
//! - A kill during open can leave `snap.*.generating`, which the next open would take for the newest: removed first.
//! - `flush` alone is no fsync: [`Engine::sync`] adds it.
//! - A panic inside is contained and, like any error of the engine, means that the store is lost until reopened.

#![expect(clippy::disallowed_types, reason = "this is their home")]

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::OpenError;
use super::files;
use super::row::{ROW_BYTES_MAX, after_prefix};

/// The unit in which the engine reuses its file. Half of its default: less of the disk waits to be reused.
/// It is fixed when a store is made.
const SEGMENT_BYTES: usize = 256 * 1024;
/// A page splits above 16 rows, and takes up to 3 from a neighbour before. As a fourth of a segment or more it would
/// become a blob, which is never freed.
const PAGE_ROWS_MAX: usize = 20;
const ROW_OVERHEAD_BYTES: usize = 32;
const _: () = assert!(PAGE_ROWS_MAX * (ROW_BYTES_MAX + ROW_OVERHEAD_BYTES) < SEGMENT_BYTES / 4 - 1_024);

/// How long a handle of ours that is still being dropped may keep the engine's lock.
const LINGER_MAX: Duration = Duration::from_secs(2);
const LINGER_STEP: Duration = Duration::from_millis(2);

/// A fault after which nothing is known about what reached the disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// The file system refused.
    #[error("{}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The engine found its files corrupt, or panicked.
    #[error("{what}")]
    Lost { what: Box<str> },
}

/// The open engine.
#[derive(Debug)]
pub(super) struct Engine {
    db: Contained,
    /// A handle of our own on the engine's file, for fsync.
    file: File,
    dir: PathBuf,
}

impl Engine {
    /// Opens or creates the engine's files in `dir`, whose caller holds the store's own lock.
    pub(super) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        let blobs = dir.join("blobs");
        files::create_dirs(&blobs).map_err(OpenError::io(&blobs))?;
        remove_generating(dir).map_err(OpenError::io(dir))?;
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(cache_bytes)
            .flush_every_ms(None)
            .segment_size(SEGMENT_BYTES);
        let db = open_unlocked(dir, || contain(dir, || config.open()))?;
        let path = dir.join("db");
        let file = File::open(&path).map_err(OpenError::io(&path))?;
        let engine = Self { db: Contained(Some(db)), file, dir: dir.to_path_buf() };
        engine.sync()?;
        files::sync_tree(dir).map_err(OpenError::io(dir))?;
        Ok(engine)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let found = contain(&self.dir, || self.db.get().get(key))?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// The first key at or after `from`.
    pub(super) fn first_key_from(&self, from: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let found = contain(&self.dir, || self.db.get().range(from..).next().transpose())?;
        Ok(found.map(|(key, _)| key.to_vec()))
    }

    /// Calls `on_row` with each key and value under a prefix, in order of key, until it breaks.
    pub(super) fn scan<B>(
        &self,
        prefix: &[u8],
        on_row: impl FnMut(&[u8], &[u8]) -> std::ops::ControlFlow<B>,
    ) -> Result<Option<B>, EngineError> {
        let rows = match after_prefix(prefix.to_vec()) {
            Some(end) => self.db.get().range(prefix..&end),
            None => self.db.get().range(prefix..),
        };
        self.each(rows, on_row)
    }

    /// Calls `on_row` with each key and value at or after `from`, in order of key, until it breaks.
    pub(super) fn scan_from<B>(
        &self,
        from: &[u8],
        on_row: impl FnMut(&[u8], &[u8]) -> std::ops::ControlFlow<B>,
    ) -> Result<Option<B>, EngineError> {
        self.each(self.db.get().range(from..), on_row)
    }

    fn each<B>(
        &self,
        mut rows: sled::Iter,
        mut on_row: impl FnMut(&[u8], &[u8]) -> std::ops::ControlFlow<B>,
    ) -> Result<Option<B>, EngineError> {
        while let Some((key, value)) = contain(&self.dir, || rows.next().transpose())? {
            if let std::ops::ControlFlow::Break(result) = on_row(&key, &value) {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    /// Applies all writes or, should the process end before [`Engine::sync`] returns, perhaps none.
    pub(super) fn apply(&self, writes: Writes) -> Result<(), EngineError> {
        contain(&self.dir, || self.db.get().apply_batch(writes.batch))
    }

    /// Makes everything applied so far durable.
    pub(super) fn sync(&self) -> Result<(), EngineError> {
        contain(&self.dir, || self.db.get().flush())?;
        let path = || self.dir.join("db");
        self.file.sync_all().map_err(|source| EngineError::Io { path: path(), source })
    }

    /// Gives the files up, and returns when no thread of the engine can write to them any more.
    pub(super) fn close(self) -> Result<(), EngineError> {
        let Self { db, file, dir } = self;
        drop(db);
        let path = dir.join("db");
        let started = Instant::now();
        while let Err(fault) = file.try_lock() {
            if started.elapsed() > LINGER_MAX {
                return Err(EngineError::Io { path, source: fault.into() });
            }
            std::thread::sleep(LINGER_STEP);
        }
        file.sync_all().map_err(|source| EngineError::Io { path, source })
    }
}

/// Writes that are applied together. Of several to one key the last counts.
#[derive(Clone, Default)]
pub(super) struct Writes {
    batch: sled::Batch,
    count: usize,
}

impl Writes {
    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.count += 1;
        self.batch.insert(key, value);
    }

    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.count += 1;
        self.batch.remove(key);
    }

    /// How many writes were noted.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// The database. Dropping it flushes, which may panic after corruption.
#[derive(Debug)]
struct Contained(Option<sled::Db>);

impl Contained {
    fn get(&self) -> &sled::Db {
        self.0.as_ref().expect("it is taken only in drop")
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let db = self.0.take();
        // What could be lost was either synced before or never acknowledged.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

/// Runs a call into the engine: its errors become ours, its panics become errors.
fn contain<T>(dir: &Path, call: impl FnOnce() -> sled::Result<T>) -> Result<T, EngineError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(source))) => Err(EngineError::Io { path: dir.to_path_buf(), source }),
        Ok(Err(fault)) => Err(EngineError::Lost { what: fault.to_string().into() }),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(EngineError::Lost { what: format!("the storage engine panicked: {text}").into() })
        }
    }
}

/// Opens, waiting a little while the engine's own lock is still held by a handle of this process being dropped.
fn open_unlocked(
    dir: &Path,
    open: impl Fn() -> Result<sled::Db, EngineError>,
) -> Result<sled::Db, OpenError> {
    let started = Instant::now();
    loop {
        match open() {
            Err(EngineError::Io { source, .. }) if source.to_string().contains("could not acquire lock") => {
                if started.elapsed() > LINGER_MAX {
                    return Err(OpenError::Locked { path: dir.to_path_buf() });
                }
                std::thread::sleep(LINGER_STEP);
            }
            outcome => return Ok(outcome?),
        }
    }
}

fn remove_generating(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            files::remove(&dir.join(&*name))?;
        }
    }
    Ok(())
}
