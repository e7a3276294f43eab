//! The disk stays in proportion to what is live, and writing it anew loses nothing wherever it is cut short.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod store_support;

use std::fs;
use std::path::Path;

use bytes::Bytes;
use sidecart_server::store::{Batch, RowKind, Store};
use store_support::{Image, Records, open, read_all, scratch, write};

const RECORDS: u64 = 4_500;
const RECORD_BYTES: usize = 900;

/// Rewrites some products, and one large rule each time, which is what wears the engine most.
fn rewrite(store: &Store, generation: u64, ids: std::ops::Range<u64>, rule_bytes: usize) {
    let mut batch = Batch::default();
    let part = batch.merchant("m", generation);
    for id in ids {
        let value = Bytes::from(vec![generation as u8; RECORD_BYTES]);
        part.put(RowKind::Product, &(id % RECORDS).to_be_bytes(), value);
    }
    part.put(RowKind::Rule, b"r", vec![generation as u8; rule_bytes].into());
    store.commit(batch).unwrap();
}

/// Writes the store anew if it is worn, calling `between` after each step, and says whether it was.
fn compact(store: &Store, mut between: impl FnMut(&Store)) -> bool {
    let mut is_worn = false;
    while store.compact_step().unwrap() {
        is_worn = true;
        between(store);
    }
    is_worn
}

#[test]
fn a_thousand_rewriting_commits_leave_no_blob_and_a_bounded_disk() {
    for rule_bytes in [200, 60_000] {
        let dir = scratch();
        let store = open(dir.path()).unwrap();
        let live = RECORDS * RECORD_BYTES as u64 + rule_bytes as u64;
        rewrite(&store, 1, 0..RECORDS, rule_bytes);
        let (mut compactions, mut most, mut copying) = (0, 0, 0);
        for generation in 2..=1_000 {
            // Neighbours, far from those of the generation before.
            let first = generation * 1_777;
            rewrite(&store, generation, first..first + 20, rule_bytes);
            let with_copy = |store: &Store| copying = copying.max(store.size_on_disk().unwrap());
            compactions += u64::from(compact(&store, with_copy));
            most = most.max(store.size_on_disk().unwrap());
        }
        let times = |bytes: u64| bytes as f64 / live as f64;
        let last = store.size_on_disk().unwrap();
        println!(
            "rule of {rule_bytes} bytes: {:.2} x live at most, {:.2} x with the copy, {:.2} x in the end, {compactions} compactions",
            times(most),
            times(copying),
            times(last)
        );
        assert!(most <= live * 7 / 2, "{most} bytes for {live} live");
        assert!(copying <= 7 * live, "{copying} bytes for {live} live, with the copy");
        assert_eq!(store.blob_count().unwrap(), 0);
        assert_eq!(read_all(&store).unwrap().len() as u64, RECORDS + 1);
    }
}

/// A store worn enough to be written anew: most of what it held is gone.
fn worn(data: &Path) -> (Store, Records) {
    let store = open(data).unwrap();
    rewrite(&store, 1, 0..RECORDS, 60_000);
    let ids: Vec<_> = (0..200u64).map(u64::to_be_bytes).collect();
    for (generation, id) in (2..).zip(&ids) {
        let mut batch = Batch::default();
        batch.merchant("m", generation).put(RowKind::Rule, id, vec![7; 60_000].into());
        store.commit(batch).unwrap();
    }
    let mut batch = Batch::default();
    let part = batch.merchant("m", 1_000);
    ids.iter().for_each(|id| part.delete(RowKind::Rule, id));
    store.commit(batch).unwrap();
    assert!(store.size_on_disk().unwrap() > 4 * store.live_bytes() + 2 * 1024 * 1024);
    let records = read_all(&store).unwrap();
    (store, records)
}

/// The store holds this, also after a crash and after a clean close.
fn check_kept(store: Store, data: &Path, records: &Records) {
    assert_eq!(&read_all(&store).unwrap(), records);
    drop(store);
    let store = open(data).unwrap();
    assert_eq!(&read_all(&store).unwrap(), records);
    store.close().unwrap();
    assert_eq!(&read_all(&open(data).unwrap()).unwrap(), records);
}

