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

#[test]
fn a_thousand_rewriting_commits_leave_no_blob_and_a_bounded_disk() {
    for rule_bytes in [200, 60_000] {
        let dir = scratch();
        let store = open(dir.path()).unwrap();
        let live = RECORDS * RECORD_BYTES as u64 + rule_bytes as u64;
        rewrite(&store, 1, 0..RECORDS, rule_bytes);
        let (mut compactions, mut most) = (0, 0);
        for generation in 2..=1_000 {
            // Neighbours, far from those of the generation before.
            let first = generation * 1_777;
            rewrite(&store, generation, first..first + 20, rule_bytes);
            compactions += u64::from(store.compact_if_worn().unwrap() > 0);
            most = most.max(store.size_on_disk().unwrap());
        }
        let times = |bytes: u64| bytes as f64 / live as f64;
        let last = store.size_on_disk().unwrap();
        println!(
            "rule of {rule_bytes} bytes: {:.2} x live at most, {:.2} x in the end, {compactions} compactions",
            times(most),
            times(last)
        );
        assert!(most <= 4 * live, "{most} bytes for {live} live");
        assert_eq!(store.blob_count().unwrap(), 0);
        assert_eq!(read_all(&store).unwrap().len() as u64, RECORDS + 1);
    }
}

/// A store worn enough to be written anew: most of what it held is gone.
fn worn(data: &Path) -> (Store, Records) {
    let store = open(data).unwrap();
    rewrite(&store, 1, 0..100, 60_000);
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

#[test]
fn compaction_waits_for_what_is_being_staged_and_keeps_what_is_committed() {
    let dir = scratch();
    let (store, mut records) = worn(dir.path());
    let staged = store_support::staged(&store, "m", RowKind::Policy, &[(b"p".to_vec(), b"staged".to_vec())]);
    assert_eq!(store.compact_if_worn().unwrap(), 0);
    assert_eq!(read_all(&store).unwrap(), records);
    let mut batch = Batch::default();
    batch.merchant("m", 5_000).flip(staged);
    store.commit(batch).unwrap();
    assert!(store.compact_if_worn().unwrap() > 0);
    assert_eq!(store.compact_if_worn().unwrap(), 0);
    records.insert(("m".to_owned(), RowKind::Policy, b"p".to_vec()), b"staged".to_vec());
    assert_eq!(read_all(&store).unwrap(), records);
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(read_all(&store).unwrap(), records);
    store.close().unwrap();
    assert_eq!(read_all(&open(dir.path()).unwrap()).unwrap(), records);
}

#[test]
fn a_compaction_cut_short_anywhere_loses_nothing() {
    let dir = scratch();
    let data = dir.path().join("data");
    let (store, records) = worn(&data);
    drop(store);
    let image = Image::of(&data);
    let copy = |to: &str| {
        fs::create_dir_all(data.join(to)).unwrap();
        for (path, bytes) in image.files().iter().filter(|(path, _)| path.starts_with("store")) {
            fs::write(data.join(to).join(path.file_name().unwrap()), bytes).unwrap();
        }
    };
    type Case<'a> = (&'a str, &'a dyn Fn());
    let cases: [Case<'_>; 4] = [
        ("while copying", &|| {
            copy("store.new");
            fs::write(data.join("store.new/db"), b"half").unwrap();
        }),
        ("before the old one moved", &|| copy("store.new")),
        ("between the moves", &|| {
            copy("store.new");
            fs::rename(data.join("store"), data.join("store.old")).unwrap();
        }),
        ("before the old one was removed", &|| {
            copy("store.old");
            fs::remove_file(data.join("store.old/conf")).unwrap();
        }),
    ];
    for (name, cut) in cases {
        image.restore(&data);
        cut();
        let store = open(&data).unwrap();
        assert_eq!(read_all(&store).unwrap(), records, "{name}");
        write(&store, 5_000, RowKind::Product, "p", Some(b"and it goes on"));
        assert!(!data.join("store.new").exists() && !data.join("store.old").exists(), "{name}");
    }
}
