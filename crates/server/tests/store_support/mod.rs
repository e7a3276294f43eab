//! What the tests of the store share: a place to work in, and reading a whole store back.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "it is test code")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sidecart_server::store::{Batch, OpenError, RowKind, Staged, Store, StoreError, StoreOptions};
use tempfile::TempDir;

/// All records of a store: by merchant, kind and id.
pub(crate) type Records = BTreeMap<(String, RowKind, Vec<u8>), Vec<u8>>;

/// A directory in memory where there is one: these tests are about what is written, not about the disk.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub(crate) fn open(data: &Path) -> Result<Store, OpenError> {
    Store::open(data, &StoreOptions { cache_bytes: 16 * 1024 * 1024 })
}

/// One merchant, one write: `None` deletes.
pub(crate) fn write(store: &Store, generation: u64, kind: RowKind, id: &str, value: Option<&[u8]>) {
    let mut batch = Batch::default();
    let part = batch.merchant("m", generation);
    match value {
        Some(value) => part.put(kind, id.as_bytes(), Bytes::copy_from_slice(value)),
        None => part.delete(kind, id.as_bytes()),
    }
    store.commit(batch).unwrap();
}

pub(crate) fn staged(store: &Store, merchant: &str, kind: RowKind, records: &[(Vec<u8>, Vec<u8>)]) -> Staged {
    let mut staged = store.stage(merchant, kind).unwrap();
    let records = records.iter().map(|(id, value)| (id.clone(), Bytes::from(value.clone())));
    store.stage_rows(&mut staged, records).unwrap();
    staged
}

/// Everything that is in the store.
pub(crate) fn read_all(store: &Store) -> Result<Records, StoreError> {
    let mut records = Records::new();
    for state in store.merchants() {
        let mut doubled = None;
        let generation = store.load(&state.merchant, |row| {
            let key = (state.merchant.to_string(), row.kind, row.id.to_vec());
            if records.insert(key.clone(), row.value.to_vec()).is_some() {
                doubled = Some(key);
            }
        })?;
        assert_eq!(doubled, None, "a record was handed on twice");
        assert_eq!(generation, state.generation);
    }
    Ok(records)
}

/// The engine under a store that is not open.
#[expect(clippy::disallowed_types, reason = "looks under the store")]
pub(crate) fn raw(data: &Path) -> sled::Db {
    let config = sled::Config::new().path(data.join("store/0")).segment_size(256 * 1024);
    // A thread of the engine may hold a file that was just closed for a moment longer.
    let attempts = std::iter::repeat_with(|| config.open().inspect_err(|_| std::thread::yield_now()));
    attempts.take(100_000).find_map(Result::ok).unwrap()
}

/// The files of a closed store, to be put back after each damage.
pub(crate) struct Image {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Image {
    pub(crate) fn of(data: &Path) -> Self {
        let mut files = Vec::new();
        let mut dirs = vec![data.to_path_buf()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if !path.ends_with("lock") {
                    let bytes = fs::read(&path).unwrap();
                    files.push((path.strip_prefix(data).unwrap().to_path_buf(), bytes));
                }
            }
        }
        files.sort();
        Self { files }
    }

    /// The same with more files, or others under the same names.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = (PathBuf, Vec<u8>)>) -> Self {
        let files: BTreeMap<_, _> = self.files.iter().cloned().chain(more).collect();
        Self { files: files.into_iter().collect() }
    }

    /// Only what lies under one of these.
    pub(crate) fn of_these(&self, roots: &[&str]) -> Self {
        let kept = self.files.iter().filter(|(path, _)| roots.iter().any(|root| path.starts_with(root)));
        Self { files: kept.cloned().collect() }
    }

    /// All but what lies under this.
    pub(crate) fn without(&self, root: &str) -> Self {
        Self { files: self.files.iter().filter(|(path, _)| !path.starts_with(root)).cloned().collect() }
    }

    /// The same, moved into a folder.
    pub(crate) fn under(&self, folder: &str) -> Self {
        let moved = self.files.iter().map(|(path, bytes)| (Path::new(folder).join(path), bytes.clone()));
        Self { files: moved.collect() }
    }

    pub(crate) fn into_files(self) -> Vec<(PathBuf, Vec<u8>)> {
        self.files
    }

    pub(crate) fn files(&self) -> &[(PathBuf, Vec<u8>)] {
        &self.files
    }

    /// Makes `data` hold just these files.
    pub(crate) fn restore(&self, data: &Path) {
        if data.exists() {
            fs::remove_dir_all(data).unwrap();
        }
        for (path, bytes) in &self.files {
            let path = data.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}
