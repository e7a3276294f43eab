//! What is committed is what is read back, across reopenings.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod store_support;

use std::path::Path;

use bytes::Bytes;
use proptest::prelude::*;
use sidecart_server::store::{Batch, ID_BYTES_MAX, OpenError, RECORD_BYTES_MAX, RowKind, Store, StoreError};
use store_support::{Records, open, raw, read_all, scratch, staged, write};

fn reopened(store: Store) -> Store {
    let data = store.path().to_path_buf();
    store.close().unwrap();
    open(&data).unwrap()
}

fn record(kind: RowKind, id: &str, value: Vec<u8>) -> ((String, RowKind, Vec<u8>), Vec<u8>) {
    (("m".to_owned(), kind, id.as_bytes().to_vec()), value)
}

#[test]
fn records_of_any_length_are_read_back() {
    let dir = scratch();
    let mut store = open(dir.path()).unwrap();
    let lengths = [0, 1, 2_559, 2_560, 2_561, 5_120, 50_000, RECORD_BYTES_MAX, 2, 0, 10_000];
    for (generation, length) in (1..).zip(lengths) {
        let value: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        write(&store, generation, RowKind::Rule, "r", Some(&value));
        write(&store, generation, RowKind::Product, "p", Some(b"beside it"));
        let expected = Records::from([
            record(RowKind::Rule, "r", value),
            record(RowKind::Product, "p", b"beside it".to_vec()),
        ]);
        assert_eq!(read_all(&store).unwrap(), expected, "{length}");
        store = reopened(store);
        assert_eq!(read_all(&store).unwrap(), expected, "{length}, reopened");
    }
    write(&store, 99, RowKind::Rule, "r", None);
    write(&store, 99, RowKind::Rule, "never there", None);
    let expected = Records::from([record(RowKind::Product, "p", b"beside it".to_vec())]);
    assert_eq!(read_all(&reopened(store)).unwrap(), expected);
}

#[test]
fn ids_that_start_with_each_other_keep_apart() {
    let dir = scratch();
    let store = open(dir.path()).unwrap();
    let ids: [&[u8]; 7] = [b"a", b"a\0", b"a\0\0", b"a\0\0\0", b"\xff", b"\xff\xff", &[b'z'; ID_BYTES_MAX]];
    let mut batch = Batch::default();
    for merchant in ["m", "mm", "n"] {
        for (id, length) in ids.into_iter().zip([9_000, 1, 4_000, 0, 8_000, 5, 90_000]) {
            batch.merchant(merchant, 1).put(RowKind::Product, id, Bytes::from(vec![id.len() as u8; length]));
        }
    }
    store.commit(batch).unwrap();
    let records = read_all(&reopened(store)).unwrap();
    assert_eq!(records.len(), 21);
    assert!(
        records.iter().all(|((_, _, id), value)| value.iter().all(|byte| usize::from(*byte) == id.len()))
    );
}

#[test]
fn a_batch_over_a_bound_is_refused_and_changes_nothing() {
    let dir = scratch();
    let store = open(dir.path()).unwrap();
    write(&store, 5, RowKind::Product, "p", Some(b"kept"));
    let before = read_all(&store).unwrap();
    type Case = (&'static str, fn(&mut Batch), fn(&StoreError) -> bool);
    let cases: [Case; 6] = [
        (
            "a record too large",
            |batch| {
                batch.merchant("m", 6).put(RowKind::Rule, b"r", vec![0; RECORD_BYTES_MAX + 1].into());
            },
            |fault| matches!(fault, StoreError::RecordTooLarge { .. }),
        ),
        (
            "an empty id",
            |batch| batch.merchant("m", 6).put(RowKind::Rule, b"", Bytes::new()),
            |fault| matches!(fault, StoreError::BadId { bytes: 0, .. }),
        ),
        (
            "a long id",
            |batch| batch.merchant("m", 6).delete(RowKind::Rule, &[1; ID_BYTES_MAX + 1]),
            |fault| matches!(fault, StoreError::BadId { .. }),
        ),
        (
            "an empty merchant",
            |batch| batch.merchant("", 6).delete(RowKind::Rule, b"r"),
            |fault| matches!(fault, StoreError::BadId { .. }),
        ),
        (
            "an earlier generation",
            |batch| batch.merchant("m", 4).delete(RowKind::Product, b"p"),
            |fault| matches!(fault, StoreError::StaleGeneration { current: 5, given: 4, .. }),
        ),
        (
            "too many rows",
            |batch| {
                for id in 0..20_001u32 {
                    batch.merchant("m", 6).put(RowKind::Product, &id.to_be_bytes(), Bytes::new());
                }
            },
            |fault| matches!(fault, StoreError::BatchTooLarge { .. }),
        ),
    ];
    for (name, fill, expected) in cases {
        let mut batch = Batch::default();
        batch.merchant("a", 1).put(
            RowKind::Product,
            b"p",
            Bytes::from_static(b"sound, but in the same batch"),
        );
        fill(&mut batch);
        let fault = store.commit(batch).unwrap_err();
        assert!(expected(&fault), "{name}: {fault}");
        assert_eq!(read_all(&store).unwrap(), before, "{name}");
    }
    let foreign = staged(&store, "other", RowKind::Product, &[]);
    let mut batch = Batch::default();
    batch.merchant("m", 6).flip(foreign);
    assert!(matches!(store.commit(batch), Err(StoreError::Misplaced { .. })));
    write(&store, 6, RowKind::Product, "p", Some(b"and it goes on"));
    assert_ne!(read_all(&reopened(store)).unwrap(), before);
}

#[test]
fn a_store_is_open_once() {
    let dir = scratch();
    let store = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Locked { .. })));
    write(&store, 1, RowKind::Product, "p", Some(b"unharmed by the attempt"));
    drop(store);
    assert_eq!(read_all(&open(dir.path()).unwrap()).unwrap().len(), 1);
}

