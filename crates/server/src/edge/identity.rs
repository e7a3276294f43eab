//! What each call and connection gets of its own: a request id, and a share of chance.
//!
//! Chance here spreads load and tells calls apart; it guards nothing.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderValue};
use uuid::{Builder, fmt::Hyphenated};

use crate::limits;

/// The header that carries a request id, both ways.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// A source of ids and of chance, cheap enough to be asked on every call.
#[derive(Debug)]
pub(super) struct Lots {
    next: AtomicU64,
}

impl Lots {
    /// A source that starts anywhere.
    pub(super) fn new() -> Self {
        Self { next: AtomicU64::new(RandomState::new().hash_one(0_u8)) }
    }

    /// 64 bits that do not repeat within the life of the process: splitmix64 (Steele, Lea and Flood 2014).
    pub(super) fn draw(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut bits = self.next.fetch_add(STEP, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// The caller's request id if it is sane, else a new UUID version 7.
    pub(super) fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(REQUEST_ID_HEADER).filter(|value| is_sane(value)) {
            Some(value) => value.clone(),
            None => self.mint(),
        }
    }

    fn mint(&self) -> HeaderValue {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        let mut chance = [0; 10];
        chance[..8].copy_from_slice(&self.draw().to_le_bytes());
        chance[8..].copy_from_slice(&self.draw().to_le_bytes()[..2]);
        let mut text = [0; Hyphenated::LENGTH];
        let uuid = Builder::from_unix_timestamp_millis(millis, &chance).into_uuid();
        let text: &str = uuid.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).expect("a UUID is visible ASCII")
    }
}

/// Visible ASCII of a bounded length, so that it can be logged as it is.
fn is_sane(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=limits::REQUEST_ID_HEADER_MAX_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_another_is_replaced() {
        let long = "x".repeat(65);
        let cases = [
            ("order-7/a", true),
            (&long[1..], true),
            (&long, false),
            ("", false),
            ("a b", false),
            ("ü", false),
        ];
        for (sent, kept) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID_HEADER, HeaderValue::from_bytes(sent.as_bytes()).unwrap());
            let id = Lots::new().request_id(&headers);
            assert_eq!(id.as_bytes() == sent.as_bytes(), kept, "{sent:?}");
        }
    }

    #[test]
    fn minted_ids_are_distinct_uuids_of_version_seven() {
        let lots = Lots::new();
        let ids: HashSet<String> = (0..1_000).map(|_| lots.mint().to_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 1_000);
        for id in ids {
            assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
        }
    }
}
