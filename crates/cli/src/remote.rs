//! The server at the other end: a connection, the merchant, and the deadline of each call.

use std::time::Duration;

use anyhow::{Context, Result};
use sidecart::client::Client;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::{args::Globals, config, exit::Usage};

/// How often a call that the server was too busy for is tried in all.
const ATTEMPTS_MAX: u32 = 20;
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A server, and whom we speak for.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// The connection.
    pub(crate) client: Client,
    /// The merchant of every call.
    pub(crate) merchant: String,
    /// How long one call may take, where the user says.
    timeout: Option<Duration>,
}

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The same where all orders are learned from.
const LEARNING_TIMEOUT: Duration = Duration::from_secs(1_800);

impl Remote {
    /// Connects as flags, environment and file say.
    ///
    /// # Errors
    /// No merchant is named, the configuration is wrong, or nothing answers.
    pub(crate) async fn connect(globals: &Globals) -> Result<Self> {
        let settings = config::load(globals, &[])?.settings;
        if settings.merchant.is_empty() {
            return Err(Usage("no merchant: name one with --merchant or SIDECART_MERCHANT".into()).into());
        }
        Self::to(&settings.addr, settings.merchant, timeout(globals)).await
    }

    /// Connects for calls that are about no merchant.
    ///
    /// # Errors
    /// The configuration is wrong, or nothing answers.
    pub(crate) async fn of_all(globals: &Globals) -> Result<Self> {
        let settings = config::load(globals, &[])?.settings;
        Self::to(&settings.addr, String::new(), timeout(globals)).await
    }

    /// Connects to an address.
    ///
    /// # Errors
    /// Nothing answers there.
    pub(crate) async fn to(addr: &str, merchant: String, timeout: Option<Duration>) -> Result<Self> {
        if !["http://", "https://"].iter().any(|scheme| addr.starts_with(scheme)) {
            return Err(Usage(format!("the address `{addr}` does not start with http://")).into());
        }
        let client = Client::connect(addr).await.with_context(|| format!("cannot reach {addr}"))?;
        Ok(Self { client, merchant, timeout })
    }

    /// A request with the deadline that the user set, or a minute.
    pub(crate) fn call<T>(&self, message: T) -> Request<T> {
        self.call_within(message, TIMEOUT)
    }

    /// The same for a call that all orders are learned for.
    pub(crate) fn long_call<T>(&self, message: T) -> Request<T> {
        self.call_within(message, LEARNING_TIMEOUT)
    }

    fn call_within<T>(&self, message: T, timeout: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout.unwrap_or(timeout));
        request
    }
}

fn timeout(globals: &Globals) -> Option<Duration> {
    globals.timeout_s.map(|seconds| Duration::from_secs(seconds.get()))
}

/// An id that makes a write safe to repeat.
pub(crate) fn new_request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The place in a list, and the rest, of a field's path such as `products[3].price`.
pub(crate) fn place_in<'f>(list: &str, field: &'f str) -> Option<(usize, &'f str)> {
    let (index, rest) = field.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
    Some((index.parse().ok()?, rest.trim_start_matches('.')))
}

/// Calls again while the server says when to try again, up to a bound.
///
/// # Errors
/// What the last attempt answered.
pub(crate) async fn with_retries<T, F>(mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    for _ in 1..ATTEMPTS_MAX {
        let status = match call().await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        let Some(pause) = status.get_details_retry_info().and_then(|info| info.retry_delay) else {
            return Err(status);
        };
        tokio::time::sleep(pause.min(PAUSE_MAX)).await;
    }
    call().await
}
