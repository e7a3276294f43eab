//! `Converse` through the wire: what it remembers over streams, in what order messages may come, and what it keeps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sidecart::v1::{
    self as pb, catalog_service_client::CatalogServiceClient, converse_request::What,
    recommendation_service_client::RecommendationServiceClient, rules_service_client::RulesServiceClient,
};
use sidecart_server::{Config, Running, start};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming, transport::Channel};
use tonic_types::StatusExt;

const SHOP: &str = "shop";

struct World {
    data: TempDir,
    server: Running,
    channel: Channel,
}

/// One end of a conversation.
struct Talk {
    sender: mpsc::Sender<pb::ConverseRequest>,
    answers: Streaming<pb::ConverseResponse>,
}

impl World {
    /// A shop with a camera, a card and a bag that go with it.
    async fn new() -> Self {
        let data = TempDir::new().unwrap();
        let mut config = Config::new(data.path());
        config.listen = "127.0.0.1:0".parse().unwrap();
        let server = start(config).await.unwrap();
        let channel =
            Channel::from_shared(format!("http://{}", server.addr)).unwrap().connect().await.unwrap();
        let products = vec![
            product("cam", "Orbit X1 camera", "Cameras", 90_000),
            product("card", "Swift memory card", "Memory", 4_000),
            product("bag", "Wren shoulder bag", "Bags", 7_000),
        ];
        let request = pb::UpsertProductsRequest { merchant_id: SHOP.into(), products, ..Default::default() };
        CatalogServiceClient::new(channel.clone()).upsert_products(request).await.unwrap();
        let rules = vec![pairing("r1", "cam", "card", "memory card"), pairing("r2", "cam", "bag", "bag")];
        let request = pb::UpsertRulesRequest { merchant_id: SHOP.into(), rules, ..Default::default() };
        RulesServiceClient::new(channel.clone()).upsert_rules(request).await.unwrap();
        Self { data, server, channel }
    }

    async fn talk(&self, session: &str) -> Talk {
        self.open(context(session)).await.unwrap()
    }

    /// Opens a stream with a context, and takes the first answer.
    async fn open(&self, context: pb::RecommendRequest) -> Result<Talk, tonic::Status> {
        let (sender, receiver) = mpsc::channel(4);
        let first = pb::ConverseRequest { context: Some(context), ..Default::default() };
        sender.send(first).await.unwrap();
        let mut client = RecommendationServiceClient::new(self.channel.clone());
        let answers = client.converse(ReceiverStream::new(receiver)).await?.into_inner();
        let mut talk = Talk { sender, answers };
        talk.next().await?;
        Ok(talk)
    }
}

impl Talk {
    async fn next(&mut self) -> Result<pb::ConverseResponse, tonic::Status> {
        Ok(self.answers.message().await?.unwrap())
    }

    async fn ask(&mut self, sequence: u64, what: What) -> pb::RecommendResponse {
        let message = pb::ConverseRequest { sequence, what: Some(what), answer: true, ..Default::default() };
        self.sender.send(message).await.unwrap();
        self.next().await.unwrap().decision.unwrap()
    }

    async fn say(&mut self, text: &str) -> pb::RecommendResponse {
        self.ask(0, said(text)).await
    }
}

fn context(session: &str) -> pb::RecommendRequest {
    pb::RecommendRequest {
        merchant_id: SHOP.into(),
        session_id: session.into(),
        stage: pb::Stage::Product.into(),
        anchor_ids: vec!["cam".into()],
        ..Default::default()
    }
}

fn said(text: &str) -> What {
    What::Turn(pb::Turn { role: pb::Role::Customer.into(), text: text.into(), at: None })
}

fn became(product_id: &str, kind: pb::OutcomeKind, reason: pb::DeclineReason) -> What {
    let (product_id, kind, reason) = (product_id.into(), kind.into(), reason.into());
    What::Outcome(pb::OfferOutcome { product_id, kind, reason, after_turn: 0 })
}

fn product(id: &str, title: &str, category: &str, minor_units: i64) -> pb::Product {
    pb::Product {
        product_id: id.into(),
        title: title.into(),
        category_path: vec![category.into()],
        kind: pb::ProductKind::Durable.into(),
        price: Some(pb::Money { currency: "USD".into(), minor_units }),
        ..Default::default()
    }
}

