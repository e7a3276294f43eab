//! Lines of products.

use serde_json::{Map, Value, json};
use sidecart::v1 as pb;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Status};

use super::{
    cells::{split_list, split_path, truth},
    kind::{Kind, Replaceable, Upsertable},
    money,
    report::Counts,
};
use crate::{
    remote::Remote,
    wire::{self, Fault},
};

/// See [`pb::Product`].
pub(crate) struct Products;

/// Columns that hold a field as it is.
const PLAIN: [&str; 11] = [
    "product_id",
    "title",
    "family_id",
    "availability",
    "in_stock",
    "stock_quantity",
    "kind",
    "days_of_supply",
    "price_set_time",
    "stock_set_time",
    "attributes",
];
const LISTS: [&str; 2] = ["tags", "aliases"];
const MONEY: [&str; 6] =
    ["price_currency", "currency", "price_minor_units", "price", "unit_cost_minor_units", "unit_cost"];
const ATTRIBUTE: &str = "attr:";
const NUMBER: &str = ":number";

impl Kind for Products {
    type Item = pb::Product;

    const NOUN: &'static str = "products";

    fn has_column(name: &str) -> bool {
        PLAIN.contains(&name)
            || LISTS.contains(&name)
            || MONEY.contains(&name)
            || name == "category_path"
            || name.strip_prefix(ATTRIBUTE).is_some_and(|rest| !rest.is_empty())
    }

    fn line_of_cells(mut cells: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let mut line = Map::new();
        let currency = cells.remove("price_currency").or_else(|| cells.remove("currency"));
        for field in ["price", "unit_cost"] {
            money::take(&mut cells, field, currency.as_ref(), &mut line)?;
        }
        let mut attributes = Map::new();
        for (name, value) in cells {
            if let Some(attribute) = name.strip_prefix(ATTRIBUTE) {
                add_attribute(&mut attributes, attribute, value)
                    .map_err(|reason| Fault::new(&name, reason))?;
                continue;
            }
            let value = match (name.as_str(), &value) {
                ("category_path", Value::String(path)) => json!(split_path(path)),
                (list, Value::String(text)) if LISTS.contains(&list) => json!(split_list(text)),
                _ => value,
            };
            line.insert(name, value);
        }
        if !attributes.is_empty() {
            line.insert("attributes".into(), attributes.into());
        }
        Ok(line)
    }

    fn item(mut fields: Map<String, Value>) -> Result<pb::Product, Fault> {
        if let Some(in_stock) = fields.remove("in_stock").filter(|it| !it.is_null()) {
            let in_stock = truth(&in_stock).map_err(|reason| Fault::new("in_stock", reason))?;
            if fields.contains_key("availability") {
                return Err(Fault::new("in_stock", "says the same as availability: give one"));
            }
            let availability = if in_stock { "IN_STOCK" } else { "OUT_OF_STOCK" };
            fields.insert("availability".into(), availability.into());
        }
        if let Some(Value::Object(attributes)) = fields.get_mut("attributes") {
            for (name, values) in attributes {
                let typed =
                    typed_values(values.take()).map_err(|it| Fault::new(format!("attributes.{name}"), it))?;
                *values = typed;
            }
        }
        wire::from_json(fields)
    }

    fn id(item: &pb::Product) -> &str {
        &item.product_id
    }
}

impl Upsertable for Products {
    async fn upsert(
        remote: &Remote,
        products: Vec<pb::Product>,
        request_id: String,
    ) -> Result<(u64, Vec<pb::ItemOutcome>), Status> {
        let request =
            pb::UpsertProductsRequest { merchant_id: remote.merchant.clone(), products, request_id };
        let answer = remote.client.catalog().upsert_products(remote.call(request)).await?.into_inner();
        Ok((answer.generation, answer.outcomes))
    }
}

impl Replaceable for Products {
    async fn replace(
        remote: &Remote,
        items: impl Stream<Item = Vec<pb::Product>> + Send + 'static,
    ) -> Result<(u64, Counts), Status> {
        let first = pb::ImportProductsRequest {
            merchant_id: remote.merchant.clone(),
            mode: pb::ImportMode::Replace.into(),
            products: Vec::new(),
        };
        let later = items.map(|products| pb::ImportProductsRequest { products, ..Default::default() });
        let messages = tokio_stream::once(first).chain(later);
        let answer = remote.client.catalog().import_products(Request::new(messages)).await?.into_inner();
        let counts = Counts {
            created: answer.created_count,
            updated: answer.updated_count,
            unchanged: answer.unchanged_count,
            deleted: answer.deleted_count,
        };
        Ok((answer.generation, counts))
    }
}

/// Adds the values of a column `attr:NAME` or `attr:NAME:number`.
fn add_attribute(attributes: &mut Map<String, Value>, column: &str, value: Value) -> Result<(), String> {
    let (name, is_number) = column.strip_suffix(NUMBER).map_or((column, false), |name| (name, true));
    let values = match value {
        Value::String(text) => split_list(&text).into_iter().map(Value::String).collect(),
        Value::Array(values) => values,
        value => vec![value],
    };
    let values = values.into_iter().map(|value| match value {
        Value::String(text) if is_number => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Value::from).ok_or_else(|| format!("is `{text}`, which is not a number"))
        }
        value => Ok(value),
    });
    let values: Vec<_> = values.collect::<Result<_, _>>()?;
    let known = attributes.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(known) = known {
        known.extend(values);
    }
    Ok(())
}

