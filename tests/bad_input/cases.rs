//! The table: what is sent, and what it is answered with.

use prost::Message;
use sidecart::v1::{self as pb, Outcome, policy_choice::Choice};
use tonic::Code;

use super::build::*;

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    let classes = [
        unknown_enums(),
        empty_asks(),
        empty_writes(),
        long_asks(),
        long_writes(),
        bad_money(),
        bad_times(),
        malformed_bytes(),
        contradictions(),
        duplicates(),
        absurd_pages(),
        unknown_names(),
    ];
    classes.into_iter().flatten().collect()
}

fn unknown_enums() -> Vec<Case> {
    let clause = pb::MatchClause { target_attribute: "mount".into(), op: 99, ..Default::default() };
    let bad = asked(|ask| ask.stage = 99);
    let roll_back = pb::RollBackRequest {
        merchant_id: merchant(),
        generation: 1,
        parts: vec![1, 99],
        ..Default::default()
    };
    vec![
        bad_ask("unknown enum: stage", |ask| ask.stage = 99, "stage"),
        bad_ask("unknown enum: surface", |ask| ask.surface = -1, "surface"),
        bad_product("unknown enum: kind", |product| product.kind = 99, "products[0].kind"),
        bad_product(
            "unknown enum: availability",
            |product| product.availability = 9,
            "products[0].availability",
        ),
        bad_offer(
            "unknown enum: offer availability",
            |offer| offer.availability = 9,
            "offers[0].availability",
        ),
        bad_pairing("unknown enum: relation", |pairing| pairing.relation = 99, "rules[0].pairing.relation"),
        bad_rule("unknown enum: rule stage", |rule| rule.stages = vec![1, 99], "rules[0].stages[1]"),
        bad_rule("unknown enum: rule surface", |rule| rule.surfaces = vec![0], "rules[0].surfaces[0]"),
        bad_rule("unknown enum: op", |rule| rule.r#match = vec![clause], "rules[0].match[0].op"),
        bad_limits("unknown enum: objective", |limits| limits.objective = 9, "policy.limits.objective"),
        bad_limits(
            "unknown enum: disallowed",
            |limits| limits.disallowed_relations = vec![1, 99],
            "policy.limits.disallowed_relations[1]",
        ),
        field("unknown enum: mode", IMPORT_PRODUCTS, import(99, vec![]), "mode"),
        field("unknown enum: part", ROLL_BACK, roll_back.clone(), "parts[1]"),
        field("unspecified part", ROLL_BACK, pb::RollBackRequest { parts: vec![0], ..roll_back }, "parts[0]"),
        field(
            "unknown enum: batch",
            BATCH_RECOMMEND,
            batch(vec![asked(|_| ()), bad.clone()]),
            "requests[1].stage",
        ),
        field(
            "unknown enum: context",
            SIMULATE_RULES,
            simulated(vec![], vec![bad.clone()]),
            "contexts[0].stage",
        ),
        field("unknown enum: explained", EXPLAIN, explained(Some(bad), vec![]), "request.stage"),
    ]
}

fn empty_asks() -> Vec<Case> {
    let no_choice = Some(pb::PolicyChoice { choice: None });
    vec![
        bad_ask("empty: merchant", |ask| ask.merchant_id.clear(), "merchant_id"),
        bad_ask("empty: stage", |ask| ask.stage = 0, "stage"),
        bad_ask("empty: anchor", |ask| ask.anchor_ids.push(String::new()), "anchor_ids[1]"),
        bad_ask("empty: owned", |ask| ask.owned_ids.push(String::new()), "owned_ids[0]"),
        bad_ask("empty: cart line", |ask| ask.cart.push(Default::default()), "cart[0].product_id"),
        bad_ask("empty: live", |ask| ask.live.push(Default::default()), "live[0].product_id"),
        bad_ask("empty: policy choice", |ask| ask.policy = no_choice, "policy"),
        field("empty: batch", BATCH_RECOMMEND, batch(vec![]), "requests"),
        field("empty: contexts", SIMULATE_RULES, simulated(vec![], vec![]), "contexts"),
        field("empty: explained request", EXPLAIN, explained(None, vec![]), "request"),
        Case { name: "empty: request", path: RECOMMEND, messages: vec![], expect: Expect::Field("".into()) },
    ]
}

fn empty_writes() -> Vec<Case> {
    let no_term = any_of(vec![pb::Term { term: None }]);
    let no_id = pb::DeleteProductsRequest {
        product_ids: vec!["".into()],
        merchant_id: merchant(),
        ..Default::default()
    };
    let no_ids = pb::DeleteRulesRequest { merchant_id: merchant(), ..Default::default() };
    let no_policy = pb::SetPolicyRequest { merchant_id: merchant(), ..Default::default() };
    let nothing = pb::UpsertProductsRequest::default();
    vec![
        field("empty: write", UPSERT_PRODUCTS, nothing, "merchant_id"),
        field("empty: products", UPSERT_PRODUCTS, products(vec![]), "products"),
        bad_product("empty: product id", |product| product.product_id.clear(), "products[0].product_id"),
        bad_product("empty: title", |product| product.title.clear(), "products[0].title"),
        bad_product("empty: tag", |product| product.tags.push("".into()), "products[0].tags[0]"),
        bad_offer("empty: offer", |offer| offer.price = None, "offers[0]"),
        item("empty: product id", DELETE_PRODUCTS, no_id, Outcome::Rejected, "product_ids[0]"),
        field("empty: rule ids", DELETE_RULES, no_ids, "rule_ids"),
        bad_rule("empty: rule", |rule| rule.says = None, "rules[0]"),
        bad_rule("empty: rule id", |rule| rule.rule_id.clear(), "rules[0].rule_id"),
        bad_pairing("empty: relation", |pairing| pairing.relation = 0, "rules[0].pairing.relation"),
        bad_rule("empty: target", |rule| rule.target = None, "rules[0].target"),
        bad_rule("empty: selector", |rule| rule.target = any_of(vec![]), "rules[0].target"),
        bad_rule("empty: term", |rule| rule.target = no_term, "rules[0].target.any_of[0]"),
        bad_rule("empty: anchor of a pairing", |rule| rule.anchor = None, "rules[0].anchor"),
        field("empty: policy", SET_POLICY, no_policy, "policy"),
        field("empty: policy name", SET_POLICY, policy("", |_| ()), "policy.name"),
        Case {
            name: "empty: upload",
            path: IMPORT_PRODUCTS,
            messages: vec![],
            expect: Expect::Field("merchant_id".into()),
        },
    ]
}

fn long_asks() -> Vec<Case> {
    let lines = |ids: Vec<String>| {
        ids.into_iter()
            .map(|product_id| pb::CartLine { product_id, ..Default::default() })
            .collect::<Vec<_>>()
    };
    let live = ids(1_001).into_iter().map(|product_id| pb::LiveOffer { product_id, ..Default::default() });
    let order = pb::Order { lines: lines(ids(501)), ..Default::default() };
    let line = pb::CartLine { product_id: "card".into(), quantity: 1_000_001, unit_price: None };
    let huge = asked(|ask| ask.shopper_id = "x".repeat(5 * 1024 * 1024));
    vec![
        bad_ask("over limit: anchors", |ask| ask.anchor_ids = ids(101), "anchor_ids"),
        bad_ask("over limit: cart", |ask| ask.cart = lines(ids(501)), "cart"),
        bad_ask("over limit: owned", |ask| ask.owned_ids = ids(10_001), "owned_ids"),
        bad_ask("over limit: order lines", |ask| ask.order = Some(order), "order.lines"),
        bad_ask("over limit: live", |ask| ask.live = live.collect(), "live"),
        bad_ask("over limit: results", |ask| ask.max_results = 101, "max_results"),
        bad_ask("over limit: quantity", |ask| ask.cart.push(line), "cart[0].quantity"),
        bad_ask("over limit: shopper id", |ask| ask.shopper_id = "x".repeat(129), "shopper_id"),
        bad_ask("over limit: anchor id", |ask| ask.anchor_ids[0] = "x".repeat(129), "anchor_ids[0]"),
        bad_ask("over limit: merchant id", |ask| ask.merchant_id = "x".repeat(65), "merchant_id"),
        field("over limit: batch", BATCH_RECOMMEND, batch(vec![asked(|_| ()); 1_001]), "requests"),
        field(
            "over limit: traces",
            BATCH_RECOMMEND,
            batch(vec![asked(|ask| ask.explain = true); 101]),
            "requests",
        ),
        field(
            "over limit: contexts",
            SIMULATE_RULES,
            simulated(vec![], vec![asked(|_| ()); 1_001]),
            "contexts",
        ),
        field("over limit: explained", EXPLAIN, explained(Some(asked(|_| ())), ids(101)), "product_ids"),
        Case {
            name: "over limit: request",
            path: RECOMMEND,
            messages: vec![huge.encode_to_vec()],
            expect: Expect::Code(Code::OutOfRange, String::new()),
        },
    ]
}

fn long_writes() -> Vec<Case> {
    let many = |count| ids(count).iter().map(|id| product(id, |_| ())).collect::<Vec<_>>();
    let long_id = pb::UpsertProductsRequest { request_id: "x".repeat(129), ..products(many(1)) };
    let rule_ids =
        pb::DeleteRulesRequest { merchant_id: merchant(), rule_ids: ids(1_001), request_id: "".into() };
    let terms = any_of(ids(1_001).iter().map(|id| term(id)).collect());
    let windows = vec![pb::Window { from: Some(from_now(0)), until: None }; 17];
    let long_note = |rule: &mut pb::Rule| rule.note = "x".repeat(70_000);
    vec![
        field("over limit: request id", UPSERT_PRODUCTS, long_id, "request_id"),
        field("over limit: products", UPSERT_PRODUCTS, products(many(1_001)), "products"),
        field("over limit: import message", IMPORT_PRODUCTS, import(1, many(10_001)), "products"),
        field("over limit: rule ids", DELETE_RULES, rule_ids, "rule_ids"),
        bad_product("over limit: title", |product| product.title = "x".repeat(513), "products[0].title"),
        bad_product("over limit: tags", |product| product.tags = ids(65), "products[0].tags"),
        bad_product(
            "over limit: categories",
            |product| product.category_path = ids(9),
            "products[0].category_path",
        ),
        bad_product(
            "over limit: product",
            |product| product.aliases = vec!["x".repeat(128); 32],
            "products[0]",
        ),
        bad_product(
            "over limit: supply",
            |product| (product.kind, product.days_of_supply) = (2, Some(3_651)),
            "products[0].days_of_supply",
        ),
        bad_product(
            "over limit: stock",
            |product| product.stock_quantity = Some(-1),
            "products[0].stock_quantity",
        ),
        bad_rule("over limit: rule", long_note, "rules[0]"),
        bad_rule("over limit: note", |rule| rule.note = "x".repeat(1_025), "rules[0].note"),
        bad_rule("over limit: windows", |rule| rule.windows = windows, "rules[0].windows"),
        bad_rule("over limit: terms", |rule| rule.target = terms, "rules[0].target"),
        bad_pairing("over limit: position", |pairing| pairing.position = 21, "rules[0].pairing.position"),
        bad_pairing(
            "over limit: far position",
            |pairing| pairing.position = 300,
            "rules[0].pairing.position",
        ),
        bad_limits("over limit: offers", |limits| limits.offers_max = Some(101), "policy.limits.offers_max"),
        bad_limits("over limit: score", |limits| limits.score_min = Some(1.5), "policy.limits.score_min"),
        field(
            "over limit: overrides",
            SET_POLICY,
            policy("p", |policy| policy.overrides = vec![Default::default(); 33]),
            "policy.overrides",
        ),
    ]
}

fn bad_money() -> Vec<Case> {
    let line = pb::CartLine { product_id: "card".into(), quantity: 1, unit_price: money("usd", 1) };
    let half = vec![product("y", |_| ()), product("x", |product| product.price = money("XQQ", 1))];
    vec![
        bad_product(
            "bad currency: lower case",
            |product| product.price = money("usd", 1),
            "products[0].price.currency",
        ),
        bad_product(
            "bad currency: unknown",
            |product| product.price = money("XQQ", 1),
            "products[0].price.currency",
        ),
        bad_product(
            "bad currency: none",
            |product| product.price = money("", 1),
            "products[0].price.currency",
        ),
        bad_product(
            "bad currency: cost",
            |product| product.unit_cost = money("EUR", 1),
            "products[0].unit_cost.currency",
        ),
        bad_product(
            "bad money: negative",
            |product| product.price = money("USD", -1),
            "products[0].price.minor_units",
        ),
        bad_offer("bad currency: offer", |offer| offer.price = money("BTC", 1), "offers[0].price.currency"),
        bad_ask("bad currency: cart", |ask| ask.cart.push(line), "cart[0].unit_price.currency"),
        field(
            "bad currency: replacement",
            IMPORT_PRODUCTS,
            import(2, half.clone()),
            "products[1].price.currency",
        ),
        item(
            "bad currency: import",
            IMPORT_PRODUCTS,
            import(1, half),
            Outcome::Rejected,
            "products[1].price.currency",
        ),
    ]
}

fn bad_times() -> Vec<Case> {
    let backwards = pb::Window { from: Some(from_now(1)), until: Some(from_now(0)) };
    let stale = offers(vec![offer("card", |offer| offer.set_time = Some(from_now(-3_600)))]);
    vec![
        item("stale set_time", SET_OFFERS, stale, Outcome::Stale, "offers[0].set_time"),
        bad_offer("future set_time", |offer| offer.set_time = Some(from_now(3_700)), "offers[0].set_time"),
        bad_product(
            "future set_time",
            |product| product.price_set_time = Some(from_now(3_700)),
            "products[0].price_set_time",
        ),
        bad_offer(
            "bad time: seconds",
            |offer| offer.set_time = moment(i64::MIN, 0),
            "offers[0].set_time.seconds",
        ),
        bad_ask("bad time: nanos", |ask| ask.at = moment(0, -1), "at.nanos"),
        bad_rule("bad time: window", |rule| rule.windows = vec![backwards], "rules[0].windows[0].until"),
    ]
}

fn malformed_bytes() -> Vec<Case> {
    // Field 1 of each message, a string of one byte that is not UTF-8; and the same within field 2, a product.
    let (text, nested) = (vec![0x0a, 1, 0xff], vec![0x12, 3, 0x12, 1, 0xff]);
    let bytes = |name, path, message: Vec<u8>, field: &str| Case {
        name,
        path,
        messages: vec![message],
        expect: Expect::Field(field.into()),
    };
    let twice = vec![import(1, vec![]).encode_to_vec(), text.clone()];
    vec![
        bytes("malformed UTF-8", RECOMMEND, text.clone(), "merchant_id"),
        bytes("malformed UTF-8: nested", UPSERT_PRODUCTS, nested, "products.title"),
        bytes("malformed UTF-8: upload", REPLACE_RULES, text, "merchant_id"),
        bytes("malformed bytes: tag", RECOMMEND, vec![0x00], ""),
        Case {
            name: "malformed UTF-8: later",
            path: IMPORT_PRODUCTS,
            messages: twice,
            expect: Expect::Field("merchant_id".into()),
        },
        field(
            "malformed file",
            IMPORT,
            pb::ImportRequest { merchant_id: merchant(), chunk: "nonsense".into() },
            "chunk",
        ),
        field(
            "truncated file",
            IMPORT,
            pb::ImportRequest { merchant_id: merchant(), chunk: "".into() },
            "chunk",
        ),
    ]
}

fn contradictions() -> Vec<Case> {
    let excluded =
        pb::Selector { none_of: vec![term("card")], ..any_of(vec![term("card")]).unwrap_or_default() };
    let circle = vec![
        product("a", |product| product.family_id = "b".into()),
        product("b", |product| product.family_id = "a".into()),
    ];
    let nested = |product: &mut pb::Product| product.family_id = "variant".into();
    let other = import(0, vec![]);
    let elsewhere = pb::ImportProductsRequest { merchant_id: "other".into(), ..other.clone() };
    let both = simulated(vec![rule("r0", |_| ())], vec![asked(|_| ())]);
    let mixed = batch(vec![asked(|_| ()), asked(|ask| ask.merchant_id = "other".into())]);
    let backwards =
        pb::DiffSnapshotsRequest { merchant_id: merchant(), from_generation: u64::MAX, to_generation: 0 };
    vec![
        bad_rule(
            "contradictory rule: selector",
            |rule| rule.target = Some(excluded),
            "rules[0].target.none_of",
        ),
        bad_rule(
            "contradictory rule: itself",
            |rule| rule.target = any_of(vec![term("camera")]),
            "rules[0].target",
        ),
        bad_rule(
            "absurd boost",
            |rule| rule.says = Some(pb::rule::Says::Boost(pb::Boost { factor: f64::NAN })),
            "rules[0].boost.factor",
        ),
        bad_pairing(
            "bad sentence",
            |pairing| pairing.sentence = "{{ nope }}".into(),
            "rules[0].pairing.sentence",
        ),
        item("cyclic family", UPSERT_PRODUCTS, products(circle), Outcome::Rejected, "products[1].family_id"),
        bad_product("nested family", nested, "products[0].family_id"),
        bad_product(
            "cost without price",
            |product| (product.unit_cost, product.price) = (product.price.take(), None),
            "products[0].unit_cost",
        ),
        field("created and removed", SIMULATE_RULES, both, "delete_ids[0]"),
        field("two merchants in a batch", BATCH_RECOMMEND, mixed, "requests[1].merchant_id"),
        field("backwards diff", DIFF_SNAPSHOTS, backwards, "from_generation"),
        field("policy `open`", SET_POLICY, policy("open", |_| ()), "policy.name"),
        Case {
            name: "two merchants in an upload",
            path: IMPORT_PRODUCTS,
            messages: vec![other.encode_to_vec(), elsewhere.encode_to_vec()],
            expect: Expect::Field("merchant_id".into()),
        },
    ]
}

fn duplicates() -> Vec<Case> {
    let twice = vec![product("twin", |_| ()), product("twin", |_| ())];
    let used = pb::UpsertProductsRequest { request_id: "used".into(), ..products(twice.clone()) };
    let two_rules = vec![rule("twin", |_| ()), rule("twin", |_| ())];
    let two_offers = offers(vec![offer("camera", |_| ()), offer("camera", |_| ())]);
    let product_ids = vec!["nobody".into(), "nobody".into()];
    let two_ids = pb::DeleteProductsRequest { merchant_id: merchant(), product_ids, request_id: "".into() };
    let replaced = pb::ReplaceRulesRequest { merchant_id: merchant(), rules: two_rules.clone() };
    let draft = simulated(two_rules.clone(), vec![asked(|_| ())]);
    let rejected = Outcome::Rejected;
    vec![
        item(
            "duplicate id: products",
            UPSERT_PRODUCTS,
            products(twice.clone()),
            rejected,
            "products[1].product_id",
        ),
        item("duplicate id: offers", SET_OFFERS, two_offers, rejected, "offers[1].product_id"),
        item("duplicate id: rules", UPSERT_RULES, rules(two_rules), rejected, "rules[1].rule_id"),
        item("duplicate id: deletes", DELETE_PRODUCTS, two_ids, rejected, "product_ids[1]"),
        field("duplicate id: draft", SIMULATE_RULES, draft, "upserts[1].rule_id"),
        field("duplicate id: replaced rules", REPLACE_RULES, replaced, "rules[1]"),
        field("duplicate id: replaced products", IMPORT_PRODUCTS, import(2, twice), "products[1]"),
        field("request id used for another request", UPSERT_PRODUCTS, used, "request_id"),
    ]
}

fn absurd_pages() -> Vec<Case> {
    let products = |page_token: &str| pb::ListProductsRequest {
        merchant_id: merchant(),
        page_token: page_token.into(),
        ..Default::default()
    };
    let rules = |page_token: &str| pb::ListRulesRequest {
        merchant_id: merchant(),
        page_token: page_token.into(),
        ..Default::default()
    };
    let merchants = pb::ListMerchantsRequest { page_token: "00".into(), ..Default::default() };
    let large = pb::ListProductsRequest { page_size: 1_001, ..products("") };
    vec![
        field("absurd page token: words", LIST_PRODUCTS, products("next please"), "page_token"),
        field("absurd page token: hex", LIST_RULES, rules("01ffffffffffffffff61"), "page_token"),
        field("absurd page token: long", LIST_PRODUCTS, products(&"ab".repeat(100_000)), "page_token"),
        field("absurd page size", LIST_PRODUCTS, large, "page_size"),
        field("absurd page token: merchants", LIST_MERCHANTS, merchants, "page_token"),
    ]
}

fn unknown_names() -> Vec<Case> {
    let nobody = || "nobody".to_owned();
    let choice = Some(pb::PolicyChoice { choice: Some(Choice::Name(nobody())) });
    let get = |merchant_id, product_id| pb::GetProductRequest { merchant_id, product_id, min_generation: 0 };
    let policy = pb::GetPolicyRequest { merchant_id: merchant(), name: nobody(), min_generation: 0 };
    let no_name = pb::DeletePolicyRequest { merchant_id: merchant(), ..Default::default() };
    let back = pb::RollBackRequest { merchant_id: merchant(), generation: 1_000, ..Default::default() };
    let diff = |from_generation, to_generation| pb::DiffSnapshotsRequest {
        merchant_id: merchant(),
        from_generation,
        to_generation,
    };
    let forgotten = pb::RollBackRequest { generation: 0, ..back.clone() };
    let no_rule = pb::SimulateRulesRequest {
        delete_ids: vec!["nothing".into()],
        ..simulated(vec![], vec![asked(|_| ())])
    };
    let not_found = Code::NotFound;
    vec![
        code(
            "unknown merchant",
            RECOMMEND,
            asked(|ask| ask.merchant_id = nobody()),
            not_found,
            "MERCHANT_NOT_FOUND",
        ),
        code("unknown policy", RECOMMEND, asked(|ask| ask.policy = choice), not_found, "POLICY_NOT_FOUND"),
        field("no policy", DELETE_POLICY, no_name, "name"),
        code("unknown policy", GET_POLICY, policy, not_found, "POLICY_NOT_FOUND"),
        code("unknown product", GET_PRODUCT, get(merchant(), nobody()), not_found, "PRODUCT_NOT_FOUND"),
        code("unknown merchant", GET_PRODUCT, get(nobody(), nobody()), not_found, "MERCHANT_NOT_FOUND"),
        field("bad product id", GET_PRODUCT, get(merchant(), "a\u{7}".into()), "product_id"),
        code("unknown generation", ROLL_BACK, back, not_found, "GENERATION_NOT_FOUND"),
        code("unknown generation", DIFF_SNAPSHOTS, diff(1, 1_000_000), not_found, "GENERATION_NOT_FOUND"),
        field("no generation", ROLL_BACK, forgotten, "generation"),
        field("no generation", DIFF_SNAPSHOTS, diff(0, 0), "from_generation"),
        field("unknown rule in a draft", SIMULATE_RULES, no_rule, "delete_ids[0]"),
        bad_ask("bad merchant id", |ask| ask.merchant_id = "Acme!".into(), "merchant_id"),
    ]
}
