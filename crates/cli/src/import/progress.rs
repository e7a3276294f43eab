//! How far an import is: a bar on a terminal, a line now and then elsewhere. All on standard error.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{report::Rejected, rows::Rows};
use crate::out;

const LINE_EVERY: Duration = Duration::from_secs(5);

/// Tells the user how far an import is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    noun: &'static str,
    file: String,
    total: Option<u64>,
    told: Instant,
}

impl Progress {
    /// For what is about to be imported.
    pub(crate) fn new(noun: &'static str, file: String, rows: &Rows) -> Self {
        let bar = stderr().is_terminal().then(|| bar(rows.total));
        Self { bar, noun, file, total: rows.total, told: Instant::now() }
    }

    /// Tells how much of the file is read, and how many items are imported.
    pub(crate) fn reached(&mut self, done: u64, imported: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(format!("{imported} {}", self.noun));
            return;
        }
        if self.told.elapsed() < LINE_EVERY {
            return;
        }
        self.told = Instant::now();
        let part = self
            .total
            .filter(|total| *total > 0)
            .map(|total| format!(", {} % of the file", done * 100 / total));
        out::note(format!("{imported} {}{}", self.noun, part.unwrap_or_default()));
    }

    /// Tells of a rejected line.
    pub(crate) fn reject(&self, rejected: &Rejected) {
        let text = format!("{}:{}: {}", self.file, rejected.line, rejected.reason);
        match &self.bar {
            Some(bar) => bar.suspend(|| out::note(text)),
            None => out::note(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let Some(total) = total else {
        return ProgressBar::new_spinner();
    };
    let style = ProgressStyle::with_template("{wide_bar} {percent} % {msg} {eta} left");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
