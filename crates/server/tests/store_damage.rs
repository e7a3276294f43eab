//! Damage to a store is detected and named, and never read as something else.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod store_support;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sidecart_server::store::{
    Batch, OpenError, RowKind, Store, StoreError, StoreOptions, finish_rebuild, is_absent, rebuild,
};
use store_support::{Image, Records, open, read_all, scratch, write};

/// A flip of one bit of a byte.
type Flip<'a> = (&'a PathBuf, &'a [u8], usize);

/// Two merchants, all kinds, a split record, an overwritten and a deleted one, in a few generations.
fn small_store(data: &Path) -> (Store, Records) {
    let store = open(data).unwrap();
    write(&store, 1, RowKind::Product, "lens", Some(b"a lens"));
    write(&store, 2, RowKind::Product, "body", Some(b"a camera"));
    write(&store, 3, RowKind::Product, "lens", Some(b"a better lens"));
    let mut batch = Batch::default();
    let part = batch.merchant("m", 4);
    part.put(RowKind::Rule, b"r1", Bytes::from(vec![7; 2_600]));
    part.put(RowKind::Policy, b"default", Bytes::from_static(b"at most three"));
    part.delete(RowKind::Product, b"body");
    batch.merchant("n", 1).put(RowKind::Request, b"q", Bytes::new());
    store.commit(batch).unwrap();
    let records = read_all(&store).unwrap();
    assert_eq!(records.len(), 4);
    (store, records)
}

/// About 1 MB of records, rewritten until the log has several segments, and a tail after a reopening.
fn worn_store(data: &Path) -> (Store, Records) {
    let mut store = open(data).unwrap();
    for generation in 1..=60u64 {
        if generation == 50 {
            drop(store);
            store = open(data).unwrap();
        }
        let mut batch = Batch::default();
        let part = batch.merchant("m", generation);
        for number in 0..100 {
            let id = (generation % 8 * 100 + number).to_be_bytes();
            part.put(RowKind::Product, &id, Bytes::from(vec![generation as u8; 900]));
        }
        store.commit(batch).unwrap();
    }
    let records = read_all(&store).unwrap();
    (store, records)
}

/// What came of opening and reading a store. Faults must be those of a damaged store.
fn outcome(data: &Path) -> Result<Records, String> {
    let store = open(data).map_err(|fault| {
        assert!(!matches!(fault, OpenError::Newer { .. } | OpenError::Locked { .. }), "{fault}");
        fault.to_string()
    })?;
    read_all(&store).map_err(|fault| {
        assert!(matches!(fault, StoreError::Damaged(_) | StoreError::Lost { .. }), "{fault}");
        fault.to_string()
    })
}

/// Flips one byte at a time, and returns how many flips were noticed.
fn check_flips<'a>(
    data: &Path,
    image: &Image,
    records: &Records,
    flips: impl Iterator<Item = Flip<'a>>,
) -> usize {
    let mut noticed = 0;
    for (path, bytes, at) in flips {
        image.restore(data);
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        fs::write(data.join(path), &flipped).unwrap();
        match outcome(data) {
            Ok(found) => assert_eq!(&found, records, "wrong data after a flip in {path:?} at {at}"),
            Err(_) => noticed += 1,
        }
    }
    noticed
}

fn flips_by<'a>(
    image: &'a Image,
    step: impl Fn(&Path, usize) -> bool + Copy,
) -> impl Iterator<Item = Flip<'a>> {
    image.files().iter().flat_map(move |(path, bytes)| {
        (0..bytes.len()).filter(move |at| step(path, *at)).map(move |at| (path, bytes.as_slice(), at))
    })
}

#[test]
fn every_flipped_byte_of_a_sealed_store_is_detected_and_its_file_named() {
    let dir = scratch();
    let data = dir.path().join("data");
    small_store(&data).0.close().unwrap();
    let image = Image::of(&data);
    assert!(image.files().iter().any(|(path, _)| path.ends_with("seal")));
    for (path, bytes) in image.files() {
        let file = data.join(path);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&file, &flipped).unwrap();
            match open(&data).map(drop).unwrap_err() {
                OpenError::Damaged { file, .. } => assert_eq!(*file, *path.to_string_lossy(), "at {at}"),
                fault => panic!("{path:?} {at}: {fault}"),
            }
        }
        fs::write(&file, bytes).unwrap();
    }
    open(&data).unwrap();
}

