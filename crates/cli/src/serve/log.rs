//! The log, on standard error: standard output belongs to answers.

use std::io::{IsTerminal, stderr};

use anyhow::Result;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{config::LogFormat, exit::Usage};

/// Starts the log.
///
/// # Errors
/// The filter is not one.
pub(super) fn start(filter: &str, format: LogFormat) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| Usage(format!("log: {error}")))?;
    let registry = registry().with(filter);
    match format {
        LogFormat::Text => {
            let layer = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal());
            registry.with(layer).try_init()?;
        }
        LogFormat::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_writer(stderr);
            registry.with(layer).try_init()?;
        }
    }
    Ok(())
}
