//! One connection: greeted, served, asked to go at its age or at shutdown, and cut if it does not.
//!
//! hyper is driven here rather than by tonic's `Server`, which (0.14.9) waits for the preface without end,
//! sends no GOAWAY at the connection's age when a grace is set, knows no jitter, and has no deadline for its shutdown.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::yield_now,
    time::{Instant, sleep, sleep_until, timeout},
};
use tonic::service::Routes;

use super::{Core, call, greeting::Greeted};
use crate::{limits, status::Fault};

/// What the calls of one connection share.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) core: Arc<Core>,
    pub(super) peer: SocketAddr,
    calls: AtomicUsize,
    going: watch::Sender<bool>,
}

impl Connection {
    /// Counts a call that [`Connection::call_ends`] will count off.
    pub(super) fn call_begins(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call off.
    pub(super) fn call_ends(&self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ready once this connection was asked to go, with what its subscriptions are told.
    pub(super) async fn retired(&self) -> Fault {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.going.subscribe().wait_for(|going| *going).await;
        // A last turn for what is ready to be sent, such as NOT_SERVING.
        yield_now().await;
        Fault::unavailable(
            "CONNECTION_RETIRED",
            "the connection is being closed; subscribe again",
            limits::RETRY_AFTER_FULL,
        )
    }

    fn is_idle(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 0
    }
}

/// Serves one connection to its end. `draining` turns true at shutdown.
pub(super) async fn serve(
    core: Arc<Core>,
    routes: Routes,
    stream: TcpStream,
    peer: SocketAddr,
    mut draining: watch::Receiver<bool>,
) {
    let greeted = tokio::select! {
        greeted = greet(&core, stream) => greeted,
        _ = draining.wait_for(|draining| *draining) => return,
    };
    let Ok(greeted) = greeted else {
        core.counters.count_ungreeted();
        return;
    };
    let connection =
        Arc::new(Connection { core, peer, calls: AtomicUsize::new(0), going: watch::Sender::new(false) });
    let service = service_fn(|request| call::answer(Arc::clone(&connection), routes.clone(), request));
    let age = jittered(connection.core.settings.connection_age, connection.core.lots.draw());
    let mut served = pin!(protocol(&connection.core).serve_connection(TokioIo::new(greeted), service));
    tokio::select! {
        _ = served.as_mut() => return,
        () = sleep(age) => {}
        _ = draining.wait_for(|draining| *draining) => {}
    }
    served.as_mut().graceful_shutdown();
    connection.going.send_replace(true);
    tokio::select! {
        _ = served => {}
        () = overstayed(&connection) => {}
    }
}

async fn greet(core: &Core, stream: TcpStream) -> io::Result<Greeted> {
    stream.set_nodelay(true)?;
    timeout(core.settings.preface_timeout, Greeted::wait(stream)).await?
}

/// The HTTP/2 settings.
fn protocol(core: &Core) -> http2::Builder<TokioExecutor> {
    let settings = &core.settings;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .initial_stream_window_size(settings.window_bytes)
        .initial_connection_window_size(settings.window_bytes)
        .max_concurrent_streams(settings.streams_max)
        .max_header_list_size(settings.header_list_max_bytes)
        .max_send_buf_size(limits::SEND_BUFFER_MAX_BYTES)
        .keep_alive_interval(settings.keep_alive_interval)
        .keep_alive_timeout(settings.keep_alive_timeout);
    builder
}

/// The age, give or take the jitter, as `chance` has it.
fn jittered(age: Duration, chance: u64) -> Duration {
    let spread = u64::from(limits::CONNECTION_AGE_JITTER_PERCENT);
    let percent = 100 - spread + chance % (2 * spread + 1);
    age.mul_f64(percent as f64 / 100.0)
}

/// Ready once a connection asked to go has had its grace and has no call, or has kept one beyond any deadline.
async fn overstayed(connection: &Connection) {
    let settings = &connection.core.settings;
    let last = Instant::now() + settings.transfer_deadline_max;
    loop {
        sleep_until(last.min(Instant::now() + settings.connection_grace)).await;
        if connection.is_idle() || Instant::now() >= last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_spread_over_a_tenth_either_way() {
        let ages: Vec<u64> =
            (0..1_000).map(|chance| jittered(Duration::from_secs(1_000), chance).as_secs()).collect();
        assert_eq!((ages.iter().min(), ages.iter().max()), (Some(&900), Some(&1_100)));
    }
}
