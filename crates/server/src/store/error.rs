//! What can go wrong with the store, by what a caller would do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::engine::EngineError;
use super::row::RowKind;

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused. Nothing is known to be damaged.
    #[error("{}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process has the store open.
    #[error("{} is open in another process", .path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// A later program wrote it.
    #[error("the store has format {found}, and this program knows formats up to {known}")]
    Newer {
        /// The format on disk.
        found: u32,
        /// The latest format known here.
        known: u32,
    },
    /// A file is not what was written.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file, relative to the data directory.
        file: Box<str>,
        /// What is wrong with it.
        what: Box<str>,
    },
    /// The engine could not make sense of its files.
    #[error("the storage engine cannot read its files: {what}")]
    Lost {
        /// What the engine said.
        what: Box<str>,
    },
    /// A row found while opening is not what was written.
    #[error(transparent)]
    Row(#[from] Damage),
}

impl OpenError {
    pub(super) fn damaged(file: impl Into<Box<str>>, what: impl Into<Box<str>>) -> Self {
        Self::Damaged { file: file.into(), what: what.into() }
    }

    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl From<EngineError> for OpenError {
    fn from(fault: EngineError) -> Self {
        match fault {
            EngineError::Io { path, source } => Self::Io { path, source },
            EngineError::Lost { what } => Self::Lost { what },
        }
    }
}

/// Why a call to an open store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rows of one merchant are not what was written. Others may be sound.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// One batch would touch too many rows. Nothing was written.
    #[error("the batch touches more than {max} rows")]
    BatchTooLarge {
        /// [`super::BATCH_ROWS_MAX`].
        max: usize,
    },
    /// A record is over its bound. Nothing was written.
    #[error("{kind} `{}` of {bytes} bytes exceeds {max}", .id.escape_ascii())]
    RecordTooLarge {
        /// What kind of record.
        kind: RowKind,
        /// Its id.
        id: Box<[u8]>,
        /// Its size.
        bytes: usize,
        /// [`super::RECORD_BYTES_MAX`].
        max: usize,
    },
    /// A merchant or record id is empty or over its bound. Nothing was written.
    #[error("an id of {bytes} bytes is not between 1 and {max}")]
    BadId {
        /// Its size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// A batch would take a merchant back. Nothing was written.
    #[error("merchant `{merchant}` is at generation {current}, and {given} is earlier")]
    StaleGeneration {
        /// The merchant.
        merchant: Box<str>,
        /// What it is at.
        current: u64,
        /// What the batch carries.
        given: u64,
    },
    /// A replacement was flipped in a merchant it was not staged for. Nothing was written.
    #[error("a replacement staged for merchant `{staged_for}` was flipped in `{merchant}`")]
    Misplaced {
        /// The merchant of the batch.
        merchant: Box<str>,
        /// The merchant of the replacement.
        staged_for: Box<str>,
    },
    /// The file system refused, for example because the disk is full.
    /// Whether the last write landed is unknown until the store is reopened.
    #[error("{}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The engine failed, now or earlier, and takes no more calls until the store is reopened.
    #[error("the store is lost until it is reopened: {what}")]
    Lost {
        /// What the engine said first.
        what: Box<str>,
    },
}

impl StoreError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl From<EngineError> for StoreError {
    fn from(fault: EngineError) -> Self {
        match fault {
            EngineError::Io { path, source } => Self::Io { path, source },
            EngineError::Lost { what } => Self::Lost { what },
        }
    }
}

/// What is damaged, as closely as can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Damage {
    /// The merchant. Empty when not even that can be told.
    pub merchant: Box<str>,
    /// The kind of record, unless the merchant's head itself is damaged.
    pub kind: Option<RowKind>,
    /// The id of the record. Empty when the damage shows only in all rows of a kind together.
    pub id: Box<[u8]>,
    /// What is wrong.
    pub what: Box<str>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "merchant `{}`: ", self.merchant)?;
        match self.kind {
            None => write!(f, "head")?,
            Some(kind) if self.id.is_empty() => write!(f, "{kind} rows")?,
            Some(kind) => write!(f, "{kind} `{}`", self.id.escape_ascii())?,
        }
        write!(f, ": {}", self.what)
    }
}

/// A fault and its causes in one line, for what is remembered longer than the fault itself.
pub(crate) fn chain(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(fault) = cause {
        text = format!("{text}: {fault}");
        cause = fault.source();
    }
    text
}
