//! The export file: all records of one merchant as a stream. It is the backup, the upgrade path and the last good view.
//!
//! Layout (little endian):
//! - magic, version u32, merchant length u8, merchant, generation u64, creation time i64 (ms), CRC32C;
//! - per record: tag 1, kind u8, id length u16, payload length u32, id, payload, CRC32C over all of it;
//! - tag 2, record count u64, BLAKE3 over every byte before it. Nothing follows.
//!
//! It depends on neither the engine nor the layout of the store. Where files lie is the affair of `exports`.

use std::io::{self, ErrorKind, Read, Write};

use super::Row;
use super::row::{ID_BYTES_MAX, MERCHANT_BYTES_MAX, RECORD_BYTES_MAX, RowKind};

const MAGIC: &[u8; 8] = b"SIDECART";
const VERSION: u32 = 1;
const RECORD: u8 = 1;
const TRAILER: u8 = 2;
const RECORD_HEADER_BYTES: usize = 8;

/// What an export file is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The merchant it was taken from.
    pub merchant: Box<str>,
    /// The generation it holds.
    pub generation: u64,
    /// When it was taken, in milliseconds since the epoch.
    pub created_ms: i64,
}

/// Why an export file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file system or the sender failed.
    #[error("the export file cannot be read")]
    Io(#[from] io::Error),
    /// It does not start as one.
    #[error("this is not an export file")]
    NotAnExport,
    /// A later program wrote it.
    #[error("the export file has format {found}, and this program knows formats up to {known}")]
    Newer {
        /// The format of the file.
        found: u32,
        /// The latest format known here.
        known: u32,
    },
    /// The header is damaged.
    #[error("the header of the export file is damaged: {what}")]
    Header {
        /// What is wrong.
        what: &'static str,
    },
    /// A record, or what stands where one should, is damaged.
    #[error("record {number} of the export file is damaged: {what}")]
    Record {
        /// Its number, from 1.
        number: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The trailer is damaged, or does not match the records.
    #[error("the trailer of the export file is damaged, after {records} records: {what}")]
    Trailer {
        /// How many records were read.
        records: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// Writes an export file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    digest: blake3::Hasher,
    records: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When `out` fails, or the merchant id is over its bound.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let merchant = header.merchant.as_bytes();
        if merchant.is_empty() {
            return Err(invalid("the merchant id is empty"));
        }
        let length = bounded(merchant.len(), MERCHANT_BYTES_MAX, "the merchant id")?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.push(length.to_le_bytes()[0]);
        bytes.extend_from_slice(merchant);
        bytes.extend_from_slice(&header.generation.to_le_bytes());
        bytes.extend_from_slice(&header.created_ms.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let mut writer = Self { out, digest: blake3::Hasher::new(), records: 0 };
        writer.put(&bytes)?;
        Ok(writer)
    }

    /// Writes one record.
    ///
    /// # Errors
    /// When `out` fails, or the record is over a bound.
    pub fn write(&mut self, kind: RowKind, id: &[u8], value: &[u8]) -> io::Result<()> {
        if id.is_empty() {
            return Err(invalid("the record id is empty"));
        }
        let id_length = bounded(id.len(), ID_BYTES_MAX, "the record id")?.to_le_bytes();
        let length = bounded(value.len(), RECORD_BYTES_MAX, "the record")?.to_le_bytes();
        let mut head = Vec::with_capacity(RECORD_HEADER_BYTES + id.len());
        head.extend_from_slice(&[RECORD, kind.code(), id_length[0], id_length[1]]);
        head.extend_from_slice(&length);
        head.extend_from_slice(id);
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head), value);
        self.put(&head)?;
        self.put(value)?;
        self.put(&crc.to_le_bytes())?;
        self.records += 1;
        Ok(())
    }

    /// Writes the trailer. Without it the file is refused.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.put(&[TRAILER])?;
        self.put(&self.records.to_le_bytes())?;
        let digest = self.digest.finalize();
        self.out.write_all(digest.as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }
}

fn bounded(length: usize, max: usize, what: &str) -> io::Result<u32> {
    match u32::try_from(length) {
        Ok(short) if length <= max => Ok(short),
        _ => Err(invalid(format!("{what} exceeds {max} bytes"))),
    }
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, what.into())
}