fn pairing(id: &str, anchor: &str, target: &str, need: &str) -> pb::Rule {
    let only = |id: &str| {
        let term = pb::Term { term: Some(pb::term::Term::ProductId(id.into())) };
        Some(pb::Selector { any_of: vec![term], ..Default::default() })
    };
    let pairing =
        pb::Pairing { relation: pb::Relation::Accessory.into(), need: need.into(), ..Default::default() };
    pb::Rule {
        rule_id: id.into(),
        anchor: only(anchor),
        target: only(target),
        says: Some(pb::rule::Says::Pairing(pairing)),
        ..Default::default()
    }
}

fn offered(decision: &pb::RecommendResponse) -> Vec<&str> {
    decision.offers.iter().map(|offer| offer.product_id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_on_another_stream_and_repeats_nothing() {
    let world = World::new().await;
    let mut talk = world.talk("s1").await;
    let first = talk.say("Which memory card fits it?").await;
    assert_eq!(offered(&first), ["card"], "{first:?}");
    let shown = talk.ask(0, became("card", pb::OutcomeKind::Shown, pb::DeclineReason::Unspecified)).await;
    assert_eq!(shown.reason, "JUST_OFFERED");
    // The line is cut; the customer goes on elsewhere.
    drop(talk);
    let mut talk = world.talk("s1").await;
    assert_eq!(talk.say("Does it have a viewfinder?").await.reason, "JUST_OFFERED");
    let next = talk.say("And which card does it take?").await;
    assert_eq!(next.reason, "ALL_GATED", "the card was shown, and nothing else is one: {next:?}");
    let next = talk.say("What else goes with it?").await;
    assert_eq!(offered(&next), ["bag"], "the card was shown: {next:?}");
    // Another conversation knows nothing of it.
    assert_eq!(offered(&world.talk("s2").await.say("Which memory card fits it?").await), ["card"]);
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn order_of_arrival_and_repeats_do_not_matter() {
    let world = World::new().await;
    let steps = [
        (1, said("Does it fit in a bag?")),
        (2, became("bag", pb::OutcomeKind::Shown, pb::DeclineReason::Unspecified)),
        (3, became("bag", pb::OutcomeKind::Declined, pb::DeclineReason::HaveOne)),
        (4, said("Thanks. I want to know how heavy it is.")),
        (5, said("How many photos can it store?")),
    ];
    let mut answers = Vec::new();
    for (nth, order) in
        [[0, 1, 2, 3, 4].as_slice(), &[4, 3, 2, 1, 0], &[1, 1, 0, 4, 2, 4, 3, 0]].into_iter().enumerate()
    {
        let mut talk = world.talk(&format!("order-{nth}")).await;
        for at in order {
            let (sequence, what) = &steps[*at];
            talk.ask(*sequence, what.clone()).await;
        }
        let last = talk.ask(5, said("this number was used, and is ignored")).await;
        answers.push((last.verdict, last.reason, last.offers, last.understanding));
    }
    assert_eq!(answers[0].1, "OFFERS_FOUND", "{:?}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changes_is_told() {
    let world = World::new().await;
    let mut talk = world.talk("quiet").await;
    for text in ["hello", "hi", "hello again"] {
        let message = pb::ConverseRequest { what: Some(said(text)), ..Default::default() };
        talk.sender.send(message).await.unwrap();
    }
    let message = pb::ConverseRequest { what: Some(said("I want a refund")), ..Default::default() };
    talk.sender.send(message).await.unwrap();
    let response = talk.next().await.unwrap();
    assert_eq!((response.sequence, response.decision.unwrap().reason.as_str()), (4, "REFUND_OPEN"));
    let settled = talk.ask(0, What::Change(pb::ConversationChange::IssueClosed.into())).await;
    assert_eq!(settled.reason, "JUST_SETTLED");
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_is_of_the_turn_it_came_with_and_closes_nothing() {
    let world = World::new().await;
    let mut talk = world.talk("labels").await;
    let labelled = |open_issue| {
        let question = pb::QuestionKind::Compatibility.into();
        let conversation = pb::Conversation { question, open_issue, ..Default::default() };
        Some(pb::RecommendRequest { conversation: Some(conversation), ..context("labels") })
    };
    let cases = [
        (labelled(None), Some("hm"), "OFFERS_FOUND"),
        (None, Some("hm"), "NOTHING_ASKED"),
        (labelled(None), Some("I want a refund"), "REFUND_OPEN"),
        (labelled(Some(false)), None, "OFFERS_FOUND"),
        // That no issue is open holds on, and a wish for a human is none.
        (None, Some("I want to talk to a human"), "HUMAN_REQUESTED"),
        (labelled(Some(false)), None, "OFFERS_FOUND"),
        (None, Some("unsubscribe me from all offers"), "OPTED_OUT"),
        (labelled(Some(false)), None, "OPTED_OUT"),
    ];
    for (context, text, reason) in cases {
        let message =
            pb::ConverseRequest { context, what: text.map(said), answer: true, ..Default::default() };
        talk.sender.send(message).await.unwrap();
        let decision = talk.next().await.unwrap().decision.unwrap();
        assert_eq!(decision.reason, reason, "{text:?}");
    }
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_decline_has_its_effect() {
    use pb::{DeclineReason as How, OutcomeKind::Declined};
    let world = World::new().await;
    let ask = "Which memory card fits it?";
    let cases = [
        (How::NoThanks, ["JUST_DECLINED", "JUST_DECLINED", "JUST_DECLINED", "OFFERS_FOUND"]),
        (How::HaveOne, ["OFFERS_FOUND", "OFFERS_FOUND", "OFFERS_FOUND", "OFFERS_FOUND"]),
        // The bag is dearer still.
        (How::TooExpensive, ["ALL_GATED", "ALL_GATED", "ALL_GATED", "ALL_GATED"]),
        (How::Later, ["JUST_DECLINED", "JUST_DECLINED", "JUST_DECLINED", "JUST_DECLINED"]),
    ];
    for (how, expected) in cases {
        let mut talk = world.talk(how.as_str_name()).await;
        talk.say(ask).await;
        talk.ask(0, became("card", Declined, how)).await;
        for reason in expected {
            let decision = talk.say("Does it have a viewfinder?").await;
            assert_eq!(decision.reason, reason, "{how:?}");
            assert!(!offered(&decision).contains(&"card"), "{how:?}: what was declined is not offered again");
        }
        if how == How::TooExpensive {
            assert_eq!(offered(&talk.say("Which bag fits it?").await), ["bag"], "it was asked for");
        }
    }
    let mut talk = world.talk("twice").await;
    for product in ["card", "bag"] {
        talk.say("Does it have a viewfinder?").await;
        talk.ask(0, became(product, Declined, How::NoThanks)).await;
    }
    let decision = talk.ask(0, became("nowhere", Declined, How::HaveOne)).await;
    assert_eq!((decision.reason.as_str(), decision.unknown_ids), ("REFUSED", vec!["nowhere".to_owned()]));
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_kind_need_not_wait() {
    let world = World::new().await;
    let mut talk = world.talk("kinds").await;
    assert_eq!(offered(&talk.say("Which memory card fits it?").await), ["card"]);
    let shown = || became("card", pb::OutcomeKind::Shown, pb::DeclineReason::Unspecified);
    assert_eq!(talk.ask(0, shown()).await.reason, "JUST_OFFERED");
    assert_eq!(talk.say("Does it have a viewfinder?").await.reason, "JUST_OFFERED");
    assert_eq!(offered(&talk.say("OK, I need a bag after all").await), ["bag"]);
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_own_phrases_decide() {
    let world = World::new().await;
    let phrases =
        pb::ConversationPhrases { offer: vec!["field trip".into()], never: vec!["price match".into()] };
    let policy = pb::Policy { name: "default".into(), phrases: Some(phrases), ..Default::default() };
    let request =
        pb::SetPolicyRequest { merchant_id: SHOP.into(), policy: Some(policy), ..Default::default() };
    RulesServiceClient::new(world.channel.clone()).set_policy(request).await.unwrap();
    for (text, reason) in [
        ("Getting ready for a Field Trip", "OFFERS_FOUND"),
        ("I do not want a field trip", "NOTHING_ASKED"),
        ("Do you do PRICE MATCHES? Which bag fits it?", "MERCHANT_FORBIDS"),
    ] {
        let mut talk = world.talk(text).await;
        assert_eq!(talk.say(text).await.reason, reason, "{text}");
    }
    // Only the caller closes what they or the merchant opened.
    let change = |change: pb::ConversationChange| What::Change(change.into());
    let mut talk = world.talk("closing").await;
    talk.say("Do you price match?").await;
    talk.say("I want a refund").await;
    assert_eq!(talk.say("It's solved, thanks").await.reason, "MERCHANT_FORBIDS");
    talk.ask(0, change(pb::ConversationChange::IssueOpened)).await;
    talk.ask(0, change(pb::ConversationChange::IssueClosed)).await;
    talk.ask(0, change(pb::ConversationChange::IssueOpened)).await;
    talk.say("I want a refund").await;
    assert_eq!(talk.say("It's solved, thanks").await.reason, "ISSUE_OPEN");
    world.server.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_name_their_field() {
    let world = World::new().await;
    let no_session = pb::RecommendRequest { session_id: String::new(), ..context("x") };
    let no_stage = pb::RecommendRequest { stage: 0, ..context("x") };
    let turn = pb::Turn::default();
    let with_turns = pb::Conversation { turns: vec![turn], ..Default::default() };
    let with_turns = pb::RecommendRequest { conversation: Some(with_turns), ..context("x") };
    for (context, field) in [
        (no_session, "context.session_id"),
        (no_stage, "context.stage"),
        (with_turns, "context.conversation"),
    ] {
        let status = world.open(context).await.err().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, field);
    }
    for (what, field) in [
        (said(&"x".repeat(8_193)), "turn.text"),
        (What::Change(9), "change"),
        (became("card", pb::OutcomeKind::Unspecified, pb::DeclineReason::Unspecified), "outcome.kind"),
        (became("", pb::OutcomeKind::Shown, pb::DeclineReason::Unspecified), "outcome.product_id"),
    ] {
        let mut talk = world.talk("bad").await;
        talk.sender.send(pb::ConverseRequest { what: Some(what), ..Default::default() }).await.unwrap();
        let status = talk.next().await.err().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, field);
    }
    let mut talk = world.talk("bad").await;
    let beyond = pb::ConverseRequest { sequence: u64::MAX, ..Default::default() };
    talk.sender.send(beyond).await.unwrap();
    let status = talk.next().await.err().unwrap();
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "sequence");
    let nobody = pb::RecommendRequest { merchant_id: "nobody".into(), ..context("x") };
    assert_eq!(world.open(nobody).await.err().unwrap().code(), Code::NotFound);
    world.server.shut_down().await.unwrap();
}

/// What customers write is neither stored nor kept on disk in any form.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_customers_are_nowhere_on_disk() {
    let world = World::new().await;
    let secret = "zanzibarquokka";
    let mut talk = world.talk("private").await;
    talk.say(&format!("my {secret} does not fit, which bag should I get?")).await;
    drop(talk);
    let mut request = context("private");
    let turn =
        pb::Turn { role: pb::Role::Customer.into(), text: format!("is the {secret} any good?"), at: None };
    request.conversation = Some(pb::Conversation { turns: vec![turn], ..Default::default() });
    RecommendationServiceClient::new(world.channel.clone()).recommend(request).await.unwrap();
    let World { data, server, .. } = world;
    server.shut_down().await.unwrap();
    let mut folders = vec![data.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    assert!(files > 3, "the store is there");
}

/// A rename is linked by the new name as soon as it is acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_product_is_linked_by_its_new_name() {
    let world = World::new().await;
    let mut catalog = CatalogServiceClient::new(world.channel.clone());
    let products = vec![product("bag", "Zephyrine holdall", "Bags", 7_000)];
    let request = pb::UpsertProductsRequest { merchant_id: SHOP.into(), products, ..Default::default() };
    catalog.upsert_products(request).await.unwrap();
    let mut request = context("");
    let turn =
        pb::Turn { role: pb::Role::Customer.into(), text: "is the zephyrine holdall big?".into(), at: None };
    request.conversation = Some(pb::Conversation { turns: vec![turn], ..Default::default() });
    let answer = RecommendationServiceClient::new(world.channel.clone()).recommend(request).await.unwrap();
    let mentions = answer.into_inner().understanding.unwrap().mentions;
    let linked: Vec<_> = mentions.iter().map(|mention| mention.meaning.clone().unwrap().product_id).collect();
    assert_eq!(linked, ["bag"]);
    world.server.shut_down().await.unwrap();
}
