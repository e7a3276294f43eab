//! The server under test, as a process of its own: the same program, told by its environment what to be.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use sidecart_server::Config;

/// Names the data directory, and makes the program a server.
const DATA: &str = "SIDECART_KILL_DATA";
/// Said before the store is opened, and before the address once it listens.
const OPENING: &str = "opening";
const READY: &str = "ready ";
/// How long a start may take, on a machine that is busy.
const START_MAX: Duration = Duration::from_secs(60);
/// Often, so that a kill meets an export now and then.
const EXPORT_EVERY: Duration = Duration::from_millis(300);
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// The data directory to serve, if this process is to be the server.
pub(crate) fn data_to_serve() -> Option<PathBuf> {
    env::var_os(DATA).map(PathBuf::from)
}

/// Serves until killed, or until the process that started it is gone.
pub(crate) fn serve(data: PathBuf) -> Result<(), String> {
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|fault| fault.to_string())?;
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        cache_bytes: CACHE_BYTES,
        export_every: EXPORT_EVERY,
        ..Config::new(data)
    };
    say(OPENING);
    let served = runtime.block_on(sidecart_server::run(
        config,
        |addr| say(&format!("{READY}{addr}")),
        std::future::pending(),
    ));
    served.map_err(|fault| format!("{fault:?}"))
}

fn say(line: &str) {
    let mut out = io::stdout();
    // Nobody listens any more when the parent is gone.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A server process. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    opening: Instant,
}

impl Server {
    /// Starts a server; returns once it is about to open its store.
    pub(crate) fn start(data: &Path, environment: &[(&str, &str)]) -> Result<Self, String> {
        let program = env::current_exe().map_err(|fault| fault.to_string())?;
        let mut command = Command::new(program);
        command.env(DATA, data).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|fault| format!("the server cannot be started: {fault}"))?;
        let (say, lines) = channel();
        if let Some(out) = child.stdout.take() {
            thread::spawn(move || {
                BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| say.send(line))
            });
        }
        let mut server = Self { child, lines, opening: Instant::now() };
        match server.lines.recv_timeout(START_MAX) {
            Ok(line) if line == OPENING => server.opening = Instant::now(),
            line => return Err(format!("the server did not start: {line:?}")),
        }
        Ok(server)
    }

    /// Waits until it listens: its address, and how long it took to open.
    pub(crate) fn ready(&self) -> Result<(String, Duration), String> {
        let line = self.lines.recv_timeout(START_MAX);
        let line = line.map_err(|_| "the server did not open its store")?;
        let addr = line.strip_prefix(READY).ok_or_else(|| format!("the server said `{line}`"))?;
        Ok((format!("http://{addr}"), self.opening.elapsed()))
    }

    /// Waits a while: how long the opening took, if it is over by then.
    pub(crate) fn opened_within(&self, within: Duration) -> Result<Option<Duration>, String> {
        match self.lines.recv_timeout(within) {
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Ok(line) if line.starts_with(READY) => Ok(Some(self.opening.elapsed())),
            other => Err(format!("the server did not open its store: {other:?}")),
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
