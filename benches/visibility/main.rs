//! A merchant of a million products and 200,000 pairings in a server process: what it takes to import and to start,
//! and how soon a change is visible in answers while every connection asks.
//!
//! `cargo bench --bench visibility`; `SIDECART_BENCH_PRODUCTS` sets another size, with a fifth as many pairings.
//! Without `--bench`, as cargo runs it under `cargo test --benches`, it is a small trial.
//! At full size it fails when the memory is above 4 GiB or a median is not below 50 ms.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints its figures, and no library")]

mod changes;
#[path = "../harness/mod.rs"]
mod harness;
mod import;
mod load;
#[path = "../synthetic/mod.rs"]
mod synthetic;

use std::{env, path::Path, process::ExitCode, sync::Arc, time::Duration};

use changes::{Probe, What, change, probes, stream};
use harness::{
    Fault,
    child::{self, Server},
    figures::{Table, gib, rate, seconds},
};
use load::{CONNECTIONS, Load};
use sidecart::client::Client;
use synthetic::World;

const MERCHANT: &str = "bench";
const FULL: u64 = 1_000_000;
const TRIAL: u64 = 3_000;
const MEMORY_MAX_BYTES: u64 = 4 << 30;
const VISIBLE_MAX: Duration = Duration::from_millis(50);
/// Calls always under way on each connection: enough to keep all processors busy, and a long queue of them.
const DEPTHS: [usize; 2] = [2, 8];

/// What is changed, and its name in the table.
const CHANGES: [(What, &str); 2] =
    [(What::Price, "one-product price change"), (What::Pairing, "one-pairing change")];

/// How much is measured.
struct Size {
    products: u64,
    pairings: u64,
    changes: usize,
    stream: Duration,
}