/// Reads an export file: an iterator over its records, which ends at the first error.
///
/// Records count only once it has ended without one: the trailer comes last.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    digest: blake3::Hasher,
    records: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header. `input` should be buffered.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn new(mut input: R) -> Result<Self, ExportError> {
        let mut bytes = vec![0; 13];
        fill(&mut input, &mut bytes, ExportError::NotAnExport)?;
        if bytes[..8] != *MAGIC {
            return Err(ExportError::NotAnExport);
        }
        let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if found != VERSION {
            return Err(ExportError::Newer { found, known: VERSION });
        }
        let merchant_len = usize::from(bytes[12]);
        bytes.resize(13 + merchant_len + 20, 0);
        fill(&mut input, &mut bytes[13..], ExportError::Header { what: "it is cut short" })?;
        let header = parse_header(&bytes).map_err(|what| ExportError::Header { what })?;
        let mut digest = blake3::Hasher::new();
        digest.update(&bytes);
        Ok(Self { input, header, digest, records: 0, ended: false })
    }

    /// What the file is of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn read_next(&mut self) -> Result<Option<Row>, ExportError> {
        let number = self.records + 1;
        let broken = |what| ExportError::Record { number, what };
        let mut tag = [0];
        fill(&mut self.input, &mut tag, broken("the file is cut short before it"))?;
        self.digest.update(&tag);
        match tag[0] {
            RECORD => self.read_record(broken).map(Some),
            TRAILER => self.read_trailer().map(|()| None),
            _ => Err(broken("it starts with an unknown tag")),
        }
    }

    fn read_record(&mut self, broken: impl Fn(&'static str) -> ExportError) -> Result<Row, ExportError> {
        let mut bytes = vec![RECORD; RECORD_HEADER_BYTES];
        fill(&mut self.input, &mut bytes[1..], broken("it is cut short"))?;
        let id_len = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        let len = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        if !(1..=ID_BYTES_MAX).contains(&id_len) || len > RECORD_BYTES_MAX {
            return Err(broken("its length is out of bounds"));
        }
        let id_end = RECORD_HEADER_BYTES + id_len;
        bytes.resize(id_end + len + 4, 0);
        fill(&mut self.input, &mut bytes[RECORD_HEADER_BYTES..], broken("it is cut short"))?;
        self.digest.update(&bytes[1..]);
        let (content, crc) = bytes.split_at(id_end + len);
        if crc32c::crc32c(content).to_le_bytes() != *crc {
            return Err(broken("its checksum does not match"));
        }
        let kind = RowKind::from_code(content[1]).ok_or_else(|| broken("it is of an unknown kind"))?;
        self.records += 1;
        let id = content[RECORD_HEADER_BYTES..id_end].into();
        Ok(Row { kind, id, value: content[id_end..].to_vec().into() })
    }

    fn read_trailer(&mut self) -> Result<(), ExportError> {
        let broken = |what| ExportError::Trailer { records: self.records, what };
        let (mut count, mut digest) = ([0; 8], [0; 32]);
        fill(&mut self.input, &mut count, broken("it is cut short"))?;
        self.digest.update(&count);
        fill(&mut self.input, &mut digest, broken("it is cut short"))?;
        if u64::from_le_bytes(count) != self.records {
            return Err(broken("its count does not match"));
        }
        if self.digest.finalize() != digest {
            return Err(broken("its digest does not match"));
        }
        match fill(&mut self.input, &mut [0], ExportError::NotAnExport) {
            Err(ExportError::NotAnExport) => Ok(()),
            Err(fault) => Err(fault),
            Ok(()) => Err(broken("something follows it")),
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Row, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read_next().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Reads exactly as much as fits `bytes`; `cut_short` when there is less.
fn fill(input: &mut impl Read, bytes: &mut [u8], cut_short: ExportError) -> Result<(), ExportError> {
    match input.read_exact(bytes) {
        Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => Err(cut_short),
        outcome => Ok(outcome?),
    }
}

fn parse_header(bytes: &[u8]) -> Result<Header, &'static str> {
    let (content, crc) = bytes.split_last_chunk::<4>().ok_or("it is cut short")?;
    if crc32c::crc32c(content).to_le_bytes() != *crc {
        return Err("its checksum does not match");
    }
    let (content, created) = content.split_last_chunk::<8>().ok_or("it is cut short")?;
    let (content, generation) = content.split_last_chunk::<8>().ok_or("it is cut short")?;
    let merchant = std::str::from_utf8(&content[13..]).map_err(|_| "the merchant id is not UTF-8")?;
    if merchant.is_empty() || merchant.len() > MERCHANT_BYTES_MAX {
        return Err("the merchant id is out of bounds");
    }
    Ok(Header {
        merchant: merchant.into(),
        generation: u64::from_le_bytes(*generation),
        created_ms: i64::from_le_bytes(*created),
    })
}