/// Turns a list of text and numbers, or one alone, into the wire's form, which is taken too.
fn typed_values(values: Value) -> Result<Value, String> {
    let values = match values {
        Value::Object(_) => return Ok(values),
        Value::Array(values) => values,
        value => vec![value],
    };
    let (mut text, mut number) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::String(_) => text.push(value),
            Value::Number(_) => number.push(value),
            other => return Err(format!("is {other}, which is neither text nor a number")),
        }
    }
    Ok(json!({ "text": text, "number": number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_line(text: &str) -> Result<pb::Product, String> {
        wire::object(text).and_then(Products::item).map_err(|fault| fault.to_string())
    }

    fn of_cells(cells: &[(&str, &str)]) -> Result<pb::Product, String> {
        let cells = cells.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        Products::line_of_cells(cells).and_then(Products::item).map_err(|fault| fault.to_string())
    }

    fn camera() -> pb::Product {
        let values = |text: &[&str], number: &[f64]| pb::AttributeValues {
            text: text.iter().map(ToString::to_string).collect(),
            number: number.to_vec(),
        };
        pb::Product {
            product_id: "v20".into(),
            title: "V20".into(),
            category_path: vec!["Photo".into(), "Cameras".into()],
            price: Some(pb::Money { currency: "USD".into(), minor_units: 1299 }),
            unit_cost: Some(pb::Money { currency: "USD".into(), minor_units: 900 }),
            availability: pb::Availability::OutOfStock.into(),
            stock_quantity: Some(0),
            kind: pb::ProductKind::Consumable.into(),
            days_of_supply: Some(30),
            tags: vec!["a".into(), "b".into()],
            attributes: [("mount".into(), values(&["OV", "67"], &[])), ("g".into(), values(&[], &[67.5]))]
                .into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_line_and_a_row_say_the_same() {
        let line = r#"{"product_id":"v20","title":"V20","category_path":["Photo","Cameras"],
            "price":{"currency":"USD","minor_units":1299},"unit_cost":{"currency":"USD","minor_units":900},
            "in_stock":false,"stock_quantity":0,"kind":"CONSUMABLE","days_of_supply":30,"tags":["a","b"],
            "attributes":{"mount":["OV","67"],"g":[67.5]}}"#;
        assert_eq!(of_line(line).unwrap(), camera());
        let cells = [
            ("product_id", "v20"),
            ("title", "V20"),
            ("category_path", "Photo > Cameras"),
            ("currency", "USD"),
            ("price", "12.99"),
            ("unit_cost_minor_units", "900"),
            ("in_stock", "no"),
            ("stock_quantity", "0"),
            ("kind", "consumable"),
            ("days_of_supply", "30"),
            ("tags", "a|b"),
            ("attr:mount", "OV|67"),
            ("attr:g:number", "67.5"),
        ];
        assert_eq!(of_cells(&cells).unwrap(), camera());
    }

    #[test]
    fn what_is_listed_can_be_imported() {
        let line = r#"{"product_id":"p","availability":"AVAILABILITY_PREORDER","stock_quantity":"5",
            "attributes":{"g":{"text":["x"],"number":[1]}},"price_set_time":"2026-01-01T00:00:00Z"}"#;
        let product = of_line(line).unwrap();
        assert_eq!(product.availability(), pb::Availability::Preorder);
        assert_eq!(
            (product.stock_quantity, product.attributes["g"].number.as_slice()),
            (Some(5), [1.0].as_slice())
        );
    }

    #[test]
    fn bad_lines_name_the_field() {
        let cases = [
            (r#"{"product_id": 7}"#, "product_id: is 7, which is not a text"),
            (r#"{"sku": "a"}"#, "sku: is not a known field"),
            (r#"{"price": {"amount": 1}}"#, "price.amount: is not a known field"),
            (r#"{"price": 12.99}"#, "price: is not an object"),
            (
                r#"{"price": {"currency": "USD", "minor_units": 12.99}}"#,
                "price.minor_units: is 12.99, which is not a whole number that fits",
            ),
            (r#"{"kind": "THING"}"#, "kind: is `THING`, which is none of DURABLE, CONSUMABLE, SERVICE"),
            (r#"{"in_stock": "maybe"}"#, "in_stock: is \"maybe\", which is neither true nor false"),
            (
                r#"{"in_stock": true, "availability": "PREORDER"}"#,
                "in_stock: says the same as availability: give one",
            ),
            (r#"{"attributes": {"a": [true]}}"#, "attributes.a: is true, which is neither text nor a number"),
            (r#"{"attributes": ["a"]}"#, "attributes: is not an object"),
            (
                r#"{"days_of_supply": -1}"#,
                "days_of_supply: is -1, which is not a whole number of 0 or more that fits",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(of_line(line).unwrap_err(), expected, "{line}");
        }
    }

    #[test]
    fn bad_cells_name_the_column() {
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[("price", "1")], "price: has no currency: add the column currency"),
            (&[("price", "1.999"), ("currency", "USD")], "price: is 1.999, but USD has 2 decimals"),
            (&[("price", "-1"), ("currency", "USD")], "price: is `-1`, which is not an amount such as 12.99"),
            (
                &[("price", "1"), ("currency", "usd")],
                "price: currency `usd` is not an upper-case ISO 4217 code such as `USD`",
            ),
            (&[("attr:g:number", "x")], "attr:g:number: is `x`, which is not a number"),
            (
                &[("stock_quantity", "many")],
                "stock_quantity: is \"many\", which is not a whole number that fits",
            ),
        ];
        for (cells, expected) in cases {
            assert_eq!(of_cells(cells).unwrap_err(), expected, "{cells:?}");
        }
    }
}
