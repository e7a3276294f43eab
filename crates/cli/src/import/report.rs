//! What became of an import.

use std::{io, time::Instant};

use serde::Serialize;

use super::progress::Progress;
use crate::out::{self, Output};

/// Rejected lines that the JSON report lists. All of them go to standard error.
const LISTED_MAX: usize = 1_000;

/// A line that is not imported, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rejected {
    /// From 1.
    pub(crate) line: u64,
    /// Why, with the field.
    pub(crate) reason: String,
}

/// What became of the items.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Were not there before.
    pub(crate) created: u64,
    /// Differ now.
    pub(crate) updated: u64,
    /// Were the same.
    pub(crate) unchanged: u64,
    /// Are gone, by a replacement.
    pub(crate) deleted: u64,
}

/// What became of an import.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(skip)]
    noun: &'static str,
    #[serde(skip)]
    started: Instant,
    /// From this generation on, reads see the import.
    pub(crate) generation: u64,
    /// What became of the items.
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// How many lines are rejected.
    pub(crate) rejected_count: u64,
    rejected: Vec<Rejected>,
}

impl Report {
    /// Nothing imported yet.
    pub(crate) fn new(noun: &'static str) -> Self {
        let counts = Counts::default();
        Self { noun, started: Instant::now(), generation: 0, counts, rejected_count: 0, rejected: Vec::new() }
    }

    /// Items that are as the file says now.
    pub(crate) fn imported(&self) -> u64 {
        let Counts { created, updated, unchanged, .. } = self.counts;
        created + updated + unchanged
    }

    /// Counts rejected lines and tells the user.
    pub(crate) fn reject(&mut self, rejected: Vec<Rejected>, progress: &Progress) {
        for it in rejected {
            self.rejected_count += 1;
            progress.reject(&it);
            if self.rejected.len() < LISTED_MAX {
                self.rejected.push(it);
            }
        }
    }

    /// Prints the report.
    pub(super) fn print(&self, output: Output) -> io::Result<()> {
        if output == Output::Json {
            return out::json(self);
        }
        let Self { noun, generation, rejected_count, .. } = self;
        let Counts { created, updated, unchanged, deleted } = self.counts;
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.imported() as f64 / seconds.max(0.001);
        out::line(format!(
            "{} {noun} in {seconds:.1} s ({rate:.0}/s): {created} created, {updated} updated, {unchanged} unchanged, \
             {deleted} deleted, {rejected_count} rejected; generation {generation}",
            self.imported()
        ))
    }
}
