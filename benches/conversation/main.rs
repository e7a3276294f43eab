//! Conversations: linking texts to 100,000 names, reading hostile texts, renaming a product, and 10,000 conversations at
//! once.
//!
//! `cargo bench --bench conversation`; `SIDECART_NAMES` names a file of real product names, one a line, to be used in the
//! place of made-up ones. Without `--bench`, as cargo runs it under `cargo test --benches`, it is a small trial.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints its figures, and no library")]

#[path = "../harness/mod.rs"]
mod harness;
mod link;
mod rename;
mod talk;

use std::{env, process::ExitCode};

use harness::{Fault, child, figures::Table};

/// How much is measured.
pub(crate) struct Size {
    /// Names in the catalog.
    pub(crate) names: usize,
    /// Texts that are linked.
    pub(crate) texts: usize,
    /// Conversations at once.
    pub(crate) talks: usize,
}

fn main() -> ExitCode {
    let told: Vec<String> = env::args().skip(1).collect();
    if let [serve, data] = &told[..]
        && serve == child::SERVE
    {
        child::serve(data);
        return ExitCode::SUCCESS;
    }
    let is_bench = told.iter().any(|word| word == "--bench");
    let size = if is_bench {
        Size { names: 100_000, texts: 5_000, talks: 10_000 }
    } else {
        Size { names: 2_000, texts: 50, talks: 100 }
    };
    match measure(&size) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure(size: &Size) -> Result<(), Fault> {
    let mut table = Table::begin();
    link::measure(size, &mut table)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        rename::measure(size, &mut table).await?;
        talk::measure(size, &mut table).await
    })
}
