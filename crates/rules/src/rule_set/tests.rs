//! The indexes beside a naive reference: a look at every rule.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sidecart_catalog::{Catalog, Term};

use super::*;
use crate::{
    rule::{Boost, RuleParts},
    testing::{any, block, catalog, category, pairing, pairing_with, product, rule, rules, sku, tag},
};

const TERMS: usize = 8;

fn term(at: usize) -> Term {
    match at {
        0 => category("A"),
        1 => category("A > B"),
        2 => category("C"),
        3 => tag("x"),
        4 => tag("y"),
        5 => sku("p0"),
        6 => sku("p1"),
        _ => tag("nowhere"),
    }
}

fn shop() -> Catalog {
    catalog([
        product("p0", "A", &["x"], &[]),
        product("p1", "A > B", &["x", "y"], &[]),
        product("p2", "A > B", &[], &[]),
        product("p3", "C", &["y"], &[]),
    ])
}

fn selector() -> impl Strategy<Value = Selector> {
    let terms = |most| prop::sample::subsequence((0..TERMS).map(term).collect::<Vec<_>>(), 0..=most);
    (terms(4), terms(2), terms(2))
        .prop_filter_map("refused", |(any_of, all_of, none_of)| Selector::new(any_of, all_of, none_of).ok())
}

fn some_rule() -> impl Strategy<Value = Rule> {
    (0..30_u32, 0..4_u8, selector(), selector()).prop_filter_map("refused", |(id, kind, anchor, target)| {
        let id = format!("r{id}");
        let parts = match kind {
            0 => pairing(&id, anchor, target),
            1 => pairing_with(pairing(&id, anchor, target), |own| own.mutual = true),
            2 => block(&id, Some(anchor), target),
            _ => rule(&id, Says::Boost(Boost::new(2.0).unwrap()), None, target),
        };
        Rule::new(parts).ok()
    })
}

#[derive(Debug, Clone)]
enum Step {
    Upsert(Box<Rule>),
    Remove(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => some_rule().prop_map(|rule| Step::Upsert(Box::new(rule))),
        1 => (0..30_u32).prop_map(|id| Step::Remove(format!("r{id}"))),
    ]
}

type Model = BTreeMap<String, Rule>;

/// Every way in which a rule is read from a product, by rule id then direction.
fn naive_pairings(model: &Model, anchor: &Entry) -> Vec<(String, Direction)> {
    let ways = model
        .values()
        .filter(|rule| rule.pairing().is_some())
        .flat_map(|rule| rule.directions().iter().map(move |direction| (rule, *direction)));
    ways.filter(|(rule, direction)| rule.selectors(*direction).0.unwrap().selects(anchor))
        .map(|(rule, direction)| (rule.id().to_string(), direction))
        .collect()
}

fn naive_targets(model: &Model, target: &Entry, wanted: fn(&Says) -> bool) -> Vec<String> {
    let selecting =
        model.values().filter(|rule| wanted(&rule.parts().says) && rule.parts().target.selects(target));
    selecting.map(|rule| rule.id().to_string()).collect()
}

fn check(rules: &RuleSet, model: &Model, shop: &Catalog) -> Result<(), TestCaseError> {
    prop_assert!(rules.list(None).map(|rule| &**rule).eq(model.values()));
    prop_assert_eq!(rules.len(), model.len());
    for entry in shop.iter() {
        let found = rules.pairings_from(entry).map(|way| (way.rule.id().to_string(), way.direction));
        prop_assert_eq!(found.collect::<Vec<_>>(), naive_pairings(model, entry));
        let ids = |rule: &Arc<Rule>| rule.id().to_string();
        let blocks = naive_targets(model, entry, |says| matches!(says, Says::Block));
        prop_assert_eq!(rules.blocks_on(entry).map(ids).collect::<Vec<_>>(), blocks);
        let boosts = naive_targets(model, entry, |says| matches!(says, Says::Boost(_)));
        prop_assert_eq!(rules.boosts_on(entry).map(ids).collect::<Vec<_>>(), boosts);
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_indexes_agree_with_a_look_at_every_rule(steps in prop::collection::vec(step(), 0..60)) {
        let shop = shop();
        let (mut rules, mut model) = (RuleSet::default(), Model::new());
        let mut halfway = None;
        let count = steps.len();
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Upsert(rule) => {
                    let expected = match model.insert(rule.id().to_string(), (*rule).clone()) {
                        None => Change::Created,
                        Some(old) if old == *rule => Change::Unchanged,
                        Some(_) => Change::Updated,
                    };
                    prop_assert_eq!(rules.upsert(*rule).unwrap(), expected);
                }
                Step::Remove(id) => prop_assert_eq!(rules.remove(&id), model.remove(&id).is_some()),
            }
            if at == count / 2 {
                halfway = Some((rules.clone(), model.clone()));
            }
        }
        check(&rules, &model, &shop)?;
        if let Some((rules, model)) = halfway {
            check(&rules, &model, &shop)?;
        }
    }

    #[test]
    fn the_order_of_loading_does_not_show(ids in prop::collection::vec(0..2_000_u32, 0..600)) {
        let shop = shop();
        let entry = shop.get("p0").unwrap();
        let parts = |id: &u32| pairing(&format!("r{id:04}"), any([category("A"), tag("x")]), any([tag("y")]));
        let found = |rules: &RuleSet| -> Vec<String> {
            rules.pairings_from(entry).map(|way| way.rule.id().to_string()).collect()
        };
        let as_given = rules(ids.iter().map(parts));
        let reversed = rules(ids.iter().rev().map(parts));
        prop_assert!(found(&as_given).is_sorted());
        prop_assert_eq!(found(&as_given), found(&reversed));
        prop_assert_eq!(found(&as_given).len(), as_given.len());
    }
}

#[test]
fn listing_goes_on_after_an_id() {
    let rules = rules(["c", "a", "b"].map(|id| pairing(id, any([tag("x")]), any([tag("y")]))));
    for (after, ids) in [(None, "abc"), (Some("a"), "bc"), (Some("aa"), "bc"), (Some("c"), "")] {
        assert_eq!(rules.list(after).map(|rule| rule.id().as_str()).collect::<String>(), ids, "{after:?}");
    }
}

#[test]
fn a_pairing_for_one_product_keeps_away_from_others() {
    let shop = shop();
    let parts: Vec<RuleParts> = vec![pairing("r", any([sku("p0")]), any([sku("p1")]))];
    let rules = rules(parts);
    for (id, count) in [("p0", 1), ("p1", 0), ("p2", 0)] {
        assert_eq!(rules.pairings_from(shop.get(id).unwrap()).count(), count, "{id}");
    }
    assert!(rules.get("r").is_some() && rules.get("other").is_none());
}
