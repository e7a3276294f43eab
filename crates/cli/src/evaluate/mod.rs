//! `evaluate`: how good the answers are, measured on a merchant's own orders.
//!
//! Reads files and needs no server. What is measured is `sidecart_scoring::evaluate`; here it is fed, timed and printed.

mod document;
mod tables;

use std::{num::NonZeroUsize, path::PathBuf, thread, time::Instant};

use anyhow::Result;
use clap::Args;
use sidecart_catalog::Catalog;
use sidecart_rules::RuleSet;
use sidecart_scoring::{
    Orders as Recorded,
    evaluate::{Relabeling, Split, Trial},
};
use sidecart_server::offline;

use crate::{
    exit::{Exit, Usage},
    import::{self, Orders, Products, Rules},
    out::{self, Output},
};

/// See [`crate::args::Command::Evaluate`].
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Products, in any format that `import products` reads
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// Orders, in any format that `import orders` reads
    #[arg(long, value_name = "FILE")]
    orders: PathBuf,
    /// Rules that hold while asking, in any format that `import rules` reads [default: none]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Share of the orders that is asked about, the newest; the others are learned from
    #[arg(long, value_name = "SHARE", default_value = "0.1", value_parser = share)]
    newest: f64,
    /// At most this many questions of each task
    #[arg(long, value_name = "N", default_value = "5000")]
    questions: NonZeroUsize,
    /// Also count what is offered on chance, over so many random relabelings of the orders
    #[arg(long, value_name = "N", default_value = "0")]
    relabelings: u64,
    /// Threads that learn [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

/// Reads, learns, asks and prints. Times go to standard error, so that the same files print the same.
///
/// # Errors
/// A file cannot be read, or nothing can be asked about the orders.
pub(crate) fn evaluate(args: &EvaluateArgs, output: Output) -> Result<Exit> {
    let shop = Shop::read(args)?;
    let Shop { catalog, orders, rules, rejected } = &shop;
    let threads = args.threads.or_else(|| thread::available_parallelism().ok());
    let split = Split {
        newest: args.newest,
        questions_max: args.questions.get(),
        threads: threads.map_or(1, usize::from),
    };
    let started = Instant::now();
    let trial = Trial::new(catalog, orders, rules, &split);
    out::note(format!("learned in {:.1} s", started.elapsed().as_secs_f64()));
    if trial.question_count() == 0 {
        return Err(Usage(nothing_to_ask(args, &shop)).into());
    }
    let started = Instant::now();
    let report = trial.report();
    let asked = out::counted(trial.question_count() as u64, "question");
    out::note(format!("answered {asked} in {:.1} s", started.elapsed().as_secs_f64()));
    let chance = (args.relabelings > 0).then(|| Chance::of(catalog, orders, args.relabelings, split.threads));
    match output {
        Output::Json => out::json(&document::document(&report, chance.as_ref(), *rejected))?,
        Output::Table => tables::print(&report, chance.as_ref())?,
    }
    Ok(if *rejected == 0 { Exit::Done } else { Exit::PartlyRejected })
}

/// How many offers there are beside all products that were sold, and how many on chance.
struct Chance {
    real: usize,
    /// Of each relabeling.
    relabeled: Vec<usize>,
}

impl Chance {
    fn of(catalog: &Catalog, orders: &Recorded, relabelings: u64, threads: usize) -> Self {
        let (started, relabeling) = (Instant::now(), Relabeling::new(catalog, orders, threads));
        let real = relabeling.offers();
        let relabeled = (0..relabelings).map(|seed| relabeling.offers_on_chance(seed)).collect();
        let times = out::counted(relabelings, "time");
        out::note(format!("relabeled {times} in {:.1} s", started.elapsed().as_secs_f64()));
        Self { real, relabeled }
    }

    /// The mean over all relabelings, as a share of the real ones.
    fn mean_share(&self) -> f64 {
        let sum: usize = self.relabeled.iter().sum();
        sum as f64 / self.relabeled.len().max(1) as f64 / self.real.max(1) as f64
    }

    /// The most of any relabeling.
    fn most(&self) -> usize {
        self.relabeled.iter().copied().max().unwrap_or(0)
    }
}

/// What the files hold.
struct Shop {
    catalog: Catalog,
    orders: Recorded,
    rules: RuleSet,
    /// Lines left out, of all files.
    rejected: u64,
}

impl Shop {
    fn read(args: &EvaluateArgs) -> Result<Self> {
        let (catalog, bad_products) = import::read::<Products, _>(&args.catalog, offline::add_product)?;
        let (orders, bad_orders) = import::read::<Orders, _>(&args.orders, offline::add_order)?;
        let (rules, bad_rules) = match &args.rules {
            Some(file) => import::read::<Rules, _>(file, offline::add_rule)?,
            None => (RuleSet::default(), 0),
        };
        Ok(Self { catalog, orders, rules, rejected: bad_products + bad_orders + bad_rules })
    }
}

/// Why no question can be made of what was read.
fn nothing_to_ask(args: &EvaluateArgs, shop: &Shop) -> String {
    if shop.catalog.is_empty() {
        return format!("{}: no product was read", args.catalog.display());
    }
    let why = if shop.orders.is_empty() {
        "no order was read"
    } else {
        "nothing can be asked: no order of the newest has two products of the catalog and orders before it, and none is \
         of a shopper who came back"
    };
    format!("{}: {why}", args.orders.display())
}

/// Reads a share of which something is on either side.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if share > 0.0 && share < 1.0 {
        return Ok(share);
    }
    Err("must be above 0 and below 1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_leaves_something_on_either_side() {
        assert_eq!(share("0.25"), Ok(0.25));
        for text in ["0", "1", "-0.1", "NaN", "inf", "tenth", ""] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
