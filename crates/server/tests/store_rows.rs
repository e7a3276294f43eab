//! Under the store: rows lost, doubled or put back are detected, and a full disk is survived.

#![expect(clippy::disallowed_types, reason = "looks under the store")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod store_support;

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use sidecart_server::store::{Batch, RowKind, Store, StoreError};
use store_support::{Image, Records, open, raw, read_all, scratch, write};

/// What came of changing rows of an unsealed store under its back.
fn tampered(data: &Path, image: &Image, tamper: impl FnOnce(&sled::Db)) -> Result<Records, String> {
    image.restore(data);
    let db = raw(data);
    tamper(&db);
    db.flush().unwrap();
    drop(db);
    let store = open(data).map_err(|fault| fault.to_string())?;
    read_all(&store).map_err(|fault| fault.to_string())
}

fn three_records(store: &Store, generation: u64, value: &[u8]) {
    write(store, generation, RowKind::Product, "p1", Some(value));
    write(store, generation, RowKind::Product, "p2", Some(value));
    write(store, generation, RowKind::Rule, "r1", Some(&value.repeat(700)));
}

#[test]
fn a_row_removed_doubled_or_put_back_is_detected() {
    let dir = scratch();
    let data = dir.path().join("data");
    let store = open(&data).unwrap();
    three_records(&store, 1, b"before");
    drop(store);
    let early: Vec<_> = raw(&data).iter().map(Result::unwrap).collect();
    let store = open(&data).unwrap();
    three_records(&store, 2, b"after.");
    drop(store);
    let late: Vec<_> = raw(&data).iter().map(Result::unwrap).collect();
    assert_eq!((early.len(), late.len()), (6, 6), "four parts and two heads");
    let image = Image::of(&data);
    tampered(&data, &image, |_| {}).unwrap();
    for (key, value) in &late {
        tampered(&data, &image, |db| drop(db.remove(key).unwrap())).unwrap_err();
        let mut other = key.to_vec();
        let last = other.len() - 3;
        other[last] ^= 1;
        tampered(&data, &image, |db| drop(db.insert(other, value.clone()).unwrap())).unwrap_err();
        for (_, foreign) in late.iter().filter(|(other, _)| other != key) {
            tampered(&data, &image, |db| drop(db.insert(key, foreign.clone()).unwrap())).unwrap_err();
        }
    }
    for (key, stale) in early {
        tampered(&data, &image, |db| drop(db.insert(key, stale).unwrap())).unwrap_err();
    }
}

#[test]
fn damage_in_one_merchant_is_named_and_leaves_others_readable() {
    let dir = scratch();
    let store = open(dir.path()).unwrap();
    for merchant in ["a", "b"] {
        let mut batch = Batch::default();
        batch.merchant(merchant, 1).put(RowKind::Product, b"p1", Bytes::from_static(b"x"));
        store.commit(batch).unwrap();
    }
    drop(store);
    let db = raw(dir.path());
    let (key, value) = db.iter().map(Result::unwrap).find(|(key, _)| key.ends_with(b"p1\0\0")).unwrap();
    let mut flipped = value.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    db.insert(key, flipped).unwrap();
    db.flush().unwrap();
    drop(db);
    let store = open(dir.path()).unwrap();
    let fault = store.load("a", |_| {}).unwrap_err();
    assert_eq!(fault.to_string(), "merchant `a`: product `p1`: checksum does not match");
    assert_eq!(store.load("b", |_| {}).unwrap(), 1);
    let mut batch = Batch::default();
    batch.merchant("b", 2).put(RowKind::Product, b"p2", Bytes::from_static(b"y"));
    store.commit(batch).unwrap();
}

const BATCH: u64 = 100;

/// What a child process of the next test does: writes until the system refuses, then checks what that left.
#[test]
fn child_fills_the_disk() {
    let Some(data) = std::env::var_os("STORE_TEST_FULL_DISK") else { return };
    let data = Path::new(&data);
    let store = open(data).unwrap();
    let mut acknowledged = 0;
    let fault = (1..1_000u64).find_map(|generation| {
        let mut batch = Batch::default();
        let part = batch.merchant("m", generation);
        for id in 0..BATCH {
            let id = generation * BATCH + id;
            part.put(RowKind::Product, &id.to_be_bytes(), Bytes::from(generation.to_be_bytes().repeat(100)));
        }
        let fault = store.commit(batch).err();
        acknowledged = generation - u64::from(fault.is_some());
        fault
    });
    assert!(matches!(fault, Some(StoreError::Io { .. } | StoreError::Lost { .. })), "{fault:?}");
    assert!(acknowledged > 5, "{acknowledged}");
    let mut batch = Batch::default();
    batch.merchant("m", acknowledged + 9).put(RowKind::Product, b"p", Bytes::new());
    assert!(matches!(store.commit(batch), Err(StoreError::Lost { .. })));
    assert!(matches!(store.load("m", |_| {}), Err(StoreError::Lost { .. })));
    assert!(matches!(store.close(), Err(StoreError::Lost { .. })));
    std::fs::write(data.join("acknowledged"), acknowledged.to_string()).unwrap();
}

/// A file-size limit stands for a full disk: the same error on the same call, and no root needed.
#[test]
fn a_refused_write_is_an_error_and_what_was_acknowledged_stays() {
    let dir = scratch();
    let script = "trap '' XFSZ; ulimit -f 8192; exec \"$0\" --exact child_fills_the_disk";
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env("STORE_TEST_FULL_DISK", dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let acknowledged: u64 =
        std::fs::read_to_string(dir.path().join("acknowledged")).unwrap().parse().unwrap();
    let store = open(dir.path()).unwrap();
    let records = read_all(&store).unwrap();
    let generation = store.merchants()[0].generation;
    assert_eq!(records.len() as u64, generation * BATCH);
    assert!(generation == acknowledged || generation == acknowledged + 1, "{acknowledged} {generation}");
    write(&store, generation + 1, RowKind::Product, "p", Some(b"and it goes on"));
}
