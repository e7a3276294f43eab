//! What the cases are built from: valid requests, to be spoilt in one place each.

use prost::Message;
use sidecart::v1::{self as pb, Outcome, Stage, rule::Says, term::Term as Named};
use tonic::Code;

pub(crate) const UPSERT_PRODUCTS: &str = "CatalogService/UpsertProducts";
pub(crate) const IMPORT_PRODUCTS: &str = "CatalogService/ImportProducts";
pub(crate) const SET_OFFERS: &str = "CatalogService/SetOffers";
pub(crate) const DELETE_PRODUCTS: &str = "CatalogService/DeleteProducts";
pub(crate) const GET_PRODUCT: &str = "CatalogService/GetProduct";
pub(crate) const LIST_PRODUCTS: &str = "CatalogService/ListProducts";
pub(crate) const UPSERT_RULES: &str = "RulesService/UpsertRules";
pub(crate) const REPLACE_RULES: &str = "RulesService/ReplaceRules";
pub(crate) const DELETE_RULES: &str = "RulesService/DeleteRules";
pub(crate) const LIST_RULES: &str = "RulesService/ListRules";
pub(crate) const SIMULATE_RULES: &str = "RulesService/SimulateRules";
pub(crate) const GET_POLICY: &str = "RulesService/GetPolicy";
pub(crate) const SET_POLICY: &str = "RulesService/SetPolicy";
pub(crate) const DELETE_POLICY: &str = "RulesService/DeletePolicy";
pub(crate) const LIST_MERCHANTS: &str = "SnapshotService/ListMerchants";
pub(crate) const RECORD_ORDERS: &str = "OrderService/RecordOrders";
pub(crate) const IMPORT_ORDERS: &str = "OrderService/ImportOrders";
pub(crate) const GET_ORDER: &str = "OrderService/GetOrder";
pub(crate) const LEARN_AFFINITIES: &str = "AffinityService/LearnAffinities";
pub(crate) const GET_MODEL: &str = "AffinityService/GetModel";
pub(crate) const LIST_AFFINITIES: &str = "AffinityService/ListAffinities";
pub(crate) const RECOMMEND: &str = "RecommendationService/Recommend";
pub(crate) const CONVERSE: &str = "RecommendationService/Converse";
pub(crate) const BATCH_RECOMMEND: &str = "RecommendationService/BatchRecommend";
pub(crate) const EXPLAIN: &str = "RecommendationService/Explain";
pub(crate) const DIFF_SNAPSHOTS: &str = "SnapshotService/DiffSnapshots";
pub(crate) const ROLL_BACK: &str = "SnapshotService/RollBack";
pub(crate) const IMPORT: &str = "SnapshotService/Import";

const MERCHANT: &str = "acme";

/// What is sent, and what it must be answered with.
pub(crate) struct Case {
    /// The class of bad input, and what is bad.
    pub(crate) name: &'static str,
    /// Service and method.
    pub(crate) path: &'static str,
    /// The messages, encoded.
    pub(crate) messages: Vec<Vec<u8>>,
    /// The answer.
    pub(crate) expect: Expect,
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Expect {
    /// `INVALID_ARGUMENT`, and the first field violated.
    Field(String),
    /// Another code, and its reason.
    Code(Code, String),
    /// An item that was not taken, and its first field violated.
    Item(Outcome, String),
    /// Everything was taken.
    Accepted,
}

/// A request that is refused for a field.
pub(crate) fn field(name: &'static str, path: &'static str, request: impl Message, field: &str) -> Case {
    Case { name, path, messages: vec![request.encode_to_vec()], expect: Expect::Field(field.into()) }
}

/// A request that is refused otherwise.
pub(crate) fn code(
    name: &'static str,
    path: &'static str,
    request: impl Message,
    code: Code,
    reason: &str,
) -> Case {
    Case { name, path, messages: vec![request.encode_to_vec()], expect: Expect::Code(code, reason.into()) }
}

/// A bulk write of which an item is not taken.
pub(crate) fn item(
    name: &'static str,
    path: &'static str,
    request: impl Message,
    outcome: Outcome,
    field: &str,
) -> Case {
    Case { name, path, messages: vec![request.encode_to_vec()], expect: Expect::Item(outcome, field.into()) }
}

/// A product that is rejected.
pub(crate) fn bad_product(name: &'static str, spoil: impl FnOnce(&mut pb::Product), at: &str) -> Case {
    item(name, UPSERT_PRODUCTS, products(vec![product("x", spoil)]), Outcome::Rejected, at)
}

/// An offer update that is rejected.
pub(crate) fn bad_offer(name: &'static str, spoil: impl FnOnce(&mut pb::OfferUpdate), at: &str) -> Case {
    item(name, SET_OFFERS, offers(vec![offer("card", spoil)]), Outcome::Rejected, at)
}

/// A rule that is rejected.
pub(crate) fn bad_rule(name: &'static str, spoil: impl FnOnce(&mut pb::Rule), at: &str) -> Case {
    item(name, UPSERT_RULES, rules(vec![rule("r", spoil)]), Outcome::Rejected, at)
}

/// A pairing that is rejected.
pub(crate) fn bad_pairing(name: &'static str, spoil: impl FnOnce(&mut pb::Pairing), at: &str) -> Case {
    let mut pairing = pairing();
    spoil(&mut pairing);
    bad_rule(name, |rule| rule.says = Some(Says::Pairing(pairing)), at)
}

/// Limits of a policy that are refused.
pub(crate) fn bad_limits(name: &'static str, spoil: impl FnOnce(&mut pb::PolicyLimits), at: &str) -> Case {
    let mut limits = pb::PolicyLimits::default();
    spoil(&mut limits);
    field(name, SET_POLICY, policy("p", |policy| policy.limits = Some(limits)), at)
}

/// A request for offers that is refused.
pub(crate) fn bad_ask(name: &'static str, spoil: impl FnOnce(&mut pb::RecommendRequest), at: &str) -> Case {
    field(name, RECOMMEND, asked(spoil), at)
}

/// What the server holds before the cases are sent.
pub(crate) fn ground() -> Vec<(&'static str, Vec<u8>)> {
    let variant = product("variant", |product| product.family_id = "camera".into());
    let mut first = products(vec![product("camera", |_| ()), product("card", |_| ()), variant]);
    first.request_id = "used".into();
    vec![
        (UPSERT_PRODUCTS, first.encode_to_vec()),
        (SET_OFFERS, offers(vec![offer("card", |offer| offer.set_time = Some(from_now(0)))]).encode_to_vec()),
        (UPSERT_RULES, rules(vec![rule("r0", |_| ())]).encode_to_vec()),
    ]
}

pub(crate) fn merchant() -> String {
    MERCHANT.to_owned()
}

/// So many ids.
pub(crate) fn ids(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("p{at}")).collect()
}

