//! What learning costs: made-up orders of a quarter of a million to five million lines, each size in a process of its
//! own, beside a single-threaded count of the same pairs; of two runs the shorter times.
//!
//! `cargo bench --bench learn`; `SIDECART_BENCH_LINES=250000,500000` measures these sizes instead, and
//! `SIDECART_BENCH_THREADS` sets how many threads learn (2). Without `--bench`, as cargo runs it under `cargo test --benches`, it is a small trial.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints its figures, and no library")]

mod synthetic;

use std::{
    collections::HashMap,
    env, fs,
    hint::black_box,
    io,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, ProductId, Timestamp};
use sidecart_scoring::{Orders, learn::learn};
use sidecart_server::convert;
use synthetic::{World, orders::History};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
/// Products of the catalog, whatever the orders: a shop's orders double sooner than its catalog.
const PRODUCTS: u64 = 64_000;
const LINES: &str = "250000,500000,1000000,2000000,5000000";
const TRIAL: &str = "2000,4000";
/// Makes this process the one that learns from so many lines.
const LEARN: &str = "--lines";
/// Orders of more products are not counted, as the learner does not.
const BASKET_MAX: usize = 150;

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let told: Vec<String> = env::args().collect();
    if let Some(at) = told.iter().position(|word| word == LEARN) {
        return measure(told.get(at + 1).ok_or("how many lines?")?.parse()?);
    }
    let is_bench = told.iter().any(|word| word == "--bench");
    let sizes =
        env::var("SIDECART_BENCH_LINES").unwrap_or_else(|_| if is_bench { LINES } else { TRIAL }.into());
    println!(
        "| lines | orders | learned in | for each doubling | count alone, one thread | beside it | peak |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut before: Option<Figures> = None;
    for size in sizes.split(',') {
        let figures = Figures::of(size)?.least(&Figures::of(size)?);
        let grown =
            before.as_ref().map_or_else(String::new, |before| format!("{:.2} ×", figures.doubling(before)));
        println!(
            "| {} | {} | {:.2} s | {grown} | {:.2} s | {:.2} × | {:.2} GiB |",
            figures.lines,
            figures.orders,
            figures.learning,
            figures.counting,
            figures.learning / figures.counting,
            figures.peak_kib / 1024.0 / 1024.0,
        );
        before = Some(figures);
    }
    Ok(())
}

/// What one process found out.
struct Figures {
    lines: f64,
    orders: f64,
    learning: f64,
    counting: f64,
    peak_kib: f64,
}

impl Figures {
    /// Measured in a process of its own, so that its memory is its own.
    fn of(size: &str) -> Result<Self, Fault> {
        let child =
            Command::new(env::current_exe()?).args([LEARN, size]).stderr(Stdio::inherit()).output()?;
        let words: Vec<f64> =
            String::from_utf8(child.stdout)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [lines, orders, learning, counting, peak_kib] = words[..] else {
            return Err(format!("{size} lines: {}", child.status).into());
        };
        Ok(Self { lines, orders, learning, counting, peak_kib })
    }

    /// The shorter times of two runs, and the larger peak: what else the machine does only ever adds.
    fn least(self, other: &Self) -> Self {
        Self {
            learning: self.learning.min(other.learning),
            counting: self.counting.min(other.counting),
            peak_kib: self.peak_kib.max(other.peak_kib),
            ..self
        }
    }

    /// How much longer it takes for twice as much, by what it took here and before.
    fn doubling(&self, before: &Self) -> f64 {
        (self.learning / before.learning).powf(1.0 / (self.lines / before.lines).log2())
    }
}

/// Learns, and prints the figures in one line.
fn measure(lines: u64) -> Result<(), Fault> {
    let world = World::new(PRODUCTS);
    let mut catalog = Catalog::default();
    for number in 0..world.products() {
        catalog.upsert(convert::product::from_pb(world.product(number), NOW)?)?;
    }
    let history = History::new(PRODUCTS, lines, NOW);
    let mut orders = Orders::default();
    for number in 0..history.orders() {
        orders.record(history.purchase(number).recorded())?;
    }
    let threads = env::var("SIDECART_BENCH_THREADS").map_or(Ok(2), |threads| threads.parse())?;
    let began = Instant::now();
    let model = learn(&orders, &catalog, threads);
    let learning = began.elapsed();
    let peak_kib = peak_kib()?;
    let counting = count(&orders);
    let facts = &model.parts().facts;
    println!(
        "{} {} {} {} {peak_kib}",
        facts.lines,
        facts.orders,
        learning.as_secs_f64(),
        counting.as_secs_f64()
    );
    Ok(())
}

/// What it takes one thread to count each pair of each order, and nothing else.
fn count(orders: &Orders) -> Duration {
    let began = Instant::now();
    let mut places: HashMap<&ProductId, u32, GlobalState> = HashMap::default();
    let mut pairs: HashMap<u64, u32, GlobalState> = HashMap::default();
    let mut basket = Vec::new();
    for order in orders.iter() {
        basket.clear();
        for (product, _) in order.bought() {
            let next = places.len() as u32;
            basket.push(*places.entry(product).or_insert(next));
        }
        if basket.len() > BASKET_MAX {
            continue;
        }
        basket.sort_unstable();
        for (at, first) in basket.iter().enumerate() {
            for second in &basket[at + 1..] {
                *pairs.entry(u64::from(*first) << 32 | u64::from(*second)).or_default() += 1;
            }
        }
    }
    black_box(&pairs);
    began.elapsed()
}

/// The most memory that this process ever had resident.
fn peak_kib() -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or(io::ErrorKind::NotFound)?;
    line.trim().trim_end_matches(" kB").parse().map_err(io::Error::other)
}
