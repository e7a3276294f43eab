//! What is sent about an order, and when.

use pb::{
    FollowUpKind as Kind, FollowUpState as State, follow_up_completion::Result as Told, order_change::Change,
};
use sidecart::v1 as pb;

use crate::world::{DAY, HOUR, NOON, World};

const SENT: Told = Told::Sent(pb::FollowUpSent {});
const FAILED: Told = Told::Failed(pb::FollowUpFailed {});

fn line(kind: Kind, state: State, product: &str) -> (Kind, State, Vec<String>) {
    (kind, state, vec![product.to_owned()])
}

fn kinds(leased: &[pb::FollowUp]) -> Vec<Kind> {
    leased.iter().map(|it| it.r#ref.as_ref().unwrap().kind()).collect()
}

#[tokio::test]
async fn an_order_has_a_time_line_and_loses_what_is_cancelled() {
    let world = World::new().await;
    world.order("o", "ann", &["camera", "beans"]).await;
    let beans = line(Kind::Refill, State::Planned, "beans");
    let whole = [
        line(Kind::BeforeArrival, State::Planned, "card"),
        beans.clone(),
        line(Kind::AfterDelivery, State::Planned, "course"),
    ];
    assert_eq!(world.time_line("o", NOON).await, whole);
    let camera = pb::LineReversal { product_id: "camera".into(), quantity: 0 };
    world.change("o", "c", NOON + HOUR, Change::Cancelled(camera)).await;
    assert_eq!(world.time_line("o", NOON).await, [beans]);
}

#[tokio::test]
async fn each_is_handed_out_once_in_its_window_and_with_days_between() {
    let world = World::new().await;
    world.order("o", "ann", &["camera", "beans"]).await;
    assert_eq!(world.lease(NOON + HOUR - 1).await, [], "an hour has not passed");
    let first = world.lease(NOON + HOUR).await;
    assert_eq!(kinds(&first), [Kind::BeforeArrival]);
    assert_eq!(first[0].offers[0].product_id, "card");
    assert!(first[0].offers[0].reason.as_ref().unwrap().text.contains("before"), "{first:?}");
    assert_eq!(world.lease(NOON + HOUR + 299).await, [], "it is held");
    let again = world.lease(NOON + HOUR + 300).await;
    assert_eq!((kinds(&again), again[0].attempt_count), (vec![Kind::BeforeArrival], 2), "the lease was over");
    let sent_at = NOON + 2 * HOUR;
    assert_eq!(world.complete(&first[0], sent_at, SENT).await, pb::Outcome::Unknown, "another holds it");
    assert_eq!(world.complete(&again[0], sent_at, SENT).await, pb::Outcome::Updated);
    assert_eq!(world.complete(&again[0], sent_at, SENT).await, pb::Outcome::Unchanged);
    let world = world.restarted().await;
    // The beans are due after seven days, and so is the next message.
    assert_eq!(world.lease(sent_at + 7 * DAY - 1).await, []);
    let refill = world.lease(sent_at + 7 * DAY).await;
    assert_eq!(kinds(&refill), [Kind::Refill]);
    assert_eq!(world.complete(&refill[0], sent_at + 7 * DAY, SENT).await, pb::Outcome::Updated);
    let last = world.lease(sent_at + 14 * DAY).await;
    assert_eq!(kinds(&last), [Kind::AfterDelivery]);
    assert_eq!(world.complete(&last[0], sent_at + 14 * DAY, SENT).await, pb::Outcome::Updated);
    assert_eq!(world.lease(sent_at + 21 * DAY).await, []);
}

#[tokio::test]
async fn what_fails_is_tried_again_and_what_comes_too_late_is_not() {
    let world = World::new().await;
    world.order("o", "ann", &["camera"]).await;
    let now = NOON + HOUR;
    let first = world.lease(now).await;
    assert_eq!(world.complete(&first[0], now, FAILED).await, pb::Outcome::Updated);
    assert_eq!(world.lease(now + 299).await, []);
    let second = world.lease(now + 300).await;
    assert_eq!(world.complete(&second[0], now + 300, FAILED).await, pb::Outcome::Updated);
    assert_eq!(world.lease(now + 300 + 599).await, [], "twice as long");
    // The card takes two days, so that it must be ordered two days before the camera arrives.
    assert_eq!(world.lease(NOON + 3 * DAY).await, []);
    world
        .change(
            "o",
            "late",
            now,
            Change::ExpectedDelivery(prost_types::Timestamp { seconds: NOON + 6 * DAY, nanos: 0 }),
        )
        .await;
    assert_eq!(kinds(&world.lease(NOON + 3 * DAY).await), [Kind::BeforeArrival], "it comes a day later now");
}

#[tokio::test]
async fn nobody_is_written_to_at_night_or_against_their_will() {
    let world = World::new().await;
    world.terms(pb::FollowUpTerms { from_hour: Some(9), until_hour: Some(13), ..Default::default() }).await;
    world.order("o", "ann", &["camera"]).await;
    // Noon in Lisbon is noon in Greenwich in March.
    assert_eq!(world.lease(NOON + HOUR).await, []);
    world.opt("ann", true).await;
    assert_eq!(world.lease(NOON + DAY).await, []);
    world.opt("ann", false).await;
    assert_eq!(kinds(&world.lease(NOON + 2 * DAY).await), [Kind::BeforeArrival]);
}

#[tokio::test]
async fn what_was_bought_again_is_no_refill() {
    let world = World::new().await;
    world.order("o", "ann", &["beans"]).await;
    let line = pb::OrderLine { product_id: "beans".into(), quantity: 2, unit_price: None };
    world
        .tell(pb::RecordedOrder {
            order_id: "p".into(),
            shopper_id: "ann".into(),
            placed_at: crate::world::at(NOON + 6 * DAY),
            lines: vec![line],
            ..Default::default()
        })
        .await;
    assert_eq!(world.time_line("o", NOON + 6 * DAY).await, []);
    assert_eq!(world.lease(NOON + 8 * DAY).await, [], "there are beans");
    // Twice as many as in the six days before last twice as long.
    let refill = world.lease(NOON + (6 + 12) * DAY).await;
    assert_eq!(kinds(&refill), [Kind::Refill]);
    assert_eq!(refill[0].r#ref.as_ref().unwrap().order_id, "p");
}