#[test]
fn a_store_of_a_later_format_is_refused_and_left_alone() {
    let dir = scratch();
    open(dir.path()).unwrap().close().unwrap();
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    let tip = dir.path().join("tip");
    let mut bytes = std::fs::read(&tip).unwrap();
    bytes[8..12].copy_from_slice(&2u32.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..12]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&tip, &bytes).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Newer { found: 2, known: 1 })));
    assert_eq!(std::fs::read(&tip).unwrap(), bytes);
}

#[test]
fn a_snapshot_left_half_written_by_a_kill_is_removed() {
    let dir = scratch();
    let store = open(dir.path()).unwrap();
    write(&store, 1, RowKind::Product, "p", Some(b"kept"));
    drop(store);
    let left = dir.path().join("store/0/snap.7FFFFFFFFFFFFFFF.generating");
    std::fs::write(&left, b"half").unwrap();
    let store = open(dir.path()).unwrap();
    assert!(!left.exists());
    assert_eq!(read_all(&store).unwrap().len(), 1);
}

#[test]
fn a_store_cut_short_while_being_made_is_made_again() {
    let dir = scratch();
    drop(open(dir.path()).unwrap());
    std::fs::write(dir.path().join("store/0/conf"), b"half of a configuration").unwrap();
    std::fs::remove_file(dir.path().join("store/0/db")).unwrap();
    let store = open(dir.path()).unwrap();
    write(&store, 1, RowKind::Product, "p", Some(b"kept"));
    drop(store);
    assert_eq!(read_all(&open(dir.path()).unwrap()).unwrap().len(), 1);
}

/// Makes a data directory in which products 0..n were replaced by others, as far as `until` says.
fn interrupted_replacement(data: &Path, flipped: Option<u64>) -> Store {
    let store = open(data).unwrap();
    write(&store, 1, RowKind::Product, "old", Some(b"old"));
    let records: Vec<_> = (0..9_000u32).map(|id| (id.to_be_bytes().to_vec(), b"new".to_vec())).collect();
    let new = staged(&store, "m", RowKind::Product, &records);
    let first = staged(&store, "first", RowKind::Rule, &records[..10]);
    drop(first);
    if let Some(generation) = flipped {
        let mut batch = Batch::default();
        batch.merchant("m", generation).flip(new);
        store.commit(batch).unwrap();
    } else {
        // Durable, so that it is there to be collected.
        write(&store, 1, RowKind::Policy, "default", Some(b"any"));
    }
    store
}

#[test]
fn a_replacement_that_was_never_flipped_is_collected() {
    let dir = scratch();
    drop(interrupted_replacement(dir.path(), None));
    let store = open(dir.path()).unwrap();
    assert_eq!(store.merchants().len(), 1);
    let expected = [
        record(RowKind::Product, "old", b"old".to_vec()),
        record(RowKind::Policy, "default", b"any".to_vec()),
    ];
    assert_eq!(read_all(&store).unwrap(), Records::from(expected));
    assert_eq!(store.sweep().unwrap(), 0);
    drop(store);
    assert_eq!(raw(dir.path()).len(), 4, "two records, a head and the head of heads");
}

#[test]
fn a_flipped_replacement_is_whole_and_what_it_replaced_is_collected() {
    let dir = scratch();
    let store = interrupted_replacement(dir.path(), Some(2));
    assert_eq!(read_all(&store).unwrap().len(), 9_000);
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(read_all(&store).unwrap().len(), 9_000);
    drop(store);
    assert_eq!(raw(dir.path()).len(), 9_002);
}

