//! Damage is named and never served: bytes of the files of a data directory are flipped, one at a time, and a whole
//! server is started on what is left.
//!
//! Every single byte is tried on the store itself, in `crates/server/tests/store_damage.rs`; a server takes longer to
//! start, so here it is every byte that is not zero by a stride, and the zeroes by a wider one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixture;
#[path = "../kill/served.rs"]
#[expect(dead_code, reason = "the kill tests use all of it")]
mod served;

use std::{
    fs,
    path::{Path, PathBuf},
};

use fixture::{Fixture, Holdings, Image, MERCHANTS, held, serve, upsert};
use served::Served;
use sidecart_catalog::MerchantId;
use sidecart_server::{BootError, Config, REPAIR_LEAP, Repair, RunError};
use tonic::Code;

/// Bytes that are not zero, and bytes that are, between two that are flipped.
const STRIDES: (usize, usize) = (127, 30_011);

/// The bytes of the store's own files that are tried: not those of the export files.
fn flips(image: &Image) -> Vec<(PathBuf, usize)> {
    let mut flips = Vec::new();
    for (path, bytes) in image.files().iter().filter(|(path, _)| !path.starts_with("exports")) {
        let some = |at: &usize| at.is_multiple_of(STRIDES.1) || bytes[*at] != 0;
        let mut count = 0;
        flips.extend((0..bytes.len()).filter(some).filter_map(|at| {
            count += 1;
            (bytes[at] == 0 || count % STRIDES.0 == 1).then(|| (path.clone(), at))
        }));
    }
    flips
}

/// What a server serves on damaged files, after it was checked that it refuses to write where it is degraded.
async fn served_from(data: &Path) -> Holdings {
    let (server, client) = serve(Config::new(data)).await;
    let held = held(&client).await;
    for merchant in MERCHANTS {
        if held[merchant].degraded.is_some() {
            assert_eq!(upsert(&client, merchant, 9).await.unwrap_err().code(), Code::FailedPrecondition);
        }
    }
    drop(client);
    server.shut_down().await.unwrap();
    held
}

/// Whether what is served is this, as the last good view.
fn is_last_good(found: &Served, expected: &Served) -> bool {
    let reason = found.degraded.as_deref().unwrap_or_default();
    !reason.is_empty() && (found.generation, &found.state) == (expected.generation, &expected.state)
}

#[tokio::test]
async fn a_flipped_byte_of_a_sealed_store_is_named_and_the_last_good_export_is_served() {
    let fixture = Fixture::new().await;
    let flips = flips(&fixture.sealed);
    println!("{} flips", flips.len());
    assert!(flips.len() > 100);
    for (path, at) in flips {
        let dir = fixture.sealed.damaged(&[(&path, at)]);
        for (merchant, found) in served_from(dir.path()).await {
            let reason = found.degraded.clone().unwrap_or_default();
            assert!(reason.contains(&*path.to_string_lossy()), "{path:?} at {at}: {reason}");
            assert!(is_last_good(&found, &fixture.second[merchant]), "{path:?} at {at}: {found:?}");
        }
    }
}

/// After a kill, what was acknowledged since the last export is served if the damage hits nothing that is needed.
#[tokio::test]
async fn a_flipped_byte_of_an_unsealed_store_is_named_or_harmless() {
    let fixture = Fixture::new().await;
    let (mut harmless, mut named) = (0, 0);
    for (path, at) in flips(&fixture.unsealed) {
        let dir = fixture.unsealed.damaged(&[(&path, at)]);
        for (merchant, found) in served_from(dir.path()).await {
            match found == fixture.third[merchant] {
                true => harmless += 1,
                false => {
                    assert!(is_last_good(&found, &fixture.second[merchant]), "{path:?} at {at}: {found:?}");
                    named += 1;
                }
            }
        }
    }
    println!("{harmless} times harmless for a merchant, {named} times named");
    assert!(harmless > 0 && named > 100);
}

