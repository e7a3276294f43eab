//! Wire messages into the parts of a snapshot without a server: for measurements on files.
//!
//! A message is refused for what the services would refuse it for. Nothing is stored, and no quota is asked.

use sidecart::v1 as pb;
use sidecart_catalog::{Catalog, Violation};
use sidecart_rules::RuleSet;
use sidecart_scoring::Orders;

use crate::{convert, services::now};

/// Adds a product, or replaces the one of its id.
///
/// # Errors
/// The first fault, with its field path.
pub fn add_product(catalog: &mut Catalog, product: pb::Product) -> Result<(), Violation> {
    let product = convert::product::sent_from_pb(product, now())?;
    let added = catalog.upsert(product).map(|_| ());
    added.map_err(|conflict| Violation::new("family_id", conflict.to_string()))
}

/// Adds a rule, or replaces the one of its id.
///
/// # Errors
/// The first fault, with its field path.
pub fn add_rule(rules: &mut RuleSet, rule: pb::Rule) -> Result<(), Violation> {
    rules.upsert(convert::rule::from_pb(rule)?).map(|_| ())
}

/// Records what is told of an order.
///
/// # Errors
/// The first fault, with its field path.
pub fn add_order(orders: &mut Orders, order: pb::RecordedOrder) -> Result<(), Violation> {
    orders.record(convert::order::sent_from_pb(order, now())?).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_field_and_adds_nothing() {
        let (mut catalog, mut rules, mut orders) =
            (Catalog::default(), RuleSet::default(), Orders::default());
        let faults = [
            add_product(&mut catalog, pb::Product { product_id: "p".into(), ..Default::default() }),
            add_rule(&mut rules, pb::Rule { rule_id: "r".into(), ..Default::default() }),
            add_order(&mut orders, pb::RecordedOrder { order_id: "o".into(), ..Default::default() }),
        ];
        let fields = faults.map(|fault| fault.unwrap_err().field);
        assert_eq!(fields, ["title", "", "placed_at"]);
        assert!(catalog.is_empty() && rules.is_empty() && orders.is_empty());
    }
}
