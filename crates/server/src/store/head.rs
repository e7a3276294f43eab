//! What the store knows about all rows of a merchant, and about all merchants, to notice a row that is lost,
//! doubled or stale: counts and sums of hashes, kept up with each commit and recomputed on load.

use super::row::{Envelope, Key, RowKind, seal_row};

const KINDS: usize = RowKind::ALL.len();
const COLUMN_BYTES: usize = 1 + 4 * 8;

/// The count of a multiset of rows, their bytes, and the wrapping sum of their hashes: adding and taking away commute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    /// Of keys and values.
    pub(super) bytes: u64,
    pub(super) digest: u64,
}

impl Tally {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add((key.len() + value.len()) as u64);
        self.digest = self.digest.wrapping_add(row_hash(key, value));
    }

    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.bytes = self.bytes.wrapping_sub((key.len() + value.len()) as u64);
        self.digest = self.digest.wrapping_sub(row_hash(key, value));
    }

    /// As it is written.
    pub(super) fn words(&self) -> [u64; 3] {
        [self.rows, self.bytes, self.digest]
    }

    pub(super) fn from_words([rows, bytes, digest]: [u64; 3]) -> Self {
        Self { rows, bytes, digest }
    }
}

/// The first eight bytes of BLAKE3: the same in every version of this program.
fn row_hash(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    let first = hasher.finalize().as_bytes().first_chunk::<8>().copied();
    u64::from_le_bytes(first.expect("a BLAKE3 hash has 32 bytes"))
}

/// The rows of one kind: which epoch of them counts, and what they sum to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    /// Rows of another epoch are staged or garbage. Only products and rules ever leave epoch 0.
    pub(super) epoch: u64,
    pub(super) tally: Tally,
}

/// One merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) generation: u64,
    columns: [Column; KINDS],
}

impl Head {
    pub(super) fn column(&self, kind: RowKind) -> Column {
        self.columns[kind.index()]
    }

    pub(super) fn column_mut(&mut self, kind: RowKind) -> &mut Column {
        &mut self.columns[kind.index()]
    }

    /// Bytes of keys and values of all rows that count.
    pub(super) fn live_bytes(&self) -> u64 {
        self.columns.iter().map(|column| column.tally.bytes).sum()
    }

    /// The row that holds it.
    pub(super) fn row(&self, merchant: &str) -> (Vec<u8>, Vec<u8>) {
        let mut payload = Vec::with_capacity(8 + KINDS * COLUMN_BYTES);
        payload.extend_from_slice(&self.generation.to_le_bytes());
        for kind in RowKind::ALL {
            let column = self.column(kind);
            payload.push(kind.code());
            put_words(&mut payload, &[column.epoch]);
            put_words(&mut payload, &column.tally.words());
        }
        head_row(merchant, self.generation, &payload)
    }

    /// A kind that is not listed has no rows; one that is not known was written by a later program.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, &'static str> {
        let (generation, columns) = payload.split_first_chunk::<8>().ok_or("too short")?;
        let mut head = Self { generation: u64::from_le_bytes(*generation), ..Self::default() };
        for column in columns.chunks(COLUMN_BYTES) {
            let (&code, words) = column.split_first().ok_or("too short")?;
            let kind = RowKind::from_code(code).ok_or("a kind of rows that this program does not know")?;
            let [epoch, tally @ ..] = words_of::<4>(words).ok_or("too short")?;
            *head.column_mut(kind) = Column { epoch, tally: Tally::from_words(tally) };
        }
        Ok(head)
    }
}

/// All merchants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    /// Commits so far.
    pub(super) sequence: u64,
    /// Which of the engine's directories holds them.
    pub(super) engine: u64,
    /// The heads of all merchants.
    pub(super) heads: Tally,
}

impl Meta {
    /// How many words it is written as.
    pub(super) const WORDS: usize = 5;

    /// The row that holds it.
    pub(super) fn row(&self) -> (Vec<u8>, Vec<u8>) {
        let mut payload = Vec::with_capacity(Self::WORDS * 8);
        put_words(&mut payload, &self.words());
        head_row("", self.sequence, &payload)
    }

    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        words_of(payload).map(Self::from_words)
    }

    /// As it is written.
    pub(super) fn words(&self) -> [u64; Self::WORDS] {
        let [rows, bytes, digest] = self.heads.words();
        [self.sequence, self.engine, rows, bytes, digest]
    }

    pub(super) fn from_words([sequence, engine, heads @ ..]: [u64; Self::WORDS]) -> Self {
        Self { sequence, engine, heads: Tally::from_words(heads) }
    }
}

fn head_row(merchant: &str, generation: u64, payload: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let key = Key::head(merchant);
    let encoded = key.encode();
    let value = seal_row(&key, &encoded, &Envelope { part: 0, parts: 1, generation, payload });
    (encoded, value)
}

fn put_words(out: &mut Vec<u8>, words: &[u64]) {
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

pub(super) fn words_of<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let chunks: &[[u8; 8]; N] = chunks.try_into().ok()?;
    rest.is_empty().then(|| chunks.map(u64::from_le_bytes))
}