#[tokio::test]
async fn a_damaged_export_is_passed_over_for_the_one_before_it() {
    let fixture = Fixture::new().await;
    let image = &fixture.sealed;
    let newest: Vec<_> = MERCHANTS.iter().map(|merchant| image.exports(merchant)[1]).collect();
    let length = image.files()[newest[0]].len();
    for at in (0..length).step_by(length / 40) {
        let exports: Vec<_> = newest.iter().map(|path| (*path, at)).collect();
        assert_eq!(
            served_from(image.damaged(&exports).path()).await,
            fixture.second,
            "{at}: the store is sound"
        );
        let both = [exports, vec![(Path::new("store/0/db"), 100)]].concat();
        for (merchant, found) in served_from(image.damaged(&both).path()).await {
            assert!(is_last_good(&found, &fixture.first[merchant]), "{at}: {found:?}");
        }
    }
}

#[tokio::test]
async fn without_a_readable_export_nothing_is_served_and_nothing_written_over() {
    let fixture = Fixture::new().await;
    let north = fixture.sealed.exports("north");
    let flips = [(north[0], 200), (north[1], 200), (Path::new("tip"), 3)];
    let found = served_from(fixture.sealed.damaged(&flips).path()).await;
    assert!(is_last_good(&found["south"], &fixture.second["south"]));
    assert!(found["north"].degraded.as_deref().unwrap().contains("there is no readable export"));
    assert_eq!(found["north"].state, served::State::default());
}

