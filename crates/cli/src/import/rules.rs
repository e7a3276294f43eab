//! Lines of rules.

use serde_json::{Map, Value, json};
use sidecart::v1 as pb;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Status};

use super::{
    cells::{split_list, split_path, truth},
    kind::{Kind, Replaceable, Upsertable},
    report::Counts,
};
use crate::{
    remote::Remote,
    wire::{self, Fault},
};

/// See [`pb::Rule`].
pub(crate) struct Rules;

/// Columns of the pairing itself, and columns of the rule around it.
const PAIRING: [&str; 5] = ["relation", "need", "position", "sentence", "mutual"];
const RULE: [&str; 5] = ["rule_id", "anchor", "target", "stages", "note"];

impl Kind for Rules {
    type Item = pb::Rule;

    const NOUN: &'static str = "rules";

    fn has_column(name: &str) -> bool {
        PAIRING.contains(&name) || RULE.contains(&name)
    }

    fn line_of_cells(cells: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let mut pairing = Map::new();
        let mut line = Map::new();
        for (name, value) in cells {
            let value = match (name.as_str(), value) {
                ("anchor" | "target", value) => {
                    selector(value).map_err(|reason| Fault::new(&name, reason))?
                }
                ("stages", Value::String(text)) => json!(split_list(&text)),
                ("mutual", value) => truth(&value).map_err(|reason| Fault::new(&name, reason))?.into(),
                (_, value) => value,
            };
            let place = if PAIRING.contains(&name.as_str()) { &mut pairing } else { &mut line };
            place.insert(name, value);
        }
        line.insert("pairing".into(), pairing.into());
        Ok(line)
    }

    fn item(fields: Map<String, Value>) -> Result<pb::Rule, Fault> {
        wire::from_json(fields)
    }

    fn id(item: &pb::Rule) -> &str {
        &item.rule_id
    }
}

impl Upsertable for Rules {
    async fn upsert(
        remote: &Remote,
        rules: Vec<pb::Rule>,
        request_id: String,
    ) -> Result<(u64, Vec<pb::ItemOutcome>), Status> {
        let request = pb::UpsertRulesRequest { merchant_id: remote.merchant.clone(), rules, request_id };
        let answer = remote.client.rules().upsert_rules(remote.call(request)).await?.into_inner();
        Ok((answer.generation, answer.outcomes))
    }
}

impl Replaceable for Rules {
    async fn replace(
        remote: &Remote,
        items: impl Stream<Item = Vec<pb::Rule>> + Send + 'static,
    ) -> Result<(u64, Counts), Status> {
        let first = pb::ReplaceRulesRequest { merchant_id: remote.merchant.clone(), rules: Vec::new() };
        let later = items.map(|rules| pb::ReplaceRulesRequest { rules, ..Default::default() });
        let messages = tokio_stream::once(first).chain(later);
        let answer = remote.client.rules().replace_rules(Request::new(messages)).await?.into_inner();
        let counts = Counts {
            created: answer.created_count,
            updated: answer.updated_count,
            unchanged: answer.unchanged_count,
            deleted: answer.deleted_count,
        };
        Ok((answer.generation, counts))
    }
}

/// Reads `tag:a|product:b`, or a list of such terms, into a selector of any of them.
fn selector(value: Value) -> Result<Value, String> {
    let terms = match value {
        Value::String(text) => split_list(&text),
        Value::Array(terms) => terms.iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect(),
        value => return Err(format!("is {value}, which is not text")),
    };
    let terms = terms.iter().map(|text| term(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "any_of": terms }))
}

fn term(text: &str) -> Result<Value, String> {
    let wrong =
        || format!("`{text}` is none of product:ID, family:ID, category:A > B, tag:TAG, attr:NAME=VALUE");
    let (kind, value) = text.split_once(':').ok_or_else(wrong)?;
    let value = value.trim();
    match kind.trim() {
        _ if value.is_empty() => Err(wrong()),
        "product" => Ok(json!({ "product_id": value })),
        "family" => Ok(json!({ "family_id": value })),
        "category" => Ok(json!({ "category": { "path": split_path(value) } })),
        "tag" => Ok(json!({ "tag": value })),
        "attr" => {
            let (name, value) = value.split_once('=').ok_or_else(wrong)?;
            Ok(json!({ "attribute": { "name": name, "value": value } }))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_cells(cells: &[(&str, &str)]) -> Result<pb::Rule, String> {
        let cells = cells.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        Rules::line_of_cells(cells).and_then(Rules::item).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_line_and_a_row_say_the_same() {
        let line = r#"{"rule_id": "r", "pairing": {"relation": "RELATION_ACCESSORY", "need": "card", "position": 2,
            "mutual": true}, "stages": ["STAGE_CART", "STAGE_PRODUCT"],
            "anchor": {"any_of": [{"category": {"path": ["Photo", "Cameras"]}}, {"product_id": "sku:1"}]},
            "target": {"any_of": [{"attribute": {"name": "mount", "value": "E=1"}}, {"tag": "t"}, {"family_id": "f"}]}}"#;
        let cells = [
            ("rule_id", "r"),
            ("relation", "accessory"),
            ("need", "card"),
            ("position", "2"),
            ("mutual", "yes"),
            ("stages", "CART|PRODUCT"),
            ("anchor", "category:Photo > Cameras | product:sku:1"),
            ("target", "attr:mount=E=1|tag:t|family:f"),
        ];
        assert_eq!(of_cells(&cells).unwrap(), wire::object(line).and_then(Rules::item).unwrap());
    }

    #[test]
    fn bad_cells_name_the_column() {
        let wrong = "is none of product:ID, family:ID, category:A > B, tag:TAG, attr:NAME=VALUE";
        let cases = [
            (("anchor", "Cameras"), format!("anchor: `Cameras` {wrong}")),
            (("target", "tag:a|brand:x"), format!("target: `brand:x` {wrong}")),
            (("target", "tag:"), format!("target: `tag:` {wrong}")),
            (("target", "attr:mount"), format!("target: `attr:mount` {wrong}")),
            (("mutual", "both"), "mutual: is \"both\", which is neither true nor false".to_owned()),
            (
                ("position", "first"),
                "pairing.position: is \"first\", which is not a whole number of 0 or more that fits"
                    .to_owned(),
            ),
        ];
        for (cell, expected) in cases {
            assert_eq!(of_cells(&[cell]).unwrap_err(), expected, "{cell:?}");
        }
    }
}
