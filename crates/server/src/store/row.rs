//! One row as the engine sees it: a key, and a value in a versioned, checksummed envelope.
//!
//! A record larger than one row is split into parts.
//! Key: merchant length, merchant, kind, epoch (big endian), id length, id, part (big endian).
//! The lengths keep the parts of one record, the records of one kind and epoch, and the rows of one merchant together.
//! Envelope (little endian): version u8, kind u8, part u16, parts u16, generation u64, payload length u32, CRC32C u32
//! over key, header and payload; then the payload.

use std::fmt;

/// The longest merchant id, in bytes.
pub const MERCHANT_BYTES_MAX: usize = 128;
/// The longest record id, in bytes.
pub const ID_BYTES_MAX: usize = 128;
/// The largest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 448 * 1024;

/// The payload of one row.
const PART_BYTES_MAX: usize = 2_560;
const KEY_BYTES_MAX: usize = 1 + MERCHANT_BYTES_MAX + 1 + 8 + 1 + ID_BYTES_MAX + 2;
/// Key and value of one row. The engine keeps its pages from becoming blobs by this bound.
pub(super) const ROW_BYTES_MAX: usize = KEY_BYTES_MAX + ENVELOPE_BYTES + PART_BYTES_MAX;
const _: () = assert!(ROW_BYTES_MAX <= 4_096);
const _: () = assert!(RECORD_BYTES_MAX.div_ceil(PART_BYTES_MAX) <= u16::MAX as usize);

const ENVELOPE_VERSION: u8 = 1;
const ENVELOPE_BYTES: usize = 22;
const CRC_AT: usize = 18;

/// The kind code of the row that describes a merchant, and of the one that describes all merchants.
/// It sorts before all kinds of records.
const HEAD_CODE: u8 = 0;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// What is sold.
    Product,
    /// A pairing, block or boost.
    Rule,
    /// A limit on offering.
    Policy,
    /// A write that was answered, remembered so that its repetition is not done again.
    Request,
    /// What was bought, and what became of it.
    Order,
    /// A piece of what was learned from orders.
    Model,
    /// A piece of the affinities that were imported.
    Imported,
    /// What became of the follow-ups of an order.
    FollowUps,
    /// A shopper who does not want to be written to.
    OptOut,
}

impl RowKind {
    /// All of them, by code.
    pub const ALL: [Self; 9] = [
        Self::Product,
        Self::Rule,
        Self::Policy,
        Self::Request,
        Self::Order,
        Self::Model,
        Self::Imported,
        Self::FollowUps,
        Self::OptOut,
    ];

    /// Its code on disk and in export files. Codes are never reused.
    pub fn code(self) -> u8 {
        match self {
            Self::Product => 1,
            Self::Rule => 2,
            Self::Policy => 3,
            Self::Request => 4,
            Self::Order => 5,
            Self::Model => 6,
            Self::Imported => 7,
            Self::FollowUps => 8,
            Self::OptOut => 9,
        }
    }

    /// The kind with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Position in [`RowKind::ALL`].
    pub(super) fn index(self) -> usize {
        usize::from(self.code()) - 1
    }

    fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Request => "request",
            Self::Order => "order",
            Self::Model => "model",
            Self::Imported => "imported affinities",
            Self::FollowUps => "follow-ups",
            Self::OptOut => "opt-out",
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parsed key. Lengths are checked where records enter the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) merchant: &'a str,
    pub(super) code: u8,
    pub(super) epoch: u64,
    pub(super) id: &'a [u8],
    pub(super) part: u16,
}

impl<'a> Key<'a> {
    /// The row that describes a merchant; with an empty name, the one that describes all of them.
    pub(super) fn head(merchant: &'a str) -> Self {
        Self { merchant, code: HEAD_CODE, epoch: 0, id: &[], part: 0 }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut key = epoch_prefix(self.merchant, self.code, self.epoch);
        key.push(short(self.id.len()));
        key.extend_from_slice(self.id);
        key.extend_from_slice(&self.part.to_be_bytes());
        key
    }

