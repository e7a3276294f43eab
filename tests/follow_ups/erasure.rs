//! After an erasure no byte of the shopper's id is left: not in the store, not in exports, not in answers.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sidecart::v1 as pb;

use crate::world::{DAY, HOUR, NOON, SHOP, World};

const ANN: &str = "shopper-ann-3f9c2e";
const BEN: &str = "shopper-ben-77d01a";
/// How long the exports of the first moments may take.
const EXPORTED_WITHIN: Duration = Duration::from_secs(30);

/// Files under a directory in which a text is.
fn files_with(dir: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

async fn exported(world: &World) -> Vec<u8> {
    let request = pb::ExportRequest { merchant_id: SHOP.into() };
    let mut stream = world.client.snapshot().export(request).await.unwrap().into_inner();
    let mut file = Vec::new();
    while let Some(chunk) = stream.message().await.unwrap() {
        file.extend_from_slice(&chunk.chunk);
    }
    file
}

async fn erase(world: &World, shopper: &str) -> pb::EraseShopperResponse {
    let request = pb::EraseShopperRequest { merchant_id: SHOP.into(), shopper_id: shopper.into() };
    world.client.follow_ups().erase_shopper(request).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_shopper_who_is_erased() {
    let world = World::new().await;
    for order in 0..450 {
        world.order(&format!("a{order}"), ANN, &["camera", "beans"]).await;
        if order % 50 == 0 {
            world.order(&format!("b{order}"), BEN, &["beans"]).await;
        }
    }
    let leased = world.lease(NOON + HOUR).await;
    let sent = pb::follow_up_completion::Result::Sent(pb::FollowUpSent {});
    for follow_up in &leased {
        assert_eq!(world.complete(follow_up, NOON + HOUR, sent.clone()).await, pb::Outcome::Updated);
    }
    world.opt(ANN, true).await;
    world.opt(BEN, true).await;
    let is_found = |dir: &str| {
        let found = files_with(world.data.path(), ANN);
        found.iter().any(|path| path.components().any(|part| part.as_os_str() == dir))
    };
    let began = Instant::now();
    while !(is_found("exports") && is_found("store")) {
        assert!(began.elapsed() < EXPORTED_WITHIN, "the search finds too little to show anything");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let erased = erase(&world, ANN).await;
    assert_eq!(erased.order_count, 450);
    assert_eq!(files_with(world.data.path(), ANN), Vec::<PathBuf>::new());
    assert!(!files_with(world.data.path(), BEN).is_empty(), "the other shopper stays");
    let file = exported(&world).await;
    assert!(!file.windows(ANN.len()).any(|window| window == ANN.as_bytes()));

    // The orders stay, of nobody, and plan nothing; what was told before does not bring her back.
    world.order("a7", ANN, &["camera", "beans"]).await;
    let request = pb::GetOrderRequest {
        merchant_id: SHOP.into(),
        order_id: "a7".into(),
        min_generation: erased.generation,
    };
    let order = world.client.orders().get_order(request).await.unwrap().into_inner();
    assert_eq!((order.order.unwrap().shopper_id.as_str(), order.bought.len()), ("", 2));
    assert_eq!(world.time_line("a7", NOON).await, []);
    assert_eq!(world.lease(NOON + 8 * DAY).await, []);

    assert_eq!(erase(&world, ANN).await.order_count, 0, "it may be said again");
    let data = world.shut_down().await;
    assert_eq!(files_with(data.path(), ANN), Vec::<PathBuf>::new());
}