/// Every byte, but for the padding of `tip`, of which every 64th.
#[test]
fn every_flipped_byte_of_an_unsealed_store_is_detected_or_harmless() {
    let dir = scratch();
    let data = dir.path().join("data");
    let (store, records) = small_store(&data);
    drop(store);
    let image = Image::of(&data);
    let flips = flips_by(&image, |path, at| !path.ends_with("tip") || at % 4_096 < 32 || at % 64 == 0);
    let noticed = check_flips(&data, &image, &records, flips);
    assert!(noticed > 4_000, "{noticed}");
}

/// Strides over the data file, whose second half is empty; every byte of what the engine adds on reopening.
#[test]
fn flips_after_reopening_are_detected_or_harmless() {
    let dir = scratch();
    let data = dir.path().join("data");
    small_store(&data).0.close().unwrap();
    let store = open(&data).unwrap();
    write(&store, 5, RowKind::Product, "bag", Some(b"a bag"));
    let records = read_all(&store).unwrap();
    drop(store);
    let image = Image::of(&data);
    let snapshot = |path: &Path| path.to_string_lossy().contains("snap.");
    assert!(image.files().iter().any(|(path, _)| snapshot(path)));
    let flips =
        flips_by(&image, |path, at| snapshot(path) || at % 1_499 == 0 || (at < 7_000 && at % 13 == 0));
    assert!(check_flips(&data, &image, &records, flips) > 100);
}

#[test]
fn flips_in_a_log_of_many_segments_are_detected_or_harmless() {
    let dir = scratch();
    let data = dir.path().join("data");
    let (store, records) = worn_store(&data);
    drop(store);
    let image = Image::of(&data);
    assert!(fs::metadata(data.join("store/0/db")).unwrap().len() > 2_000_000);
    let flips = flips_by(&image, |path, at| path.ends_with("db") && at % 60_013 == 0);
    let noticed = check_flips(&data, &image, &records, flips);
    assert!(noticed > 10, "{noticed}");
}

/// A flip costs the merchant whose rows it hits, or two that share a page: the others can be read.
#[test]
fn a_flipped_byte_damages_no_other_merchant() {
    const MERCHANTS: usize = 12;
    let dir = scratch();
    let data = dir.path().join("data");
    let names: Vec<String> = (0..MERCHANTS).map(|number| format!("m{number:02}")).collect();
    // From the second opening on, the engine reads most pages only when they are asked for.
    for generation in 1..=2 {
        let store = open(&data).unwrap();
        for name in &names {
            let mut batch = Batch::default();
            let part = batch.merchant(name, generation);
            for number in 0..150u64 {
                if generation == 1 || number < 3 {
                    part.put(
                        RowKind::Product,
                        &number.to_be_bytes(),
                        Bytes::from(vec![generation as u8; 900]),
                    );
                }
            }
            store.commit(batch).unwrap();
        }
    }
    let image = Image::of(&data);
    let (path, bytes) = image.files().iter().find(|(path, _)| path.ends_with("db")).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let mut hits = 0;
    for at in (0..end).step_by(30_011) {
        image.restore(&data);
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(data.join(path), &flipped).unwrap();
        let Ok(store) = open(&data) else { continue };
        let is_damaged = |number: &usize| store.load(&names[*number], |_| {}).is_err();
        let damaged: Vec<usize> = (0..MERCHANTS).filter(is_damaged).collect();
        assert!(damaged.len() <= 2, "{at}: {damaged:?}");
        hits += usize::from(!damaged.is_empty());
    }
    assert!(hits > 10, "{hits}");
}