    pub(super) fn parse(key: &'a [u8]) -> Option<Self> {
        let (&merchant_len, rest) = key.split_first()?;
        let (merchant, rest) = rest.split_at_checked(usize::from(merchant_len))?;
        let (&code, rest) = rest.split_first()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (&id_len, rest) = rest.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(id_len))?;
        let part = rest.try_into().ok()?;
        Some(Self {
            merchant: std::str::from_utf8(merchant).ok()?,
            code,
            epoch: u64::from_be_bytes(*epoch),
            id,
            part: u16::from_be_bytes(part),
        })
    }
}

/// What all keys of a merchant start with.
pub(super) fn merchant_prefix(merchant: &str) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(KEY_BYTES_MAX);
    prefix.push(short(merchant.len()));
    prefix.extend_from_slice(merchant.as_bytes());
    prefix
}

/// What all keys of one kind and epoch start with.
pub(super) fn epoch_prefix(merchant: &str, code: u8, epoch: u64) -> Vec<u8> {
    let mut prefix = merchant_prefix(merchant);
    prefix.push(code);
    prefix.extend_from_slice(&epoch.to_be_bytes());
    prefix
}

/// The first key after all that start with `prefix`; `None` when there is no such key.
pub(super) fn after_prefix(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return Some(prefix);
        }
    }
    None
}

/// The first key after this one.
pub(super) fn after_key(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

fn short(len: usize) -> u8 {
    u8::try_from(len).expect("lengths are checked where records enter the store")
}

/// One row, opened and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) part: u16,
    pub(super) parts: u16,
    pub(super) generation: u64,
    pub(super) payload: &'a [u8],
}

/// Splits a record into the parts that fit a row each. An empty record is one empty part.
pub(super) fn parts_of(value: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let empty = value.is_empty().then_some(value);
    (0..).zip(empty.into_iter().chain(value.chunks(PART_BYTES_MAX)))
}

/// How many parts a record has.
pub(super) fn part_count(value: &[u8]) -> u16 {
    let parts = value.len().div_ceil(PART_BYTES_MAX).max(1);
    u16::try_from(parts).expect("record lengths are checked where records enter the store")
}

/// Closes the envelope of one row.
pub(super) fn seal_row(key: &Key<'_>, encoded_key: &[u8], row: &Envelope<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE_BYTES + row.payload.len());
    out.push(ENVELOPE_VERSION);
    out.push(key.code);
    out.extend_from_slice(&row.part.to_le_bytes());
    out.extend_from_slice(&row.parts.to_le_bytes());
    out.extend_from_slice(&row.generation.to_le_bytes());
    let len = u32::try_from(row.payload.len()).expect("a part is bounded");
    out.extend_from_slice(&len.to_le_bytes());
    let crc = checksum(encoded_key, &out, row.payload);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(row.payload);
    out
}

/// Opens the envelope of one row, or says what is wrong with it.
pub(super) fn open_row<'a>(
    key: &Key<'_>,
    encoded_key: &[u8],
    value: &'a [u8],
) -> Result<Envelope<'a>, &'static str> {
    let (header, payload) = value.split_at_checked(ENVELOPE_BYTES).ok_or("shorter than its envelope")?;
    if header[0] != ENVELOPE_VERSION {
        return Err("unknown envelope version");
    }
    if checksum(encoded_key, &header[..CRC_AT], payload).to_le_bytes() != header[CRC_AT..] {
        return Err("checksum does not match");
    }
    let part = u16::from_le_bytes([header[2], header[3]]);
    let parts = u16::from_le_bytes([header[4], header[5]]);
    let len = u32::from_le_bytes([header[14], header[15], header[16], header[17]]);
    if header[1] != key.code || part != key.part || part >= parts || len as usize != payload.len() {
        return Err("envelope contradicts its key");
    }
    let generation = u64::from_le_bytes(header[6..14].try_into().expect("eight bytes"));
    Ok(Envelope { part, parts, generation, payload })
}

fn checksum(key: &[u8], header: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(key), header), payload)
}
