//! Figures, and the table that they are printed in.

use std::time::Duration;

/// How long each of several things took.
#[derive(Default, Clone)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Adds many.
    pub(crate) fn extend(&mut self, times: Self) {
        self.0.extend(times.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of them did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }

    /// Median and 99th percentile, in words.
    pub(crate) fn summary(&self) -> String {
        let ms = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        format!("median {:.2} ms, p99 {:.2} ms, longest {:.2} ms ({})", ms(50), ms(99), ms(100), self.len())
    }
}

/// A table of figures, printed line by line as they come.
pub(crate) struct Table;

impl Table {
    /// Begins the table.
    pub(crate) fn begin() -> Self {
        println!("| what | measured |\n|---|---|");
        Self
    }

    /// A line.
    pub(crate) fn line(&self, what: &str, measured: impl std::fmt::Display) {
        println!("| {what} | {measured} |");
    }
}

/// How many a second.
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// A time in seconds.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Bytes in GiB.
pub(crate) fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}