#[test]
fn sweeping_frees_in_steps_what_was_replaced_or_discarded() {
    let dir = scratch();
    let store = interrupted_replacement(dir.path(), Some(2));
    let records: Vec<_> = (0..5_000u32).map(|id| (id.to_be_bytes().to_vec(), b"newer".to_vec())).collect();
    store.discard(staged(&store, "m", RowKind::Product, &records));
    let mut batch = Batch::default();
    let overtaken = staged(&store, "m", RowKind::Product, &records[..7]);
    let part = batch.merchant("m", 3);
    part.flip(overtaken);
    part.put(RowKind::Product, b"dropped by the flip", Bytes::new());
    part.flip(staged(&store, "m", RowKind::Product, &records[..20]));
    part.put(RowKind::Product, b"on top of the flip", Bytes::new());
    part.delete(RowKind::Product, &records[0].0);
    store.commit(batch).unwrap();
    assert_eq!(read_all(&store).unwrap().len(), 20);
    let mut steps = Vec::new();
    while let swept @ 1.. = store.sweep().unwrap() {
        steps.push(swept);
        assert_eq!(read_all(&store).unwrap().len(), 20);
    }
    assert_eq!(steps.iter().sum::<usize>(), 1 + 9_000 + 5_000 + 7);
    assert!(steps.iter().all(|step| *step <= 4_000), "{steps:?}");
    assert_eq!(read_all(&reopened(store)).unwrap().len(), 20);
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(u8, u8, u8, Option<usize>)>),
    Replace { merchant: u8, kind: u8, records: Vec<(u8, usize)>, then: Option<(u8, usize)> },
    Abandon { merchant: u8, kind: u8, records: Vec<(u8, usize)> },
    Sweep,
    Close,
    Crash,
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..60usize, 1 => 2_500..2_700usize, 1 => 7_000..20_000usize]
}

fn step() -> impl Strategy<Value = Step> {
    let write = (0..3u8, 0..4u8, 0..6u8, proptest::option::weighted(0.7, length()));
    let records = || proptest::collection::vec((0..9u8, length()), 0..6);
    prop_oneof![
        6 => proptest::collection::vec(write, 0..8).prop_map(Step::Commit),
        2 => (0..3u8, 0..4u8, records(), proptest::option::of((0..9u8, length())))
            .prop_map(|(merchant, kind, records, then)| Step::Replace { merchant, kind, records, then }),
        1 => (0..3u8, 0..4u8, records()).prop_map(|(merchant, kind, records)| Step::Abandon { merchant, kind, records }),
        1 => Just(Step::Sweep),
        1 => Just(Step::Close),
        1 => Just(Step::Crash),
    ]
}

/// The store beside the map that it should equal.
struct World {
    store: Option<Store>,
    model: Records,
    generation: u64,
}

impl World {
    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn value(&self, length: usize) -> Vec<u8> {
        vec![self.generation as u8; length]
    }

    fn stage(&self, merchant: u8, kind: u8, records: &[(u8, usize)]) -> sidecart_server::store::Staged {
        let records: Vec<_> =
            records.iter().map(|(id, length)| (vec![*id + 1], self.value(*length))).collect();
        staged(self.store(), &name(merchant), RowKind::ALL[usize::from(kind)], &records)
    }

    fn put(&mut self, merchant: u8, kind: u8, id: u8, length: Option<usize>) {
        let key = (name(merchant), RowKind::ALL[usize::from(kind)], vec![id + 1]);
        match length {
            Some(length) => self.model.insert(key, self.value(length)),
            None => self.model.remove(&key),
        };
    }

    fn take(&mut self, step: Step) {
        self.generation += 1;
        let mut batch = Batch::default();
        match step {
            Step::Commit(writes) => {
                for (merchant, kind, id, length) in writes {
                    let part = batch.merchant(&name(merchant), self.generation);
                    let kind_of = RowKind::ALL[usize::from(kind)];
                    match length {
                        Some(length) => part.put(kind_of, &[id + 1], self.value(length).into()),
                        None => part.delete(kind_of, &[id + 1]),
                    }
                    self.put(merchant, kind, id, length);
                }
                self.store().commit(batch).unwrap();
            }
            Step::Replace { merchant, kind, records, then } => {
                let kind_of = RowKind::ALL[usize::from(kind)];
                let part = batch.merchant(&name(merchant), self.generation);
                part.flip(self.stage(merchant, kind, &records));
                if let Some((id, length)) = then {
                    part.put(kind_of, &[id + 1], self.value(length).into());
                }
                self.store().commit(batch).unwrap();
                self.model.retain(|(other, kind, _), _| (other, *kind) != (&name(merchant), kind_of));
                for (id, length) in records.into_iter().chain(then) {
                    self.put(merchant, kind, id, Some(length));
                }
            }
            Step::Abandon { merchant, kind, records } => drop(self.stage(merchant, kind, &records)),
            Step::Sweep => drop(self.store().sweep().unwrap()),
            Step::Close => self.store = self.store.take().map(reopened),
            Step::Crash => {
                let data = self.store().path().to_path_buf();
                self.store = None;
                self.store = Some(open(&data).unwrap());
            }
        }
    }
}

fn name(merchant: u8) -> String {
    format!("merchant-{merchant}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_reads_back_as_the_map_it_describes(steps in proptest::collection::vec(step(), 1..25)) {
        let dir = scratch();
        let store = Some(open(dir.path()).unwrap());
        let mut world = World { store, model: Records::new(), generation: 0 };
        for step in steps {
            world.take(step);
            prop_assert_eq!(&read_all(world.store()).unwrap(), &world.model);
        }
        world.take(Step::Crash);
        prop_assert_eq!(&read_all(world.store()).unwrap(), &world.model);
    }
}
