//! The edge: everything about the gRPC transport that is not business.
//!
//! Connections are capped, greeted within a time, kept alive, and asked to go at an age.
//! Each call has a deadline, a place in its class, a request id, a panic guard and one log line (`sidecart::rpc`).
//! Shutdown is told in one place: [`Edge::serve`].
//! The edge knows no message of the API and no state of the application.

mod body;
mod call;
mod connection;
mod counters;
mod deadline;
mod gates;
mod greeting;
mod identity;
mod method;
mod panics;
mod settings;

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};
use tonic::service::Routes;
use tonic_health::{
    ServingStatus,
    pb::{FILE_DESCRIPTOR_SET as HEALTH_DESCRIPTORS, health_server::HealthServer},
    server::{HealthReporter, HealthService},
};

pub use self::{
    counters::{Counters, DURATION_BOUNDS_US, EndedCalls},
    deadline::Deadline,
    identity::REQUEST_ID_HEADER,
    panics::log_panics,
    settings::Settings,
};
use self::{gates::Gates, identity::Lots};
use crate::limits;

/// The server's health is also kept under the empty name, as the health protocol says.
const WHOLE_SERVER: &str = "";

/// Why the edge could not be built: the descriptors do not fit together.
#[derive(Debug, thiserror::Error)]
#[error("reflection cannot be served from the descriptors")]
pub struct DescriptorError(#[from] tonic_reflection::server::Error);

/// How shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open at the drain deadline, and were cut.
    pub connections_cut: usize,
}

/// What all connections share.
#[derive(Debug)]
struct Core {
    settings: Settings,
    gates: Gates,
    counters: Arc<Counters>,
    lots: Lots,
}

/// Services behind the edge, with health and reflection, ready to be served.
#[derive(Debug)]
pub struct Edge {
    core: Arc<Core>,
    routes: Routes,
    health: HealthReporter,
    services: Vec<&'static str>,
}

impl Edge {
    /// Puts `routes` behind the edge; `services` names those with a health of their own, SERVING from the start.
    pub async fn new(
        routes: Routes,
        services: &[&'static str],
        settings: Settings,
    ) -> Result<Self, DescriptorError> {
        let health = HealthReporter::new();
        let edge = Self {
            routes: with_probes(routes, &health)?.prepare(),
            core: Arc::new(Core {
                gates: Gates::new(&settings),
                settings,
                counters: Arc::default(),
                lots: Lots::new(),
            }),
            health,
            services: services.iter().copied().chain([WHOLE_SERVER]).collect(),
        };
        edge.report(ServingStatus::Serving).await;
        Ok(edge)
    }

    /// Where the health of each service is set, for instance when the store is lost.
    pub fn health(&self) -> HealthReporter {
        self.health.clone()
    }

    /// What the transport counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.core.counters)
    }

    /// Serves until `shutdown` is ready; then says NOT_SERVING, stops accepting, lets calls finish up to the drain
    /// deadline, and cuts the rest.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Drained {
        let (drain, draining) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::select! {
            () = shutdown => {}
            () = self.accept(&listener, &mut connections, &draining) => {}
        }
        self.report(ServingStatus::NotServing).await;
        drop(listener);
        drain.send_replace(true);
        let deadline = Instant::now() + self.core.settings.drain_deadline;
        while let Ok(Some(_)) = timeout_at(deadline, connections.join_next()).await {}
        let connections_cut = connections.len();
        connections.shutdown().await;
        Drained { connections_cut }
    }

    /// Accepts connections without end, and reaps those that ended.
    async fn accept(
        &self,
        listener: &TcpListener,
        connections: &mut JoinSet<()>,
        draining: &watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, connections, draining),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(limits::ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    /// Starts serving a connection, or closes it at once when there are too many.
    fn admit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        connections: &mut JoinSet<()>,
        draining: &watch::Receiver<bool>,
    ) {
        while connections.try_join_next().is_some() {}
        let counters = &self.core.counters;
        counters.count_accepted();
        if connections.len() >= self.core.settings.connections_max {
            counters.count_refused();
            tracing::debug!(%peer, "a connection was refused: there are too many");
            return;
        }
        let core = Arc::clone(&self.core);
        connections.spawn(connection::serve(core, self.routes.clone(), stream, peer, draining.clone()));
    }

    async fn report(&self, status: ServingStatus) {
        for service in &self.services {
            self.health.set_service_status(service, status).await;
        }
    }
}

/// Adds the health service and both versions of reflection.
fn with_probes(routes: Routes, health: &HealthReporter) -> Result<Routes, DescriptorError> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(sidecart::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(HEALTH_DESCRIPTORS)
            // So that debuggers can read the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
    Ok(routes
        .add_service(health.max_decoding_message_size(limits::PROBE_MAX_BYTES))
        .add_service(reflection().build_v1()?.max_decoding_message_size(limits::PROBE_MAX_BYTES))
        .add_service(reflection().build_v1alpha()?.max_decoding_message_size(limits::PROBE_MAX_BYTES)))
}
