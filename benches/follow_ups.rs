//! Ten million planned follow-ups: what planning costs for each order line, what each plan takes of memory, and how long a
//! server takes to lease 1,000 that are due, with what they offer, durably.
//!
//! `cargo bench --bench follow_ups`; `SIDECART_BENCH_PLANS` sets about how many plans there are (10,000,000). Without
//! `--bench`, as cargo runs it under `cargo test --benches`, it is a small trial.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints its figures, and no library")]

#[path = "harness/mod.rs"]
mod harness;
#[path = "synthetic/mod.rs"]
mod synthetic;

use std::{
    env, fs,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use harness::{
    Fault,
    child::{self, Server},
    figures::{Table, Times, rate},
};
use sidecart::{client::Client, v1 as pb};
use sidecart_catalog::Catalog;
use sidecart_scoring::{FollowUps, Orders, follow_ups::Known, model::Model, orders::RecordedOrder};
use sidecart_server::offline::{add_order, add_product};
use synthetic::{World, product_id};

const MERCHANT: &str = "bench";
const PRODUCTS: u64 = 20_000;
const PAIRINGS: u64 = 20_000;
const LINES: u64 = 4;
/// Plans of an order: before it ships, before it arrives, after delivery, and somewhat less than one refill.
const PLANS: f64 = 3.8;
const ORDERS_OF_SHOPPER: u64 = 4;
const PER_MESSAGE: u64 = 1_000;
const DAY: i64 = 86_400;
/// Orders are placed over so many days, and arrive after so many.
const PERIOD: i64 = 60 * DAY;
const DELIVERY: i64 = 4 * DAY;
/// Orders that are planned one by one, in groups as a writer commits them.
const TIMED_ORDERS: u64 = 20_000;
const GROUP: u64 = 100;
const LEASED: u32 = 1_000;
/// How long a server must do next to nothing to be at rest.
const REST: Duration = Duration::from_secs(2);
/// What the goals are: a lease of 1,000, and planning a line.
const LEASE_MAX: Duration = Duration::from_millis(20);
const PLAN_MAX: Duration = Duration::from_micros(50);

struct Size {
    orders: u64,
    leases: usize,
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
    let plans = env::var("SIDECART_BENCH_PLANS").ok().and_then(|value| value.parse().ok());
    let plans: f64 = if is_bench { plans.unwrap_or(10_000_000.0) } else { 8_000.0 };
    let size = Size { orders: (plans / PLANS) as u64, leases: if is_bench { 20 } else { 2 } };
    let table = Table::begin();
    let planning = plan(&size, &table);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    match runtime.block_on(lease(&size, &table)) {
        Ok(leasing) if !is_bench || (leasing <= LEASE_MAX && planning <= PLAN_MAX) => ExitCode::SUCCESS,
        Ok(_) => {
            println!("above {LEASE_MAX:?} for a lease, or {PLAN_MAX:?} for a line");
            ExitCode::FAILURE
        }
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// An order: everything about it follows from its number.
fn order(number: u64, orders: u64, now: i64) -> pb::RecordedOrder {
    let moment = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let placed = now - PERIOD + (number as i64 * PERIOD) / orders.max(1) as i64;
    // Steps of primes, so that lines lie anywhere in the catalog and shoppers come back at different times.
    let line = |nth: u64| pb::OrderLine {
        product_id: product_id((number * 7_919 + nth * 104_729) % PRODUCTS),
        quantity: 1,
        unit_price: None,
    };
    pb::RecordedOrder {
        order_id: format!("o{number:08}"),
        shopper_id: format!("s{:07}", (number * 15_485_863) % orders.div_ceil(ORDERS_OF_SHOPPER)),
        placed_at: moment(placed),
        lines: (0..LINES).map(line).collect(),
        expected_delivery: moment(placed + DELIVERY),
        ..pb::RecordedOrder::default()
    }
}

/// Plans in memory: answers what a line took.
fn plan(size: &Size, table: &Table) -> Duration {
    let (world, now) = (World::new(PRODUCTS), now());
    let (mut catalog, mut orders, model) = (Catalog::default(), Orders::default(), Model::default());
    for number in 0..PRODUCTS {
        add_product(&mut catalog, world.product(number)).expect("made-up products are valid");
    }
    let timed = TIMED_ORDERS.min(size.orders / 2);
    for number in 0..size.orders - timed {
        add_order(&mut orders, order(number, size.orders, now)).expect("made-up orders are valid");
    }
    let resident = resident_bytes();
    let began = Instant::now();
    let mut follow_ups = FollowUps::of(&Known { catalog: &catalog, model: &model, orders: &orders }, [], []);
    let took = began.elapsed();
    let plans = follow_ups.len();
    let bytes = resident_bytes().saturating_sub(resident) as f64 / plans.max(1) as f64;
    table.line("plans", plans);
    table.line(
        "all of them made anew, as at start",
        format!("{:.1} s, {:.0} a second", took.as_secs_f64(), rate(plans, took)),
    );
    table.line("memory of a plan", format!("{bytes:.0} bytes"));
    let mut spent = Duration::ZERO;
    let mut served = Vec::new();
    for number in size.orders - timed..size.orders {
        let told = order(number, size.orders, now);
        let id = told.order_id.clone();
        add_order(&mut orders, told).expect("made-up orders are valid");
        let recorded: Arc<RecordedOrder> = orders.get(&id).expect("it was just added").clone();
        // What was published before shares its memory, which a change copies where it touches it.
        if number % GROUP == 0 {
            served = vec![follow_ups.clone()];
        }
        let began = Instant::now();
        let known = Known { catalog: &catalog, model: &model, orders: &orders };
        follow_ups.order_changed(None, &recorded, &known);
        spent += began.elapsed();
    }
    drop(served);
    let line = spent / u32::try_from((timed * LINES).max(1)).unwrap_or(u32::MAX);
    table.line("planning, for an order line", format!("{:.1} us", line.as_secs_f64() * 1e6));
    line
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// Leases through the wire: answers the median of a lease.
async fn lease(size: &Size, table: &Table) -> Result<Duration, Fault> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let client = Client::connect(&server.addr).await?;
    fill(&client, size.orders).await?;
    at_rest(&server)?;
    table.line("memory of the server with all orders", format!("{:.2} GiB", gib(server.resident_bytes()?)));
    let (mut times, mut leased) = (Times::default(), 0);
    for _ in 0..size.leases {
        let request = pb::LeaseFollowUpsRequest {
            merchant_id: MERCHANT.into(),
            surface: pb::Surface::Email.into(),
            limit: LEASED,
            ..pb::LeaseFollowUpsRequest::default()
        };
        let began = Instant::now();
        let answer = client.follow_ups().lease_follow_ups(request).await?.into_inner();
        times.push(began.elapsed());
        leased += answer.follow_ups.len();
    }
    if leased == 0 {
        return Err(Fault::Wrong("nothing is due".into()));
    }
    table.line("leased, all together", leased);
    table.line("leasing 1,000 that are due, from call to answer", times.summary());
    server.stop()?;
    Ok(times.percentile(50))
}

/// Waits until the server has tended its store.
fn at_rest(server: &Server) -> Result<(), Fault> {
    loop {
        let before = server.processor_time()?;
        std::thread::sleep(REST);
        if server.processor_time()? - before < REST / 20 {
            return Ok(());
        }
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

async fn fill(client: &Client, orders: u64) -> Result<(), Fault> {
    let world = Arc::new(World::new(PRODUCTS));
    let own = world.clone();
    let messages = (0..PRODUCTS).step_by(PER_MESSAGE as usize).map(move |first| pb::ImportProductsRequest {
        merchant_id: MERCHANT.into(),
        mode: pb::ImportMode::Replace.into(),
        products: (first..first + PER_MESSAGE).map(|number| own.product(number)).collect(),
    });
    client.catalog().import_products(tokio_stream::iter(messages)).await?;
    let messages = (0..PAIRINGS).step_by(PER_MESSAGE as usize).map(move |first| pb::ReplaceRulesRequest {
        merchant_id: MERCHANT.into(),
        rules: (first..first + PER_MESSAGE).map(|number| world.pairing(number)).collect(),
    });
    client.rules().replace_rules(tokio_stream::iter(messages)).await?;
    // At any hour.
    let follow_ups = pb::FollowUpTerms { from_hour: Some(0), until_hour: Some(24), ..Default::default() };
    let policy = pb::Policy { name: "default".into(), follow_ups: Some(follow_ups), ..pb::Policy::default() };
    let (merchant_id, request_id) = (MERCHANT.to_owned(), String::new());
    client.rules().set_policy(pb::SetPolicyRequest { merchant_id, policy: Some(policy), request_id }).await?;
    let now = now();
    let messages = (0..orders).step_by(PER_MESSAGE as usize).map(move |first| pb::ImportOrdersRequest {
        merchant_id: MERCHANT.into(),
        orders: (first..orders.min(first + PER_MESSAGE)).map(|number| order(number, orders, now)).collect(),
    });
    let answer = client.orders().import_orders(tokio_stream::iter(messages)).await?.into_inner();
    if answer.created_count == orders { Ok(()) } else { Err(Fault::Wrong(format!("{answer:?}"))) }
}
