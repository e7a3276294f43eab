//! Lines of orders.

use std::collections::HashSet;

use anyhow::Result;
use serde_json::{Map, Value};
use sidecart::v1 as pb;
use tonic::Status;

use super::{
    kind::{Kind, Upsertable},
    money,
    rows::{Row, RowIter},
};
use crate::{
    remote::Remote,
    wire::{self, Fault},
};

/// See [`pb::RecordedOrder`].
pub(crate) struct Orders;

/// Columns that say the same on every row of an order.
const ORDER: [&str; 4] = ["order_id", "shopper_id", "placed_at", "updated_at"];
/// Columns of one line.
const LINE: [&str; 6] =
    ["product_id", "quantity", "unit_price", "unit_price_minor_units", "unit_price_currency", "currency"];

impl Kind for Orders {
    type Item = pb::RecordedOrder;

    const NOUN: &'static str = "orders";

    fn has_column(name: &str) -> bool {
        ORDER.contains(&name) || LINE.contains(&name)
    }

    /// An order of one line; [`Orders::gathered`] puts together those of one order.
    fn line_of_cells(mut cells: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let mut fields: Map<String, Value> =
            ORDER.iter().filter_map(|name| cells.remove_entry(*name)).collect();
        // Tables hold ids as numbers where they look like such.
        let ids = fields.iter_mut().chain(cells.iter_mut()).filter(|(name, _)| name.ends_with("_id"));
        for (_, id) in ids.filter(|(_, id)| id.is_number()) {
            *id = id.to_string().into();
        }
        let currency = cells.remove("unit_price_currency").or_else(|| cells.remove("currency"));
        let mut line = Map::new();
        money::take(&mut cells, "unit_price", currency.as_ref(), &mut line)?;
        line.append(&mut cells);
        fields.insert("lines".into(), Value::Array(vec![line.into()]));
        Ok(fields)
    }

    fn gathered(rows: impl Iterator<Item = Result<Row>> + Send + 'static) -> RowIter {
        Box::new(Gathered { rows: Box::new(rows), open: None, closed: HashSet::new() })
    }

    fn item(fields: Map<String, Value>) -> Result<pb::RecordedOrder, Fault> {
        wire::from_json(fields)
    }

    fn id(item: &pb::RecordedOrder) -> &str {
        &item.order_id
    }
}

impl Upsertable for Orders {
    async fn upsert(
        remote: &Remote,
        orders: Vec<pb::RecordedOrder>,
        request_id: String,
    ) -> Result<(u64, Vec<pb::ItemOutcome>), Status> {
        let request = pb::RecordOrdersRequest { merchant_id: remote.merchant.clone(), orders, request_id };
        let answer = remote.client.orders().record_orders(remote.call(request)).await?.into_inner();
        Ok((answer.generation, answer.outcomes))
    }
}

/// Rows of lines, gathered into rows of orders.
struct Gathered {
    rows: RowIter,
    /// The order whose rows are being read.
    open: Option<Open>,
    /// Orders whose rows were read: one that comes again would overwrite itself.
    closed: HashSet<String>,
}

struct Open {
    /// `None`: the row is not readable, so it stands alone.
    id: Option<String>,
    row: Row,
}

impl Iterator for Gathered {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        for row in self.rows.by_ref() {
            let row = match row {
                Ok(row) => row,
                Err(fault) => return Some(Err(fault)),
            };
            let id = row
                .fields
                .as_ref()
                .ok()
                .and_then(|fields| Some(fields.get("order_id")?.as_str()?.to_owned()));
            match &mut self.open {
                Some(open) if id.is_some() && open.id == id => open.add(row),
                _ => {
                    if let Some(done) = self.open.replace(Open { id, row }) {
                        return Some(Ok(self.close(done)));
                    }
                }
            }
        }
        self.open.take().map(|done| Ok(self.close(done)))
    }
}

impl Gathered {
    fn close(&mut self, Open { id, mut row }: Open) -> Row {
        if let Some(id) = id
            && !self.closed.insert(id)
        {
            let reason = "has more rows further up: the rows of one order must stand one after another";
            row.fields = Err(Fault::new("order_id", reason));
        }
        row
    }
}

impl Open {
    /// Adds the line of another row. An order whose rows disagree is not imported.
    fn add(&mut self, row: Row) {
        let (Ok(order), Ok(mut fields)) = (&mut self.row.fields, row.fields) else { return };
        if let Some(field) = ORDER.iter().find(|name| order.get(**name) != fields.get(**name)) {
            let reason = format!("is not the same on line {} as further up", row.line);
            self.row.fields = Err(Fault::new(*field, reason));
            return;
        }
        if let (Some(Value::Array(lines)), Some(Value::Array(more))) =
            (order.get_mut("lines"), fields.get_mut("lines"))
        {
            lines.append(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gathered(rows: &[(&str, &str, &str)]) -> Vec<(u64, Result<Value, String>)> {
        let rows: Vec<_> = rows.iter().zip(1..).map(|((order, shopper, product), line)| {
            let cells = json!({ "order_id": order, "shopper_id": shopper, "product_id": product, "quantity": "2" });
            let Value::Object(cells) = cells else { unreachable!("it is an object") };
            Ok(Row { line, fields: Orders::line_of_cells(cells) })
        }).collect();
        let orders = Orders::gathered(rows.into_iter()).map(Result::unwrap);
        orders
            .map(|row| (row.line, row.fields.map(Value::Object).map_err(|fault| fault.to_string())))
            .collect()
    }

    #[test]
    fn rows_of_one_order_become_one_order() {
        let orders = gathered(&[("1", "ada", "a"), ("1", "ada", "b"), ("2", "bob", "a")]);
        let lines =
            |order: &Result<Value, String>| order.as_ref().unwrap()["lines"].as_array().unwrap().len();
        assert_eq!(
            orders.iter().map(|(line, order)| (*line, lines(order))).collect::<Vec<_>>(),
            [(1, 2), (3, 1)]
        );
    }

    #[test]
    fn an_order_whose_rows_are_scattered_or_disagree_is_rejected() {
        let orders = gathered(&[("1", "ada", "a"), ("2", "bob", "a"), ("1", "ada", "b")]);
        assert!(orders[2].1.as_ref().unwrap_err().contains("one after another"), "{:?}", orders[2]);
        let orders = gathered(&[("1", "ada", "a"), ("1", "bob", "b"), ("1", "ada", "c")]);
        assert_eq!(orders.len(), 1);
        assert!(orders[0].1.as_ref().unwrap_err().starts_with("shopper_id: is not the same on line 2"));
    }
}