pub(crate) fn money(currency: &str, minor_units: i64) -> Option<pb::Money> {
    Some(pb::Money { currency: currency.into(), minor_units })
}

/// A moment, which may be none.
pub(crate) fn moment(seconds: i64, nanos: i32) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos })
}

/// A moment so many seconds from now.
pub(crate) fn from_now(seconds: i64) -> prost_types::Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    prost_types::Timestamp { seconds: i64::try_from(now).unwrap() + seconds, nanos: 0 }
}

pub(crate) fn product(id: &str, spoil: impl FnOnce(&mut pb::Product)) -> pb::Product {
    let mut product = pb::Product {
        product_id: id.into(),
        title: "t".into(),
        price: money("USD", 100),
        ..Default::default()
    };
    spoil(&mut product);
    product
}

pub(crate) fn products(products: Vec<pb::Product>) -> pb::UpsertProductsRequest {
    pb::UpsertProductsRequest { merchant_id: merchant(), products, request_id: String::new() }
}

pub(crate) fn import(mode: i32, products: Vec<pb::Product>) -> pb::ImportProductsRequest {
    pb::ImportProductsRequest { merchant_id: merchant(), mode, products }
}

pub(crate) fn offer(id: &str, spoil: impl FnOnce(&mut pb::OfferUpdate)) -> pb::OfferUpdate {
    let mut offer = pb::OfferUpdate { product_id: id.into(), price: money("USD", 90), ..Default::default() };
    spoil(&mut offer);
    offer
}

pub(crate) fn offers(offers: Vec<pb::OfferUpdate>) -> pb::SetOffersRequest {
    pb::SetOffersRequest { merchant_id: merchant(), offers, request_id: String::new() }
}

pub(crate) fn term(id: &str) -> pb::Term {
    pb::Term { term: Some(Named::ProductId(id.into())) }
}

pub(crate) fn any_of(any_of: Vec<pb::Term>) -> Option<pb::Selector> {
    Some(pb::Selector { any_of, ..Default::default() })
}

fn pairing() -> pb::Pairing {
    pb::Pairing { relation: pb::Relation::Accessory.into(), ..Default::default() }
}

pub(crate) fn rule(id: &str, spoil: impl FnOnce(&mut pb::Rule)) -> pb::Rule {
    let mut rule = pb::Rule {
        rule_id: id.into(),
        says: Some(Says::Pairing(pairing())),
        anchor: any_of(vec![term("camera")]),
        target: any_of(vec![term("card")]),
        ..Default::default()
    };
    spoil(&mut rule);
    rule
}

pub(crate) fn rules(rules: Vec<pb::Rule>) -> pb::UpsertRulesRequest {
    pb::UpsertRulesRequest { merchant_id: merchant(), rules, request_id: String::new() }
}

pub(crate) fn policy(name: &str, spoil: impl FnOnce(&mut pb::Policy)) -> pb::SetPolicyRequest {
    let mut policy = pb::Policy { name: name.into(), ..Default::default() };
    spoil(&mut policy);
    pb::SetPolicyRequest { merchant_id: merchant(), policy: Some(policy), request_id: String::new() }
}

pub(crate) fn asked(spoil: impl FnOnce(&mut pb::RecommendRequest)) -> pb::RecommendRequest {
    let mut asked = pb::RecommendRequest {
        merchant_id: merchant(),
        stage: Stage::Product.into(),
        anchor_ids: vec!["camera".into()],
        ..Default::default()
    };
    spoil(&mut asked);
    asked
}

pub(crate) fn batch(requests: Vec<pb::RecommendRequest>) -> pb::BatchRecommendRequest {
    pb::BatchRecommendRequest { merchant_id: merchant(), requests, distinct: false }
}

pub(crate) fn simulated(
    upserts: Vec<pb::Rule>,
    contexts: Vec<pb::RecommendRequest>,
) -> pb::SimulateRulesRequest {
    pb::SimulateRulesRequest { merchant_id: merchant(), upserts, delete_ids: vec!["r0".into()], contexts }
}

pub(crate) fn explained(
    request: Option<pb::RecommendRequest>,
    product_ids: Vec<String>,
) -> pb::ExplainRequest {
    pb::ExplainRequest { request, product_ids }
}
