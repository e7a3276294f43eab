//! The report for scripts.

use serde_json::{Map, Value, json};
use sidecart_scoring::evaluate::{Bin, DEPTHS, Reliability, Report, Restraint, Row, Task, Timing};

use super::{Chance, tables::moment};

/// The report as one JSON document, in full precision.
pub(super) fn document(report: &Report, chance: Option<&Chance>, rejected: u64) -> Value {
    let Report { learned, asked, cut, end, rows, reliability, restraint, timing } = report;
    json!({
        "learned_orders": learned,
        "asked_orders": asked,
        "cut": moment(*cut),
        "end": moment(*end),
        "rejected_count": rejected,
        "answers": rows.iter().map(row).collect::<Vec<_>>(),
        "reliability": reliability.iter().map(reliable).collect::<Vec<_>>(),
        "restraint": restraint.iter().map(restrained).collect::<Vec<_>>(),
        "refill_timing": timing.iter().map(timed).collect::<Vec<_>>(),
        "chance": chance.map(|chance| json!({ "real_offers": chance.real, "relabeled_offers": chance.relabeled })),
    })
}

fn row(row: &Row) -> Value {
    let it = &row.measures;
    json!({
        "task": row.task.name(),
        "by": row.who,
        "questions": it.questions,
        "answered": it.answered,
        "hit": by_depth(&it.hit),
        "ndcg": by_depth(&it.ndcg),
        "ndcg_standard_error": it.ndcg_error,
        "mrr": it.reciprocal_rank,
        "same_leaf": it.same_leaf,
        "coverage": it.coverage,
    })
}

/// Shares by how many places were looked at.
fn by_depth(shares: &[f64; DEPTHS.len()]) -> Map<String, Value> {
    DEPTHS.iter().zip(shares).map(|(depth, share)| (depth.to_string(), json!(share))).collect()
}

fn reliable((task, it): &(Task, Reliability)) -> Value {
    let bin = |bin: &Bin| json!({ "from": bin.from, "offers": bin.offers, "mean_score": bin.score, "bought": bin.taken });
    let bins: Vec<_> = it.bins.iter().map(bin).collect();
    json!({ "task": task.name(), "expected_calibration_error": it.error, "bins": bins })
}

fn timed(it: &Timing) -> Value {
    json!({
        "by": it.who,
        "earlier_gaps_min": it.gaps_min,
        "asked": it.asked,
        "median_error_days": it.median_error_days,
        "between_quartiles": it.between_quartiles,
    })
}

fn restrained((task, it): &(Task, Restraint)) -> Value {
    json!({
        "task": task.name(),
        "questions": it.questions,
        "answered": it.answered,
        "offers_per_answer": it.offers,
        "precision": it.precision,
        "hit": it.hit,
    })
}
