//! `import`: files of products, rules and orders, line by line, into a merchant.
//!
//! Every format is turned into the JSON form of a line first, so that there is one way to read an item.

mod affinities;
mod cells;
mod chunks;
mod kind;
mod local;
mod money;
mod orders;
mod parquet;
mod products;
mod progress;
mod report;
mod rows;
mod rules;
mod upload;

use anyhow::Result;

pub(crate) use cells::split_path;
pub(crate) use kind::{Kind, Upsertable};
pub(crate) use local::read;
pub(crate) use orders::Orders;
pub(crate) use products::Products;
pub(crate) use progress::Progress;
pub(crate) use rows::rows_of_text;
pub(crate) use rules::Rules;
pub(crate) use upload::upsert;

use self::{affinities::Affinities, kind::Replaceable, report::Report, rows::Rows, upload::Empty};
use crate::{
    args::{ImportArgs, ImportKind},
    exit::{Exit, Usage},
    out::Output,
    remote::Remote,
};

/// What the files look like, as `sidecart import --help` tells it.
pub(crate) const FORMATS: &str = "\
Products, JSON Lines: one object a line with product_id, title, family_id, category_path, attributes, tags, price,
unit_cost, in_stock or availability, stock_quantity, kind, days_of_supply, aliases, price_set_time, stock_set_time.
  {\"product_id\":\"v20\",\"title\":\"V20 camera\",\"category_path\":[\"Photo\",\"Cameras\"],\"kind\":\"DURABLE\",
   \"price\":{\"currency\":\"USD\",\"minor_units\":109900},\"in_stock\":true,\"attributes\":{\"mount\":[\"OV\"],\"weight_kg\":[0.7]}}

Products, CSV and Parquet: columns of the same names, and
  category_path              names joined by \" > \"
  tags, aliases              joined by \"|\"
  price_currency             with price_minor_units (whole), or with price (decimal, such as 12.99)
  currency                   the same as price_currency
  unit_cost_minor_units      or unit_cost (decimal), in the currency of the price
  attr:NAME                  text values of the attribute NAME, joined by \"|\"
  attr:NAME:number           number values of the attribute NAME, joined by \"|\"
An empty cell is an absent value. Parquet may hold lists, numbers and booleans as such.

Rules, JSON Lines: one object a line, proto3 JSON of sidecart.v1.Rule; enum names may leave out their prefix.
  {\"rule_id\":\"card\",\"pairing\":{\"relation\":\"REQUIRED_ACCESSORY\",\"need\":\"memory card\"},
   \"anchor\":{\"any_of\":[{\"category\":{\"path\":[\"Photo\",\"Cameras\"]}}]},\"target\":{\"any_of\":[{\"tag\":\"sd-card\"}]}}

Rules, CSV and Parquet, for simple pairings: columns rule_id, relation, need, anchor, target, position, sentence,
mutual, stages, note. anchor and target are one or more of these joined by \"|\", any of which may hold:
  product:ID   family:ID   category:Photo > Cameras   tag:TAG   attr:NAME=VALUE

Orders, JSON Lines: one object a line, proto3 JSON of sidecart.v1.RecordedOrder.
  {\"order_id\":\"1001\",\"shopper_id\":\"ada\",\"placed_at\":\"2026-11-01T09:30:00Z\",\"lines\":[
   {\"product_id\":\"v20\",\"quantity\":1,\"unit_price\":{\"currency\":\"USD\",\"minor_units\":109900}}],
   \"changes\":[{\"change_id\":\"r1\",\"at\":\"2026-11-09T10:00:00Z\",\"refunded\":{\"product_id\":\"v20\"}}]}

Orders, CSV and Parquet: one row for each line of an order, the rows of one order one after another, columns order_id,
shopper_id, placed_at, updated_at, product_id, quantity, and
  unit_price_currency        with unit_price_minor_units (whole), or with unit_price (decimal)
  currency                   the same as unit_price_currency

Affinities, JSON Lines: one object a line, proto3 JSON of sidecart.v1.Affinity; CSV and Parquet: columns anchor_id,
target_id, kind (BOUGHT_WITH or BOUGHT_AFTER), score, support, lift, provenance. The file is the whole of what is imported,
as with --replace.
  {\"anchor_id\":\"v20\",\"target_id\":\"sd-128\",\"score\":0.2,\"support\":412,\"provenance\":\"two-tower 2026-11\"}

Rejected lines are listed on standard error with their number and reason; the rest is imported, and the exit code is 3.
With --replace one rejected line means that nothing is imported, and the exit code is 1.";

/// Loads a file.
///
/// # Errors
/// The file cannot be read, the server refuses as a whole, or with `--replace` a line is rejected.
pub(crate) async fn import(remote: &Remote, args: ImportArgs, output: Output) -> Result<Exit> {
    match args.what {
        ImportKind::Products => import_or_replace::<Products>(remote, args, output).await,
        ImportKind::Rules => import_or_replace::<Rules>(remote, args, output).await,
        ImportKind::Affinities => {
            let (rows, progress) = open::<Affinities>(&args)?;
            let empty = if args.allow_empty { Empty::Meant } else { Empty::Refused };
            finish(&upload::replace::<Affinities>(remote, rows, empty, progress).await?, output)
        }
        ImportKind::Orders if args.replace => {
            Err(Usage("orders are added to, never replaced: leave out --replace".to_owned()).into())
        }
        ImportKind::Orders => {
            let (rows, progress) = open::<Orders>(&args)?;
            finish(&upsert::<Orders>(remote, rows, progress).await?, output)
        }
    }
}

async fn import_or_replace<K: Replaceable + Upsertable>(
    remote: &Remote,
    args: ImportArgs,
    output: Output,
) -> Result<Exit> {
    let (rows, progress) = open::<K>(&args)?;
    let report = if args.replace {
        let empty = if args.allow_empty { Empty::Meant } else { Empty::Refused };
        upload::replace::<K>(remote, rows, empty, progress).await?
    } else {
        upsert::<K>(remote, rows, progress).await?
    };
    finish(&report, output)
}

fn open<K: Kind>(args: &ImportArgs) -> Result<(Rows, Progress)> {
    let rows = Rows::open::<K>(&args.file)?;
    let progress = Progress::new(K::NOUN, args.file.display().to_string(), &rows);
    Ok((rows, progress))
}

fn finish(report: &Report, output: Output) -> Result<Exit> {
    report.print(output)?;
    Ok(if report.rejected_count == 0 { Exit::Done } else { Exit::PartlyRejected })
}