#[test]
fn a_store_cut_short_is_detected_or_harmless() {
    let dir = scratch();
    let data = dir.path().join("data");
    let (store, records) = small_store(&data);
    drop(store);
    let image = Image::of(&data);
    for (path, bytes) in image.files() {
        for len in (0..bytes.len()).step_by(37) {
            image.restore(&data);
            fs::write(data.join(path), &bytes[..len]).unwrap();
            if let Ok(found) = outcome(&data) {
                assert_eq!(found, records, "wrong data with {path:?} cut to {len}");
            }
        }
    }
}

#[test]
fn a_missing_file_is_detected_or_harmless() {
    let dir = scratch();
    let data = dir.path().join("data");
    let (store, records) = small_store(&data);
    drop(store);
    let unsealed = Image::of(&data);
    open(&data).unwrap().close().unwrap();
    let sealed = Image::of(&data);
    // The engine writes `conf` anew; a seal is missing after every crash.
    for (image, harmless) in [(unsealed, vec!["store/0/conf"]), (sealed, vec!["seal"])] {
        for (path, _) in image.files() {
            image.restore(&data);
            fs::remove_file(data.join(path)).unwrap();
            match outcome(&data) {
                Ok(found) => assert_eq!(found, records, "{path:?}"),
                Err(fault) => assert!(!harmless.iter().any(|name| path.ends_with(name)), "{path:?}: {fault}"),
            }
        }
    }
}

/// Rebuilds a damaged store with one record.
fn rebuilt(data: &Path) -> PathBuf {
    rebuild(data, &StoreOptions::default(), |fresh| {
        let mut batch = Batch::default();
        batch.merchant("m", 9).put(RowKind::Product, b"p", Bytes::from_static(b"saved"));
        fresh.commit(batch)
    })
    .unwrap()
}

#[test]
fn a_damaged_store_is_set_aside_and_a_new_one_made() {
    let dir = scratch();
    let data = dir.path().join("data");
    small_store(&data).0.close().unwrap();
    fs::write(data.join("store/0/db"), b"gone").unwrap();
    open(&data).unwrap_err();
    let aside = rebuilt(&data);
    assert_eq!(fs::read(aside.join("store/0/db")).unwrap(), b"gone");
    assert!(aside.join("tip").exists() && aside.join("seal").exists() && !data.join("rebuilt").exists());
    assert_eq!(outcome(&data).unwrap().len(), 1);
    assert_ne!(rebuilt(&data), aside);
}

/// Wherever a rebuilding is cut short, either the damaged store or the new one is found: never none, never a mixture.
#[test]
fn a_rebuilding_cut_short_anywhere_is_finished_or_dropped() {
    let dir = scratch();
    let data = dir.path().join("data");
    small_store(&data).0.close().unwrap();
    fs::write(data.join("store/0/db"), b"gone").unwrap();
    let damaged = Image::of(&data);
    rebuilt(&data);
    let new = Image::of(&data).without("damaged");
    let pieces = ["store", "tip", "seal"];
    let old_only = |from: usize| damaged.of_these(&pieces[from..]);
    let draft = |from: usize| new.of_these(&pieces[from..]).under("rebuilt");
    let moved = |to: usize| new.of_these(&pieces[..to]);
    let mut moments = vec![("whole, nothing moved", old_only(0).with(draft(0).into_files()), false)];
    for moving in 1..=3 {
        moments.push(("moving aside", old_only(moving).with(draft(0).into_files()), true));
    }
    for moving in 1..=3 {
        moments.push(("moving in", moved(moving).with(draft(moving).into_files()), true));
    }
    let unsealed = old_only(0).with(draft(0).without("rebuilt/seal").into_files());
    moments.push(("not whole", unsealed, false));
    for (number, (name, image, is_new)) in moments.into_iter().enumerate() {
        image.restore(&data);
        finish_rebuild(&data).unwrap();
        assert!(!data.join("rebuilt").exists() && !is_absent(&data), "{number}: {name}");
        match outcome(&data) {
            Ok(found) => assert!(is_new && found.len() == 1, "{number}: {name}"),
            Err(fault) => assert!(!is_new, "{number}: {name}: {fault}"),
        }
    }
}
