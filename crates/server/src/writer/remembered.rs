//! Writes that were answered, remembered for a day, so that their repetition is not done again.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use prost::Message;
use sidecart_catalog::{Timestamp, Violation};

use crate::{
    change::{Outcome, Receipt},
    limits::{REQUEST_ID_MEMORY, REQUEST_IDS_MAX},
};

/// Rejections kept word for word; the words of further ones are dropped, to bound the record.
const REJECTIONS_MAX: usize = 256;
/// Bytes of one kept text.
const TEXT_BYTES_MAX: usize = 128;

/// One answered write, as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Remembered {
    /// When it was received, in milliseconds since the epoch.
    #[prost(sint64, tag = "1")]
    pub(super) at_ms: i64,
    /// Digest of what was asked.
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) digest: Bytes,
    #[prost(uint64, tag = "3")]
    generation: u64,
    /// One code for each outcome.
    #[prost(bytes = "vec", tag = "4")]
    outcomes: Vec<u8>,
    /// The words of the rejected ones, in order.
    #[prost(message, repeated, tag = "5")]
    rejections: Vec<Rejection>,
}

#[derive(Clone, PartialEq, Message)]
struct Rejection {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}

/// Codes on disk; never reused.
const PLAIN: [(u8, Outcome); 6] = [
    (1, Outcome::Created),
    (2, Outcome::Updated),
    (3, Outcome::Unchanged),
    (4, Outcome::Deleted),
    (5, Outcome::Unknown),
    (6, Outcome::Stale),
];
const REJECTED: u8 = 7;

impl Remembered {
    pub(super) fn new(at: Timestamp, digest: [u8; 16], receipt: &Receipt) -> Self {
        let rejections = receipt.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Rejected(violation) => {
                Some(Rejection { field: cut(&violation.field), description: cut(&violation.description) })
            }
            _ => None,
        });
        Self {
            at_ms: at.as_ms(),
            digest: Bytes::copy_from_slice(&digest),
            generation: receipt.generation,
            rejections: rejections.take(REJECTIONS_MAX).collect(),
            outcomes: receipt.outcomes.iter().map(code).collect(),
        }
    }

    /// The answer that was given.
    pub(super) fn receipt(&self) -> Receipt {
        let mut rejections = self.rejections.iter();
        let outcome = |code: &u8| match PLAIN.iter().find(|(plain, _)| plain == code) {
            Some((_, outcome)) => outcome.clone(),
            None => Outcome::Rejected(rejections.next().map_or_else(
                || Violation::new("", "was rejected; the words were in the first answer"),
                |kept| Violation::new(kept.field.clone(), kept.description.clone()),
            )),
        };
        Receipt { generation: self.generation, outcomes: self.outcomes.iter().map(outcome).collect() }
    }
}

fn code(outcome: &Outcome) -> u8 {
    PLAIN.iter().find(|(_, plain)| plain == outcome).map_or(REJECTED, |(code, _)| *code)
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

/// The remembered writes of one merchant.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    by_id: HashMap<Box<str>, Remembered>,
    /// Ids in order of arrival.
    order: VecDeque<Box<str>>,
}

impl RequestLog {
    /// A log of what was stored.
    pub(crate) fn new(mut stored: Vec<(Box<str>, Remembered)>) -> Self {
        stored.sort_by(|a, b| (a.1.at_ms, &a.0).cmp(&(b.1.at_ms, &b.0)));
        Self { order: stored.iter().map(|(id, _)| id.clone()).collect(), by_id: stored.into_iter().collect() }
    }

    /// When the newest remembered write was received.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.order.back().and_then(|id| self.by_id.get(id)).map(|newest| Timestamp::from_ms(newest.at_ms))
    }

    /// A remembered write that is not yet forgotten at `at`.
    pub(super) fn get(&self, id: &str, at: Timestamp) -> Option<&Remembered> {
        self.by_id.get(id).filter(|remembered| !is_old(remembered, at))
    }

    /// Remembers a write, and returns the ids that are forgotten for it.
    pub(super) fn insert(&mut self, id: Box<str>, remembered: Remembered) -> Vec<Box<str>> {
        let at = Timestamp::from_ms(remembered.at_ms);
        if self.by_id.insert(id.clone(), remembered).is_some() {
            self.order.retain(|other| *other != id);
        }
        self.order.push_back(id);
        let mut forgotten = Vec::new();
        while let Some(oldest) = self.order.front() {
            let old = self.by_id.get(oldest).is_none_or(|remembered| is_old(remembered, at));
            if !old && self.order.len() <= REQUEST_IDS_MAX {
                break;
            }
            self.by_id.remove(oldest);
            forgotten.extend(self.order.pop_front());
        }
        forgotten
    }

    /// Forgets a write, which was not done after all.
    pub(super) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
        self.order.retain(|other| **other != *id);
    }
}

fn is_old(remembered: &Remembered, at: Timestamp) -> bool {
    let memory_ms = i64::try_from(REQUEST_ID_MEMORY.as_millis()).unwrap_or(i64::MAX);
    at.as_ms().saturating_sub(remembered.at_ms) > memory_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_remembered_as_it_was() {
        let mut outcomes: Vec<Outcome> = PLAIN.iter().map(|(_, outcome)| outcome.clone()).collect();
        outcomes.insert(3, Outcome::Rejected(Violation::new("family_id", "families do not nest")));
        let receipt = Receipt { generation: 7, outcomes };
        let stored = Remembered::new(Timestamp::from_ms(-5), [3; 16], &receipt).encode_to_vec();
        assert_eq!(Remembered::decode(&*stored).unwrap().receipt(), receipt);
    }

    #[test]
    fn writes_are_forgotten_after_a_day_and_above_the_bound() {
        let receipt = Receipt { generation: 1, outcomes: vec![] };
        let at = |ms| Remembered::new(Timestamp::from_ms(ms), [0; 16], &receipt);
        let mut log = RequestLog::default();
        assert!(log.insert("a".into(), at(0)).is_empty());
        assert!(log.get("a", Timestamp::from_ms(86_400_000)).is_some());
        assert!(log.get("a", Timestamp::from_ms(86_400_001)).is_none());
        assert_eq!(log.insert("b".into(), at(86_400_001)), ["a".into()]);
        for n in 0..REQUEST_IDS_MAX {
            log.insert(n.to_string().into(), at(86_400_002));
        }
        assert_eq!(log.by_id.len(), REQUEST_IDS_MAX);
        assert!(log.get("b", Timestamp::from_ms(86_400_002)).is_none());
    }
}
