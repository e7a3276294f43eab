//! What was learned: as it is stored, and as it is described to callers.
//!
//! A model is stored as one message cut into pieces. Its arrays are packed; names of fields are for the store alone.

use prost::Message;
use sidecart::v1 as pb;
use sidecart_catalog::{CategoryPath, ProductId, Timestamp, Violation};
use sidecart_scoring::model::{Calibrations, Facts, Lists, Logistic, Model, ModelParts, Paces};

use super::time;

#[derive(Clone, PartialEq, Message)]
struct StoredModel {
    #[prost(message, optional, tag = "1")]
    facts: Option<StoredFacts>,
    #[prost(string, repeated, tag = "2")]
    products: Vec<String>,
    #[prost(uint32, repeated, tag = "3")]
    orders: Vec<u32>,
    #[prost(float, repeated, tag = "4")]
    recent: Vec<f32>,
    #[prost(message, optional, tag = "5")]
    with: Option<StoredLists>,
    #[prost(float, repeated, tag = "6")]
    with_chance: Vec<f32>,
    #[prost(float, repeated, tag = "7")]
    with_pull: Vec<f32>,
    #[prost(float, repeated, tag = "8")]
    with_bond: Vec<f32>,
    #[prost(uint32, repeated, tag = "9")]
    with_support: Vec<u32>,
    #[prost(float, repeated, tag = "10")]
    with_lift: Vec<f32>,
    #[prost(message, repeated, tag = "11")]
    categories: Vec<StoredPath>,
    #[prost(message, optional, tag = "12")]
    beside: Option<StoredLists>,
    #[prost(float, repeated, tag = "13")]
    beside_chance: Vec<f32>,
    #[prost(message, optional, tag = "14")]
    baskets: Option<StoredLists>,
    #[prost(float, repeated, tag = "15")]
    basket_weight: Vec<f32>,
    #[prost(message, optional, tag = "16")]
    latest: Option<StoredLists>,
    #[prost(float, repeated, tag = "20")]
    again: Vec<f32>,
    #[prost(float, repeated, tag = "21")]
    again_lift: Vec<f32>,
    #[prost(message, optional, tag = "22")]
    after: Option<StoredLists>,
    #[prost(float, repeated, tag = "23")]
    after_pull: Vec<f32>,
    #[prost(uint32, repeated, tag = "24")]
    after_support: Vec<u32>,
    #[prost(float, repeated, tag = "25")]
    after_lift: Vec<f32>,
    #[prost(float, repeated, tag = "26")]
    after_gap_days: Vec<f32>,
    #[prost(uint32, repeated, tag = "28")]
    beside_support: Vec<u32>,
    #[prost(float, repeated, tag = "29")]
    beside_lift: Vec<f32>,
    #[prost(message, optional, tag = "30")]
    calibration: Option<StoredCalibrations>,
    #[prost(message, optional, tag = "31")]
    paces: Option<StoredPaces>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredFacts {
    #[prost(uint64, tag = "1")]
    orders: u64,
    #[prost(uint64, tag = "2")]
    lines: u64,
    #[prost(uint64, tag = "3")]
    skipped: u64,
    #[prost(sint64, optional, tag = "4")]
    newest_ms: Option<i64>,
    #[prost(double, tag = "5")]
    quality: f64,
    #[prost(uint64, tag = "6")]
    asked: u64,
}

#[derive(Clone, PartialEq, Message)]
struct StoredLists {
    #[prost(uint32, repeated, tag = "1")]
    ends: Vec<u32>,
    #[prost(uint32, repeated, tag = "2")]
    targets: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredPaces {
    #[prost(float, repeated, tag = "1")]
    log_days: Vec<f32>,
    #[prost(uint32, repeated, tag = "2")]
    gaps: Vec<u32>,
    #[prost(message, repeated, tag = "3")]
    leaves: Vec<StoredPath>,
    #[prost(float, repeated, tag = "4")]
    leaf_log_days: Vec<f32>,
    #[prost(uint32, repeated, tag = "5")]
    leaf_gaps: Vec<u32>,
    #[prost(double, tag = "6")]
    within: f64,
    #[prost(double, tag = "7")]
    between: f64,
    #[prost(double, tag = "8")]
    stock_up: f64,
}

#[derive(Clone, PartialEq, Message)]
struct StoredPath {
    #[prost(string, repeated, tag = "1")]
    names: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredCalibrations {
    #[prost(message, optional, tag = "1")]
    cart: Option<StoredCalibration>,
    #[prost(message, optional, tag = "2")]
    line: Option<StoredCalibration>,
    #[prost(message, optional, tag = "3")]
    single: Option<StoredCalibration>,
    #[prost(message, optional, tag = "4")]
    cold: Option<StoredCalibration>,
    #[prost(message, optional, tag = "5")]
    after: Option<StoredCalibration>,
    #[prost(message, optional, tag = "6")]
    again: Option<StoredCalibration>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredCalibration {
    #[prost(double, repeated, tag = "1")]
    weights: Vec<f64>,
}

/// The bytes of a model. The same model gives the same bytes.
pub(crate) fn encode(model: &Model) -> Vec<u8> {
    let ModelParts {
        facts: Facts { orders: order_count, lines, skipped, newest, quality, asked },
        products,
        orders,
        recent,
        with,
        with_chance,
        with_pull,
        with_bond,
        with_support,
        with_lift,
        categories,
        beside,
        beside_chance,
        beside_support,
        beside_lift,
        baskets,
        basket_weight,
        latest,
        again,
        again_lift,
        after,
        after_pull,
        after_support,
        after_lift,
        after_gap_days,
        paces,
        calibration,
    } = model.parts().clone();
    let newest_ms = newest.map(Timestamp::as_ms);
    let stored = StoredModel {
        facts: Some(StoredFacts { orders: order_count, lines, skipped, newest_ms, quality, asked }),
        products: products.iter().map(ToString::to_string).collect(),
        orders,
        recent,
        with: Some(with.into()),
        with_chance,
        with_pull,
        with_bond,
        with_support,
        with_lift,
        categories: paths(&categories),
        paces: Some(paces.into()),
        beside: Some(beside.into()),
        beside_chance,
        beside_support,
        beside_lift,
        baskets: Some(baskets.into()),
        basket_weight,
        latest: Some(latest.into()),
        calibration: Some(calibration.into()),
        again,
        again_lift,
        after: Some(after.into()),
        after_pull,
        after_support,
        after_lift,
        after_gap_days,
    };
    stored.encode_to_vec()
}

/// The model of these bytes; the empty one, of none.
///
/// # Errors
/// They are not those of a model.
pub(crate) fn decode(bytes: &[u8]) -> Result<Model, Violation> {
    let stored = StoredModel::decode(bytes)
        .map_err(|fault| Violation::new("", format!("cannot be decoded: {fault}")))?;
    let StoredModel {
        facts,
        products,
        orders,
        recent,
        with,
        with_chance,
        with_pull,
        with_bond,
        with_support,
        with_lift,
        categories,
        beside,
        beside_chance,
        beside_support,
        beside_lift,
        baskets,
        basket_weight,
        latest,
        calibration,
        again,
        again_lift,
        after,
        after_pull,
        after_support,
        after_lift,
        after_gap_days,
        paces,
    } = stored;
    let count = products.len();
    let products = products.iter().map(|id| ProductId::new(id)).collect::<Result<_, _>>();
    // One that was stored before paces were learned has none.
    let paces = paces.map(StoredPaces::read).transpose()?.unwrap_or_else(|| Paces::unknown(count));
    Model::new(ModelParts {
        facts: facts.unwrap_or_default().into(),
        products: products.map_err(|fault| fault.within("products"))?,
        orders,
        recent,
        with: with.unwrap_or_default().into(),
        with_chance,
        with_pull,
        with_bond,
        with_support,
        with_lift,
        categories: read_paths(&categories).map_err(|fault| fault.within("categories"))?,
        paces,
        beside: beside.unwrap_or_default().into(),
        beside_chance,
        beside_support,
        beside_lift,
        baskets: baskets.unwrap_or_default().into(),
        basket_weight,
        latest: latest.unwrap_or_default().into(),
        again,
        again_lift,
        after: after.unwrap_or_default().into(),
        after_pull,
        after_support,
        after_lift,
        after_gap_days,
        calibration: calibration.map(StoredCalibrations::read).transpose()?.unwrap_or_default(),
    })
}

fn paths(paths: &[CategoryPath]) -> Vec<StoredPath> {
    paths.iter().map(|path| StoredPath { names: path.names().map(str::to_owned).collect() }).collect()
}

fn read_paths(paths: &[StoredPath]) -> Result<Vec<CategoryPath>, Violation> {
    paths.iter().map(|path| CategoryPath::new(&path.names)).collect()
}

impl From<Paces> for StoredPaces {
    fn from(paces: Paces) -> Self {
        let Paces { log_days, gaps, leaves, leaf_log_days, leaf_gaps, within, between, stock_up } = paces;
        let leaves = paths(&leaves);
        Self { log_days, gaps, leaves, leaf_log_days, leaf_gaps, within, between, stock_up }
    }
}

impl StoredPaces {
    fn read(self) -> Result<Paces, Violation> {
        let Self { log_days, gaps, leaves, leaf_log_days, leaf_gaps, within, between, stock_up } = self;
        let leaves = read_paths(&leaves).map_err(|fault| fault.within("paces"))?;
        Ok(Paces { log_days, gaps, leaves, leaf_log_days, leaf_gaps, within, between, stock_up })
    }
}

impl From<Calibrations> for StoredCalibrations {
    fn from(Calibrations { cart, line, single, cold, after, again }: Calibrations) -> Self {
        Self {
            cart: Some(cart.into()),
            line: Some(line.into()),
            single: Some(single.into()),
            cold: Some(cold.into()),
            after: Some(after.into()),
            again: Some(again.into()),
        }
    }
}

impl StoredCalibrations {
    fn read(self) -> Result<Calibrations, Violation> {
        let Self { cart, line, single, cold, after, again } = self;
        Ok(Calibrations {
            cart: logistic(cart)?,
            line: logistic(line)?,
            single: logistic(single)?,
            cold: logistic(cold)?,
            after: logistic(after)?,
            again: logistic(again)?,
        })
    }
}

fn logistic<const N: usize>(stored: Option<StoredCalibration>) -> Result<Logistic<N>, Violation> {
    let Some(StoredCalibration { weights }) = stored else { return Ok(Logistic::default()) };
    let count = weights.len();
    let weights =
        weights.try_into().map_err(|_| Violation::new("calibration", format!("has {count} weights")))?;
    Ok(Logistic { weights })
}

impl<const N: usize> From<Logistic<N>> for StoredCalibration {
    fn from(Logistic { weights }: Logistic<N>) -> Self {
        Self { weights: weights.to_vec() }
    }
}

impl From<Lists> for StoredLists {
    fn from(Lists { ends, targets }: Lists) -> Self {
        Self { ends, targets }
    }
}

impl From<StoredLists> for Lists {
    fn from(StoredLists { ends, targets }: StoredLists) -> Self {
        Self { ends, targets }
    }
}

impl From<StoredFacts> for Facts {
    fn from(StoredFacts { orders, lines, skipped, newest_ms, quality, asked }: StoredFacts) -> Self {
        Self { orders, lines, skipped, newest: newest_ms.map(Timestamp::from_ms), quality, asked }
    }
}

/// A model in numbers.
pub(crate) fn to_pb(model: &Model) -> pb::Model {
    let ModelParts { facts, products, with, after, .. } = model.parts();
    let Facts { orders, lines, skipped, newest, quality, asked } = *facts;
    let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
    pb::Model {
        order_count: orders,
        line_count: lines,
        newest_order: newest.map(time::to_pb),
        product_count: count(products.len()),
        covered_count: count(model.covered()),
        bought_with_count: count(with.entry_count()),
        skipped_order_count: skipped,
        quality,
        quality_count: asked,
        bought_after_count: count(after.entry_count()),
    }
}
