//! Answers while orders stream in: `Recommend` at a constant rate, alone, beside 5,000 order lines a second, and beside
//! these while a model is learned from all orders, in turn and several times over.
//!
//! `cargo bench --bench streaming`; `SIDECART_BENCH_LINES` sets how many order lines there are to begin with
//! (1,000,000). Without `--bench`, as cargo runs it under `cargo test --benches`, it is a small trial.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints its figures, and no library")]

#[path = "../harness/mod.rs"]
mod harness;
mod load;
#[path = "../synthetic/mod.rs"]
mod synthetic;

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use harness::{
    Fault,
    child::{self, Server},
    figures::{Table, Times, gib},
};
use load::{Asking, Telling};
use sidecart::{client::Client, v1 as pb};
use sidecart_catalog::Timestamp;
use synthetic::{World, orders::History};

const MERCHANT: &str = "bench";
const PRODUCTS: u64 = 64_000;
const PER_MESSAGE: u64 = 1_000;
/// How often the phases take turns, and in how many of these turns a model is learned, too: that takes longer.
const ROUNDS: usize = 12;
const LEARNING_ROUNDS: usize = 2;
/// How long a phase without learning lasts.
const PHASE: Duration = Duration::from_secs(5);
/// What p99 beside the stream may be, beside p99 without.
const SLOWER_MAX: f64 = 1.5;

struct Size {
    products: u64,
    lines: u64,
    rounds: usize,
    phase: Duration,
}

fn main() -> ExitCode {
    let told: Vec<String> = env::args().skip(1).collect();
    if let [serve, data] = &told[..]
        && serve == child::SERVE
    {
        child::serve(data);
        return ExitCode::SUCCESS;
    }
    let is_bench = told.iter().any(|word| word == "--bench");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    match runtime.block_on(measure(&Size::of(is_bench))) {
        Ok(slower) if !is_bench || slower <= SLOWER_MAX => ExitCode::SUCCESS,
        Ok(slower) => {
            println!("p99 beside the stream is {slower:.2} times what it is alone: above {SLOWER_MAX}");
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
            return Self { products: 2_000, lines: 5_000, rounds: 1, phase: Duration::from_millis(300) };
        }
        let told = env::var("SIDECART_BENCH_LINES").ok().and_then(|value| value.parse().ok());
        Self { products: PRODUCTS, lines: told.unwrap_or(1_000_000), rounds: ROUNDS, phase: PHASE }
    }
}

/// What happens in a phase beside asking.
const PHASES: [&str; 3] = ["alone", "beside the stream", "beside the stream, and learning"];

/// How many times as long the 99th percentile is beside the stream.
async fn measure(size: &Size) -> Result<f64, Fault> {
    // Under `target/`, since a memory file system would make every write durable for free.
    let dir = tempfile::Builder::new().prefix("sidecart-bench").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let server = Server::start(dir.path())?;
    let client = Client::connect(&server.addr).await?;
    let (world, history) =
        (Arc::new(World::new(size.products)), History::new(size.products, size.lines, now()));
    let (history, mut told) = (Arc::new(history), 0);
    import(&client, &world, &history).await?;
    learn(&client).await?;
    let mut times: [Times; 3] = Default::default();
    let mut acknowledged = Times::default();
    let mut lines = 0;
    for round in 0..size.rounds {
        for (phase, times) in times.iter_mut().enumerate() {
            if phase == 2 && round >= LEARNING_ROUNDS {
                continue;
            }
            let asking = Asking::begin(&server.addr, &world).await?;
            let telling = match phase {
                0 => None,
                _ => Some(Telling::begin(&server.addr, &history, history.orders() + told).await?),
            };
            let learning = async { if phase == 2 { learn(&client).await } else { Ok(()) } };
            let (_, learned) = tokio::join!(tokio::time::sleep(size.phase), learning);
            learned?;
            if let Some(telling) = telling {
                let stream = telling.end().await?;
                told += stream.orders;
                lines += stream.lines;
                acknowledged.extend(stream.times);
            }
            times.extend(asking.end().await?);
        }
    }
    report(&server, &times, &acknowledged, lines)
}

fn report(server: &Server, times: &[Times; 3], acknowledged: &Times, lines: u64) -> Result<f64, Fault> {
    let table = Table::begin();
    let p99 = |times: &Times| times.percentile(99).as_secs_f64();
    for (what, times) in PHASES.iter().zip(times) {
        table.line(&format!("`Recommend` {what}"), times.summary());
    }
    for (what, beside) in PHASES.iter().zip(times).skip(1) {
        table.line(&format!("p99 {what}, to alone"), format_args!("{:.2} ×", p99(beside) / p99(&times[0])));
    }
    table.line("order lines told in the stream", lines);
    table.line("… acknowledged after", acknowledged.summary());
    table.line("memory of the server, most", gib(server.peak_bytes()?));
    Ok(p99(&times[1]) / p99(&times[0]))
}

/// Imports the catalog and all orders.
async fn import(client: &Client, world: &Arc<World>, history: &Arc<History>) -> Result<(), Fault> {
    let (own, products) = (Arc::clone(world), world.products());
    let messages = (0..products).step_by(PER_MESSAGE as usize).map(move |first| pb::ImportProductsRequest {
        merchant_id: MERCHANT.into(),
        mode: pb::ImportMode::Replace.into(),
        products: (first..products.min(first + PER_MESSAGE)).map(|number| own.product(number)).collect(),
    });
    client.catalog().import_products(tokio_stream::iter(messages)).await?;
    let (own, orders) = (Arc::clone(history), history.orders());
    let messages = (0..orders).step_by(PER_MESSAGE as usize).map(move |first| pb::ImportOrdersRequest {
        merchant_id: MERCHANT.into(),
        orders: (first..orders.min(first + PER_MESSAGE)).map(|number| own.purchase(number).told()).collect(),
    });
    let answer = client.orders().import_orders(tokio_stream::iter(messages)).await?.into_inner();
    if answer.created_count == orders { Ok(()) } else { Err(Fault::Wrong(format!("{answer:?}"))) }
}

async fn learn(client: &Client) -> Result<(), Fault> {
    client
        .affinities()
        .learn_affinities(pb::LearnAffinitiesRequest {
            merchant_id: MERCHANT.into(),
            ..pb::LearnAffinitiesRequest::default()
        })
        .await?;
    Ok(())
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(since.as_millis() as i64)
}