#[test]
fn compaction_waits_for_what_is_being_staged_and_keeps_what_is_committed() {
    let dir = scratch();
    let (store, mut records) = worn(dir.path());
    let staged = store_support::staged(&store, "m", RowKind::Policy, &[(b"p".to_vec(), b"staged".to_vec())]);
    assert!(!store.compact_step().unwrap());
    assert_eq!(read_all(&store).unwrap(), records);
    let mut batch = Batch::default();
    batch.merchant("m", 5_000).flip(staged);
    store.commit(batch).unwrap();
    let before = store.size_on_disk().unwrap();
    assert!(compact(&store, |_| {}));
    assert!(store.size_on_disk().unwrap() < before / 2);
    assert!(!store.compact_step().unwrap());
    records.insert(("m".to_owned(), RowKind::Policy, b"p".to_vec()), b"staged".to_vec());
    check_kept(store, dir.path(), &records);
}

#[test]
fn what_is_written_while_a_store_is_copied_is_in_the_copy() {
    let dir = scratch();
    let (store, mut records) = worn(dir.path());
    let key = |number: u64| ("m".to_owned(), RowKind::Product, number.to_be_bytes().to_vec());
    let (mut staged, mut step) = (None, 0);
    assert!(compact(&store, |store| {
        step += 1;
        // One of those already copied, one of those to come, one that is new, one that goes.
        let mut batch = Batch::default();
        let part = batch.merchant("m", 1_000 + step);
        for number in [step, RECORDS - step, RECORDS + step] {
            part.put(RowKind::Product, &number.to_be_bytes(), Bytes::from(step.to_be_bytes().to_vec()));
            records.insert(key(number), step.to_be_bytes().to_vec());
        }
        part.delete(RowKind::Product, &(100 + step).to_be_bytes());
        records.remove(&key(100 + step));
        match step {
            2 => staged = Some(store_support::staged(store, "m", RowKind::Policy, &[(vec![1], vec![2])])),
            4 => part.flip(staged.take().unwrap()),
            _ => {}
        }
        store.commit(batch).unwrap();
        store.sweep().unwrap();
    }));
    assert!(step > 5, "{step}");
    records.insert(("m".to_owned(), RowKind::Policy, vec![1]), vec![2]);
    check_kept(store, dir.path(), &records);
}

#[test]
fn a_copy_cut_short_anywhere_loses_nothing() {
    let dir = scratch();
    let data = dir.path().join("data");
    let (store, records) = worn(&data);
    // What the disk holds at moments of the copy: each as a process killed then would leave it.
    let mut images = Vec::new();
    assert!(compact(&store, |_| images.push(Image::of(&data))));
    let switched = Image::of(&data);
    drop(store);
    let old = images[0].files().iter().filter(|(path, _)| path.starts_with("store/0"));
    images.push(switched.with(old.cloned()));
    images.push(switched);
    for (number, image) in images.iter().enumerate() {
        image.restore(&data);
        let store = open(&data).unwrap();
        assert_eq!(read_all(&store).unwrap(), records, "moment {number}");
        write(&store, 5_000, RowKind::Product, "p", Some(b"and it goes on"));
        assert_eq!(fs::read_dir(data.join("store")).unwrap().count(), 1, "moment {number}");
    }
}

#[test]
fn a_store_closed_while_it_is_copied_is_sealed_without_the_copy() {
    let dir = scratch();
    let (store, records) = worn(dir.path());
    assert!(store.compact_step().unwrap());
    assert_eq!(fs::read_dir(dir.path().join("store")).unwrap().count(), 2);
    store.close().unwrap();
    assert_eq!(fs::read_dir(dir.path().join("store")).unwrap().count(), 1);
    assert_eq!(read_all(&open(dir.path()).unwrap()).unwrap(), records);
}