/// What the limits are held against.
struct Verdict {
    peak_bytes: u64,
    slowest_median: Duration,
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    if let [_, serve, data] = &args[..]
        && serve == child::SERVE
    {
        child::serve(data);
        return ExitCode::SUCCESS;
    }
    let size = Size::of(args.iter().any(|arg| arg == "--bench"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    match runtime.block_on(measure(&size)) {
        Ok(verdict) if verdict.holds() => ExitCode::SUCCESS,
        Ok(verdict) => {
            println!("a limit is broken: {}, {:?}", gib(verdict.peak_bytes), verdict.slowest_median);
            ExitCode::FAILURE
        }
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

impl Size {
    fn of(is_bench: bool) -> Self {
        if !is_bench {
            return Self {
                products: TRIAL,
                pairings: TRIAL / 5,
                changes: 5,
                stream: Duration::from_millis(200),
            };
        }
        let products =
            env::var("SIDECART_BENCH_PRODUCTS").ok().and_then(|value| value.parse().ok()).unwrap_or(FULL);
        Self { products, pairings: products / 5, changes: 300, stream: Duration::from_secs(10) }
    }
}

impl Verdict {
    fn holds(&self) -> bool {
        self.peak_bytes <= MEMORY_MAX_BYTES && self.slowest_median < VISIBLE_MAX
    }
}

async fn measure(size: &Size) -> Result<Verdict, Fault> {
    // Under `target/`, since a memory file system would make every write durable for free.
    let dir = tempfile::Builder::new().prefix("sidecart-bench").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (world, table) = (Arc::new(World::new(size.products)), Table::begin());
    let server = Server::start(dir.path())?;
    let client = Client::connect(&server.addr).await?;
    import::products(&client, MERCHANT, &world, &table).await?;
    table.line("memory, most so far", gib(server.peak_bytes()?));
    import::pairings(&client, MERCHANT, &world, size.pairings, &table).await?;
    table.line("memory, most so far", gib(server.peak_bytes()?));
    let slowest_median = visibility(&client, &server, &world, size, &table).await?;
    import::export(&client, MERCHANT, &table).await?;
    table.line("memory, most so far", gib(server.peak_bytes()?));
    table.line("memory now", gib(server.resident_bytes()?));
    table.line("disk, without export files", gib(import::disk_bytes(dir.path())?));
    let peak_bytes = server.peak_bytes()?;
    drop(client);
    table.line("shutdown, with its export file", seconds(server.stop()?));
    restart(dir.path(), &table).await?;
    Ok(Verdict { peak_bytes, slowest_median })
}

/// Measures changes without and with load; answers the slowest median under load.
async fn visibility(
    client: &Client,
    server: &Server,
    world: &Arc<World>,
    size: &Size,
    table: &Table,
) -> Result<Duration, Fault> {
    let probes = probes(client, MERCHANT, world, size.changes).await?;
    // The load has connections of its own.
    for (what, name) in CHANGES {
        let idle = change(client, world, &probes, what).await?;
        table.line(&format!("{name}, no load: visible"), idle.visible.summary());
    }
    let mut slowest = Duration::ZERO;
    for depth in DEPTHS {
        slowest = slowest.max(loaded(client, server, world, &probes, depth, table).await?);
    }
    sustained(client, server, world, size, table).await?;
    Ok(slowest)
}

/// Measures changes while every connection has `depth` calls under way; answers the slower median.
async fn loaded(
    client: &Client,
    server: &Server,
    world: &Arc<World>,
    probes: &[Probe],
    depth: usize,
    table: &Table,
) -> Result<Duration, Fault> {
    let mut slowest = Duration::ZERO;
    let load = Load::begin(&server.addr, MERCHANT, world, depth).await?;
    let (used, at) = (server.processor_time()?, format!("{} in flight", CONNECTIONS * depth));
    for (what, name) in CHANGES {
        let changed = change(client, world, probes, what).await?;
        table.line(&format!("{name}, {at}: visible"), changed.visible.summary());
        table.line(&format!("{name}, {at}: acknowledged"), changed.acknowledged.summary());
        slowest = slowest.max(changed.visible.percentile(50));
    }
    let used = server.processor_time()?.saturating_sub(used);
    let calls = load.end().await?;
    let answers = calls.times.len();
    table.line(&format!("Recommend, {at}, with those changes"), calls.times.summary());
    table.line("… answers a second", format_args!("{:.0}", rate(answers, calls.lasted)));
    table.line("… offers in an answer", format_args!("{:.2}", calls.offers as f64 / answers as f64));
    table.line(
        "… server processor time for an answer",
        format_args!("{:.0} µs", 1e6 * used.as_secs_f64() / answers as f64),
    );
    Ok(slowest)
}

/// Measures a stream of updates beside full load.
async fn sustained(
    client: &Client,
    server: &Server,
    world: &World,
    size: &Size,
    table: &Table,
) -> Result<(), Fault> {
    let load = Load::begin(&server.addr, MERCHANT, world, DEPTHS[0]).await?;
    let (set, lasted) = stream(client, MERCHANT, world, size.stream).await?;
    let calls = load.end().await?;
    table.line("one-product updates a second, beside full load", format_args!("{:.0}", rate(set, lasted)));
    table.line(
        "… Recommend answers a second meanwhile",
        format_args!("{:.0}", rate(calls.times.len(), calls.lasted)),
    );
    Ok(())
}

/// Measures a start from what is stored.
async fn restart(data: &Path, table: &Table) -> Result<(), Fault> {
    let server = Server::start(data)?;
    table.line("start from the store", seconds(server.started_in));
    table.line("memory after the start, most", gib(server.peak_bytes()?));
    let client = Client::connect(&server.addr).await?;
    let request = sidecart::v1::GetSnapshotRequest { merchant_id: MERCHANT.into(), min_generation: 0 };
    let snapshot = client.snapshot().get_snapshot(request).await?.into_inner().snapshot.unwrap_or_default();
    table.line(
        "… products and rules then",
        format_args!("{} and {}", snapshot.product_count, snapshot.rule_count),
    );
    drop(client);
    server.stop()?;
    Ok(())
}
