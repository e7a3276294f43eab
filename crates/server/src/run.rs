//! A server from start to end: boot, serve, drain, join the writer, export, seal.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinError, JoinHandle, spawn_blocking},
};

use crate::{
    boot::{BootError, Booted, Repair, boot},
    edge::{DescriptorError, Edge, Settings, log_panics},
    keeper::Keeper,
    learner::Learner,
    metrics,
    planner::Planner,
    registry::Registry,
    services,
    sessions::Sessions,
    store::{StoreError, StoreOptions},
    writer::Writer,
};

/// What an operator decides about a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its data lies. Created if absent.
    pub data: PathBuf,
    /// Where metrics are read over HTTP, if anywhere.
    pub metrics: Option<SocketAddr>,
    /// What the storage engine may keep in memory, in bytes.
    pub cache_bytes: u64,
    /// How many threads write; each merchant belongs to one. 1 to 64.
    pub writer_threads: usize,
    /// How often what changed is exported; it is at shutdown too. Zero: only then.
    pub export_every: Duration,
    /// How often each merchant's model is learned anew, if its orders have changed. Zero: only on demand.
    pub learn_every: Duration,
    /// Whether, and how, a damaged store is set aside, and a new one written from what is sound and the last good
    /// exports.
    pub repair: Option<Repair>,
    /// The transport.
    pub edge: Settings,
}

impl Config {
    /// The defaults, for data in `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50051)),
            data: data.into(),
            metrics: None,
            cache_bytes: StoreOptions::default().cache_bytes,
            writer_threads: 4,
            export_every: Duration::from_secs(60 * 60),
            learn_every: Duration::from_secs(60 * 60),
            repair: None,
            edge: Settings::default(),
        }
    }
}

/// Why a server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// See [`BootError`].
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The writer threads cannot be started.
    #[error("the writer threads cannot be started")]
    Writer(#[source] io::Error),
    /// It cannot listen.
    #[error("cannot listen on {at}")]
    Listen {
        /// Where.
        at: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The descriptors do not fit together.
    #[error(transparent)]
    Descriptors(#[from] DescriptorError),
    /// The store was not closed well. Everything acknowledged is durable all the same.
    #[error("the store was not closed well; everything acknowledged is durable all the same")]
    Close(#[source] StoreError),
    /// A task panicked.
    #[error("a task of the server panicked")]
    Panicked(#[from] JoinError),
}

/// A server that is serving.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where metrics are read, if anywhere.
    pub metrics: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Running {
    /// Drains the server and waits until its store is sealed.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn shut_down(self) -> Result<(), RunError> {
        drop(self.stop);
        self.task.await?
    }
}

/// Starts a server and returns once it listens.
///
/// # Errors
/// See [`RunError`].
pub async fn start(config: Config) -> Result<Running, RunError> {
    let (stop, stopped) = oneshot::channel();
    let server = Server::open(config).await?;
    let addr = server.addr;
    let metrics = server.metrics.as_ref().and_then(|listener| listener.local_addr().ok());
    let task = tokio::spawn(server.serve(async move { drop(stopped.await) }));
    Ok(Running { addr, metrics, stop, task })
}

/// Starts a server, tells `on_ready` where it listens, and serves until `shutdown` is ready.
///
/// # Errors
/// See [`RunError`].
pub async fn run(
    config: Config,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    log_panics();
    let server = Server::open(config).await?;
    on_ready(server.addr);
    server.serve(shutdown).await
}

/// A server that listens, and does not serve yet.
struct Server {
    addr: SocketAddr,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    edge: Edge,
    registry: Arc<Registry>,
    writer: Writer,
    keeper: Keeper,
    export_every: Duration,
    learner: Learner,
    learn_every: Duration,
    sessions: Sessions,
    closing: services::Closing,
}

impl Server {
    async fn open(config: Config) -> Result<Self, RunError> {
        let Config {
            listen,
            metrics,
            data,
            cache_bytes,
            writer_threads,
            export_every,
            learn_every,
            repair,
            edge,
        } = config;
        let options = StoreOptions { cache_bytes };
        drop(spawn_blocking(sidecart_scoring::conversation::get_ready));
        let (registry, writer) = {
            let data = data.clone();
            spawn_blocking(move || boot_all(&data, &options, writer_threads, repair.as_ref())).await??
        };
        let closing = services::Closing::default();
        let learner = Learner::new(registry.clone(), writer.clone());
        let sessions = Sessions::default();
        let keeper = Keeper::new(data, registry.clone());
        let routes = services::routes(
            registry.clone(),
            writer.clone(),
            learner.clone(),
            keeper.clone(),
            sessions.clone(),
            closing.clone(),
        );
        let listener = bind(listen).await?;
        let addr = listener.local_addr().map_err(|source| RunError::Listen { at: listen, source })?;
        let metrics = match metrics {
            Some(at) => Some(bind(at).await?),
            None => None,
        };
        let edge = Edge::new(routes, &services::NAMES, edge).await?;
        Ok(Self {
            addr,
            listener,
            metrics,
            edge,
            registry,
            writer,
            keeper,
            export_every,
            learner,
            learn_every,
            sessions,
            closing,
        })
    }

    /// Serves; then NOT_SERVING, drain with a deadline, writer joins, exports, flush and seal, in this order.
    async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let Self { listener, metrics, edge, registry, writer, keeper, closing, sessions, .. } = self;
        let (export_every, learn_every, learner) = (self.export_every, self.learn_every, self.learner);
        let remembered = sessions.clone();
        let sources = metrics::Sources {
            counters: edge.counters(),
            registry,
            sessions: remembered,
            wear: writer.wear(),
        };
        let planning = Some(tokio::spawn(Planner::new(sources.registry.clone(), writer.clone()).run()));
        let measured = metrics.map(|listener| tokio::spawn(metrics::serve(listener, sources)));
        let exporting = (!export_every.is_zero()).then(|| tokio::spawn(keeper.clone().run(export_every)));
        let learning = (!learn_every.is_zero()).then(|| tokio::spawn(learner.run(learn_every)));
        let forgetting = Some(tokio::spawn(sessions.run()));
        let shutdown = async {
            shutdown.await;
            closing.close();
        };
        let drained = edge.serve(listener, shutdown).await;
        tracing::info!(connections_cut = drained.connections_cut, "drained");
        for task in [exporting, measured, learning, planning, forgetting].into_iter().flatten() {
            task.abort();
        }
        spawn_blocking(move || {
            let store = writer.join();
            keeper.export_changed();
            store.map_or(Ok(()), |store| store.close().map_err(RunError::Close))
        })
        .await?
    }
}

async fn bind(at: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(at).await.map_err(|source| RunError::Listen { at, source })
}

/// Boots, repairs if asked, and starts the writer. Blocks.
fn boot_all(
    data: &std::path::Path,
    options: &StoreOptions,
    writer_threads: usize,
    how: Option<&Repair>,
) -> Result<(Arc<Registry>, Writer), RunError> {
    let registry = Arc::new(Registry::default());
    let Booted { store, logs, .. } = boot(data, options, how, &registry)?;
    let writer = match store {
        Err(reason) => Writer::degraded(registry.clone(), reason),
        Ok(store) => Writer::start(Arc::new(store), registry.clone(), writer_threads.clamp(1, 64), logs)
            .map_err(RunError::Writer)?,
    };
    Ok((registry, writer))
}
