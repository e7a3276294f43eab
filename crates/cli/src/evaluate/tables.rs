//! The report for people.

use std::io;

use sidecart_catalog::Timestamp;
use sidecart_scoring::evaluate::{NEXT_DAYS, Reliability, Report, Restraint, Row, Task, Timing};

use super::Chance;
use crate::out;

/// Prints what was asked, how well it was answered, what scores mean, and what restraint does.
pub(super) fn print(report: &Report, chance: Option<&Chance>) -> io::Result<()> {
    let Report { learned, asked, cut, end, rows, reliability, restraint, timing } = report;
    let (from, to) = (moment(*cut), moment(*end));
    out::line(format!("learned from {learned} orders, asked about {asked}, placed from {from} to {to}"))?;
    if *end < cut.plus_days(NEXT_DAYS) {
        out::line(format!(
            "These are less than {NEXT_DAYS} days: next purchases and refills are known in part only, and scores of \
             refills promise too much."
        ))?;
    }
    out::line("\nHow well questions are answered, under the policy `open`:")?;
    out::table(&ROW, rows.iter().map(row))?;
    for (task, reliability) in reliability {
        out::line(format!(
            "\nHow often the first 3 offers of {} are bought: expected calibration error {:.4}",
            task.name(),
            reliability.error
        ))?;
        out::table(&BIN, bins(reliability))?;
    }
    if !restraint.is_empty() {
        out::line("\nWhat the policy `default` offers to the same questions:")?;
        out::table(&RESTRAINT, restraint.iter().map(restrained))?;
    }
    if !timing.is_empty() {
        out::line("\nWhen what is bought again is bought next, told when it is bought, in days:")?;
        out::table(&TIMING, timing.iter().map(timed))?;
    }
    chance.map_or(Ok(()), |chance| {
        out::line(format!(
            "\nBeside the products that were sold, the policy `default` makes {} offers. With products shuffled over \
             the orders, {} times: {:.2} % of that on average, {} at most.",
            chance.real,
            chance.relabeled.len(),
            chance.mean_share() * 100.0,
            chance.most(),
        ))
    })
}

/// A moment as RFC 3339.
pub(super) fn moment(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.as_ms()).map(|moment| moment.to_string()).unwrap_or_default()
}

const ROW: [&str; 14] = [
    "TASK",
    "BY",
    "ASKED",
    "ANSWERED",
    "HIT@1",
    "HIT@3",
    "HIT@10",
    "NDCG@1",
    "NDCG@3",
    "NDCG@10",
    "+-",
    "MRR@10",
    "SAME LEAF",
    "COVERAGE",
];

fn row(row: &Row) -> Vec<String> {
    let it = &row.measures;
    let names = [row.task.name().to_owned(), row.who.to_owned(), it.questions.to_string()];
    let shares = [it.answered].into_iter().chain(it.hit).chain(it.ndcg);
    let shares = shares.chain([it.ndcg_error, it.reciprocal_rank, it.same_leaf, it.coverage]);
    names.into_iter().chain(shares.map(share)).collect()
}

const BIN: [&str; 4] = ["SCORE FROM", "OFFERS", "MEAN SCORE", "BOUGHT"];

fn bins(reliability: &Reliability) -> impl Iterator<Item = Vec<String>> {
    let bins = reliability.bins.iter();
    bins.map(|bin| {
        vec![format!("{:.2}", bin.from), bin.offers.to_string(), share(bin.score), share(bin.taken)]
    })
}

const RESTRAINT: [&str; 6] = ["TASK", "ASKED", "ANSWERED", "OFFERS", "PRECISION", "HIT"];

fn restrained((task, it): &(Task, Restraint)) -> Vec<String> {
    let names = [task.name().to_owned(), it.questions.to_string(), share(it.answered)];
    let means = [format!("{:.2}", it.offers), share(it.precision), share(it.hit)];
    names.into_iter().chain(means).collect()
}

const TIMING: [&str; 5] = ["BY", "EARLIER GAPS", "ASKED", "MEDIAN ERROR", "BETWEEN QUARTILES"];

fn timed(it: &Timing) -> Vec<String> {
    let between = it.between_quartiles.map_or_else(String::new, share);
    let error = format!("{:.2}", it.median_error_days);
    vec![it.who.to_owned(), format!("{} or more", it.gaps_min), it.asked.to_string(), error, between]
}

fn share(share: f64) -> String {
    format!("{share:.4}")
}
