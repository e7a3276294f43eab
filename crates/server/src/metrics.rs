//! What an operator watches: `GET /metrics` over plain HTTP, as OpenMetrics text.
//!
//! Nothing here is on the path of a call: counts are kept where things happen, and read when they are asked for.
//! No merchant, product or shopper is named.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::Registry as Metrics,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    edge::{Counters, DURATION_BOUNDS_US, EndedCalls},
    limits,
    registry::Registry,
    sessions::Sessions,
    writer::Wear,
};

const CONTENT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the counts are.
#[derive(Clone)]
pub(crate) struct Sources {
    /// Of the transport.
    pub(crate) counters: Arc<Counters>,
    /// The merchants.
    pub(crate) registry: Arc<Registry>,
    /// The conversations that are remembered.
    pub(crate) sessions: Sessions,
    /// The store, unless it did not open.
    pub(crate) wear: Option<Arc<Wear>>,
}

/// Answers scrapes without end.
pub(crate) async fn serve(listener: TcpListener, sources: Sources) {
    let mut metrics = Metrics::with_prefix("sidecart");
    metrics.register_collector(Box::new(sources));
    let metrics = Arc::new(metrics);
    let mut scrapes = JoinSet::new();
    loop {
        if scrapes.len() >= limits::SCRAPES_MAX {
            scrapes.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => drop(scrapes.spawn(scrape(stream, metrics.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a scrape could not be accepted");
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
        while scrapes.try_join_next().is_some() {}
    }
}

/// Serves one connection, for one answer.
async fn scrape(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request, &metrics)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::SCRAPE_HEAD_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever does not ask in time, or goes, is not missed.
    let _ = timeout(limits::SCRAPE_TIMEOUT, connection).await;
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<String> {
    let refused = |status| {
        let mut response = Response::new(String::new());
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/metrics" {
        return refused(StatusCode::NOT_FOUND);
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return refused(StatusCode::METHOD_NOT_ALLOWED);
    }
    let mut text = String::new();
    if text::encode(&mut text, metrics).is_err() {
        return refused(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut response = Response::new(text);
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(CONTENT));
    response
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let encoder = &mut encoder;
        self.transport(encoder)?;
        self.merchants(encoder)?;
        let sessions = self.sessions.len() as u64;
        gauge(encoder, "sessions", "Conversations that are remembered", sessions)?;
        match &self.wear {
            Some(wear) => store(encoder, wear),
            None => Ok(()),
        }
    }
}

impl Sources {
    fn transport(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let (counters, ended) = (&self.counters, self.counters.ended());
        calls(encoder, &ended)?;
        durations(encoder, &ended)?;
        let counts = [
            ("calls_shed", "Calls refused because their class was full", counters.calls_shed()),
            ("panics", "Calls whose handler panicked", counters.panics()),
            ("connections", "Connections accepted", counters.connections_accepted()),
            (
                "connections_refused",
                "Connections closed because there were too many",
                counters.connections_refused(),
            ),
            (
                "connections_ungreeted",
                "Connections closed because they did not begin in time",
                counters.connections_ungreeted(),
            ),
        ];
        counts.into_iter().try_for_each(|(name, help, count)| {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            metric.encode_counter::<NoLabelSet, _, u64>(&count, None)
        })
    }

    fn merchants(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let (mut degraded, mut products, mut rules, mut follow_ups) = (0, 0, 0, 0);
        let merchants = self.registry.all();
        for current in merchants.iter().map(|(_, slot)| slot.current()) {
            degraded += u64::from(current.degraded.is_some());
            products += current.snapshot.catalog().len() as u64;
            rules += current.snapshot.rules().len() as u64;
            follow_ups += current.snapshot.follow_ups().len() as u64;
        }
        gauge(encoder, "merchants", "Merchants", merchants.len() as u64)?;
        gauge(
            encoder,
            "merchants_degraded",
            "Merchants served from a last good view, which cannot be written",
            degraded,
        )?;
        gauge(encoder, "products", "Products of all merchants", products)?;
        gauge(encoder, "rules", "Rules of all merchants", rules)?;
        gauge(encoder, "follow_ups", "Follow-ups planned or under way, of all merchants", follow_ups)
    }
}

fn calls(encoder: &mut DescriptorEncoder, ended: &[EndedCalls]) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(
        "calls",
        "Calls that ended, by method and code",
        None,
        MetricType::Counter,
    )?;
    for EndedCalls { method, codes, .. } in ended {
        for (code, count) in codes {
            let labels = [("method", *method), ("code", code.name())];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
    }
    Ok(())
}

fn durations(encoder: &mut DescriptorEncoder, ended: &[EndedCalls]) -> fmt::Result {
    let (name, help) = ("call_duration_seconds", "How long calls took, by method");
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    let bounds = DURATION_BOUNDS_US.map(|us| Duration::from_micros(us).as_secs_f64());
    for EndedCalls { method, durations, total, .. } in ended {
        let buckets: Vec<_> = bounds.into_iter().chain([f64::INFINITY]).zip(*durations).collect();
        metric.encode_family(&[("method", *method)])?.encode_histogram::<NoLabelSet>(
            total.as_secs_f64(),
            durations.iter().sum(),
            &buckets,
            None,
        )?;
    }
    Ok(())
}

fn store(encoder: &mut DescriptorEncoder, wear: &Wear) -> fmt::Result {
    gauge(encoder, "store_live_bytes", "Bytes of keys and values of everything stored", wear.live_bytes())?;
    gauge(encoder, "store_disk_bytes", "Bytes of the storage engine's files", wear.disk_bytes())?;
    gauge(
        encoder,
        "store_blob_files",
        "Files of the storage engine that are never freed: anything but 0 is a fault",
        wear.blob_files(),
    )
}

fn gauge(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}