#[tokio::test]
async fn a_damaged_store_without_exports_is_not_taken_for_an_empty_one() {
    let fixture = Fixture::new().await;
    let dir = fixture.sealed.damaged(&[(Path::new("tip"), 3)]);
    fs::remove_dir_all(dir.path().join("exports")).unwrap();
    let (server, client) = serve(Config::new(dir.path())).await;
    let asked = sidecart::v1::GetSnapshotRequest { merchant_id: MERCHANTS[0].into(), min_generation: 0 };
    let refused = client.snapshot().get_snapshot(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert!(refused.message().contains("tip is damaged"), "{refused:?}");
    assert_eq!(upsert(&client, MERCHANTS[0], 9).await.unwrap_err().code(), Code::FailedPrecondition);
    drop(client);
    server.shut_down().await.unwrap();
}

#[tokio::test]
async fn exports_without_a_store_are_served_and_repaired_from() {
    let fixture = Fixture::new().await;
    for gone in [&["store"][..], &["store", "tip", "seal"]] {
        let dir = fixture.sealed.damaged(&[]);
        for piece in gone {
            let path = dir.path().join(piece);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        for (merchant, found) in served_from(dir.path()).await {
            assert!(is_last_good(&found, &fixture.second[merchant]), "{gone:?}: {found:?}");
        }
        let repair = Some(Repair::default());
        let (server, client) = serve(Config { repair, ..Config::new(dir.path()) }).await;
        for (merchant, found) in held(&client).await {
            assert_eq!((&found.degraded, &found.state), (&None, &fixture.second[merchant].state), "{gone:?}");
        }
        drop(client);
        server.shut_down().await.unwrap();
    }
}

/// A merchant that nothing is left of is emptied only by who says so, whether its exports are damaged inside or in
/// their headers.
#[tokio::test]
async fn repair_gives_no_merchant_up_unless_told_to() {
    let fixture = Fixture::new().await;
    for at in [200, 5] {
        check_given_up(&fixture, at).await;
    }
}

async fn check_given_up(fixture: &Fixture, at: usize) {
    let north = fixture.sealed.exports("north");
    let dir = fixture.sealed.damaged(&[(north[0], at), (north[1], at), (Path::new("tip"), 3)]);
    let config = |repair| Config { repair: Some(repair), ..Config::new(dir.path()) };
    let refused = sidecart_server::start(config(Repair::default())).await.err().unwrap();
    let lost = MerchantId::new("north").unwrap();
    assert!(
        matches!(&refused, RunError::Boot(BootError::NothingLeft(names)) if *names == [lost.clone()]),
        "{refused}"
    );
    assert!(!dir.path().join("damaged").exists());
    let (server, client) = serve(config(Repair { give_up: vec![lost] })).await;
    let after = held(&client).await;
    assert_eq!((&after["north"].degraded, &after["north"].state), (&None, &served::State::default()));
    assert!(after["north"].generation >= fixture.second["north"].generation + REPAIR_LEAP);
    assert_eq!((&after["south"].degraded, &after["south"].state), (&None, &fixture.second["south"].state));
    drop(client);
    server.shut_down().await.unwrap();
}

#[tokio::test]
async fn repair_refuses_where_there_is_nothing_to_repair() {
    let dir = tempfile::tempdir().unwrap();
    let config = |give_up| Config { repair: Some(Repair { give_up }), ..Config::new(dir.path()) };
    let refused = sidecart_server::start(config(vec![])).await.err().unwrap();
    assert!(matches!(refused, RunError::Boot(BootError::NothingThere(_))), "{refused}");
    let fixture = Fixture::new().await;
    let dir = fixture.sealed.damaged(&[(Path::new("tip"), 3)]);
    let give_up = vec![MerchantId::new("north").unwrap()];
    let config = Config { repair: Some(Repair { give_up }), ..Config::new(dir.path()) };
    let refused = sidecart_server::start(config).await.err().unwrap();
    assert!(matches!(refused, RunError::Boot(BootError::NotLost(_))), "{refused}");
}

#[tokio::test]
async fn repair_restores_the_last_good_exports_and_keeps_the_damaged_store() {
    let fixture = Fixture::new().await;
    let middle =
        fixture.unsealed.files()[Path::new("store/0/db")].iter().rposition(|byte| *byte != 0).unwrap() / 2;
    let cases = [
        (&fixture.sealed, "store/0/db", 5_000),
        (&fixture.sealed, "tip", 0),
        (&fixture.sealed, "seal", 20),
        (&fixture.unsealed, "tip", 0),
        (&fixture.unsealed, "store/0/db", middle),
    ];
    for (image, path, at) in cases {
        let dir = image.damaged(&[(Path::new(path), at)]);
        let damaged = fs::read(dir.path().join(path)).unwrap();
        let before = served_from(dir.path()).await;
        let (server, client) =
            serve(Config { repair: Some(Repair::default()), ..Config::new(dir.path()) }).await;
        let after = held(&client).await;
        for merchant in MERCHANTS {
            let (before, after) = (&before[merchant], &after[merchant]);
            assert_eq!((&after.degraded, &after.state), (&None, &before.state), "{path} at {at}");
            let leap = if before.degraded.is_some() { REPAIR_LEAP } else { 1 };
            assert_eq!(after.generation, before.generation + leap, "{path} at {at}");
            assert_eq!(upsert(&client, merchant, 7).await.unwrap(), after.generation + 1);
        }
        let written = held(&client).await;
        drop(client);
        server.shut_down().await.unwrap();
        let kept = fs::read(dir.path().join("damaged/1").join(path)).unwrap();
        // Without a seal the damage shows only once the engine has opened its file, and cut off what it cannot read.
        let is_sealed = image.files().contains_key(Path::new("seal"));
        assert!(kept == damaged || !is_sealed && path == "store/0/db" && !kept.is_empty(), "{path} at {at}");
        assert_eq!(served_from(dir.path()).await, written, "{path} at {at}");
    }
}

#[tokio::test]
async fn repair_leaves_a_sound_store_alone() {
    let fixture = Fixture::new().await;
    for (image, expected) in [(&fixture.sealed, &fixture.second), (&fixture.unsealed, &fixture.third)] {
        let dir = image.damaged(&[]);
        let (server, client) =
            serve(Config { repair: Some(Repair::default()), ..Config::new(dir.path()) }).await;
        assert_eq!(held(&client).await, *expected);
        drop(client);
        server.shut_down().await.unwrap();
        assert!(!dir.path().join("damaged").exists());
    }
}
