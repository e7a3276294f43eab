//! The last acknowledged commit, noted outside the engine.
//!
//! The engine takes a damaged end of its log for a commit that was cut short, and goes back to the one before.
//! This file says how far it must have come, so that what was acknowledged cannot vanish unseen.
//! Layout: magic, format version and CRC32C; then two slots a disk block apart, written by turns, each with sequence,
//! engine directory, tally of heads and CRC32C. A torn write costs the slot that was being written, never the other.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::OpenError;
use super::files;
use super::head::{Meta, words_of};

/// Its name under the data directory.
pub(super) const FILE: &str = "tip";
const MAGIC: &[u8; 8] = b"SCSTORE\n";
/// The format of the whole store.
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;
const SLOT_CRC_AT: usize = Meta::WORDS * 8;
const SLOT_BYTES: usize = SLOT_CRC_AT + 4;
const BLOCK_BYTES: u64 = 4_096;
const FILE_BYTES: usize = 3 * BLOCK_BYTES as usize;

/// The open file.
#[derive(Debug)]
pub(super) struct TipFile {
    file: File,
}

/// What the file says on opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledged {
    /// Both slots are as they were made: there never was a commit.
    Nothing,
    /// At least this commit.
    Commit(Meta),
}

impl TipFile {
    /// Opens or, for a store that is not there yet, creates it.
    pub(super) fn open(data: &Path) -> Result<(Self, Acknowledged), OpenError> {
        let path = data.join(FILE);
        if !path.exists() {
            create(data)?;
        }
        let file = File::options().read(true).write(true).open(&path).map_err(OpenError::io(&path))?;
        let mut bytes = [0; FILE_BYTES];
        let len = file.metadata().map_err(OpenError::io(&path))?.len();
        if len != FILE_BYTES as u64 {
            return Err(OpenError::damaged(FILE, format!("it has {len} bytes instead of {FILE_BYTES}")));
        }
        file.read_exact_at(&mut bytes, 0).map_err(OpenError::io(&path))?;
        check_header(&bytes)?;
        let slots = [0, 1].map(|slot| parse_slot(&bytes[offset(slot) as usize..]));
        let newest = slots.into_iter().flatten().max_by_key(|tip| tip.sequence);
        let newest = newest.ok_or_else(|| OpenError::damaged(FILE, "neither slot is readable"))?;
        let acknowledged = match slots == [Some(Meta::default()); 2] {
            true => Acknowledged::Nothing,
            false => Acknowledged::Commit(newest),
        };
        Ok((Self { file }, acknowledged))
    }

    /// Notes a commit, durably.
    pub(super) fn advance(&self, meta: &Meta) -> io::Result<()> {
        self.file.write_all_at(&slot_bytes(meta), offset(meta.sequence))?;
        self.file.sync_data()
    }
}

/// Both slots of a new file are written, so that each is readable from the start.
fn create(data: &Path) -> Result<(), OpenError> {
    let engine = data.join(files::ENGINE_DIR);
    if files::entry_count(&engine).map_err(OpenError::io(&engine))? > 0 {
        return Err(OpenError::damaged(FILE, "it is missing"));
    }
    let mut bytes = [0; FILE_BYTES];
    bytes[..HEADER_BYTES].copy_from_slice(&header(VERSION));
    for slot in [0, 1] {
        let at = offset(slot) as usize;
        bytes[at..at + SLOT_BYTES].copy_from_slice(&slot_bytes(&Meta::default()));
    }
    let path = data.join(FILE);
    files::replace(&path, |file| io::Write::write_all(file, &bytes)).map_err(OpenError::io(&path))
}

fn offset(sequence: u64) -> u64 {
    BLOCK_BYTES * (1 + sequence % 2)
}

fn header(version: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&version.to_le_bytes());
    let crc = crc32c::crc32c(&header[..12]);
    header[12..].copy_from_slice(&crc.to_le_bytes());
    header
}

fn check_header(bytes: &[u8; FILE_BYTES]) -> Result<(), OpenError> {
    let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    if bytes[..HEADER_BYTES] != header(found) {
        return Err(OpenError::damaged(FILE, "its header does not match its checksum"));
    }
    if found != VERSION {
        return Err(OpenError::Newer { found, known: VERSION });
    }
    Ok(())
}

fn slot_bytes(meta: &Meta) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    for (word, out) in meta.words().iter().zip(slot.chunks_exact_mut(8)) {
        out.copy_from_slice(&word.to_le_bytes());
    }
    let crc = crc32c::crc32c(&slot[..SLOT_CRC_AT]);
    slot[SLOT_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn parse_slot(bytes: &[u8]) -> Option<Meta> {
    let slot = bytes.first_chunk::<SLOT_BYTES>()?;
    let meta = Meta::from_words(words_of(&slot[..SLOT_CRC_AT])?);
    (slot_bytes(&meta) == *slot).then_some(meta)
}
