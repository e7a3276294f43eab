//! The server as a process of its own, so that its memory is its own.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sidecart_server::{Config, run};
use tokio::sync::oneshot;

/// Makes this binary the server.
pub(crate) const SERVE: &str = "--serve";

/// Serves the data in `data` until standard input ends; prints where it listens.
pub(crate) fn serve(data: &str) {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::new(data) };
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        // Ends when the parent closes it, or dies.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        drop(stop);
    });
    let ready = |addr| {
        println!("http://{addr}");
        io::stdout().flush().expect("the parent reads until the child ends");
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    runtime
        .block_on(run(config, ready, async { drop(stopped.await) }))
        .expect("the server runs and closes well");
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) addr: String,
    /// How long it took from start to listening.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts a server over the data in `data`.
    pub(crate) fn start(data: &Path) -> io::Result<Self> {
        let began = Instant::now();
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.arg(SERVE).arg(data).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut addr = String::new();
        let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        BufReader::new(out).read_line(&mut addr)?;
        Ok(Self { child, addr: addr.trim().into(), started_in: began.elapsed() })
    }

    /// The most memory that it ever had resident, in bytes.
    pub(crate) fn peak_bytes(&self) -> io::Result<u64> {
        self.status("VmHWM:")
    }

    /// The memory that it has resident now, in bytes.
    pub(crate) fn resident_bytes(&self) -> io::Result<u64> {
        self.status("VmRSS:")
    }

    /// The processor time that it has used.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Fields 14 and 15, in ticks of 10 ms; the name in the second may hold spaces, and ends with the last `)`.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    fn status(&self, key: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or(io::ErrorKind::NotFound)?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().map_err(io::Error::other)?;
        Ok(kib * 1024)
    }

    /// Lets it close, and answers how long that took.
    pub(crate) fn stop(mut self) -> io::Result<Duration> {
        let began = Instant::now();
        drop(self.child.stdin.take());
        let ended = self.child.wait()?;
        if ended.success() { Ok(began.elapsed()) } else { Err(io::Error::other(ended.to_string())) }
    }
}
