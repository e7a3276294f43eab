//! Calls at a constant rate, each timed from when it was due: what waits behind a slow one counts as slow, too.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sidecart::{client::Client, v1 as pb};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    MERCHANT,
    harness::{Fault, figures::Times},
    synthetic::World,
    synthetic::orders::History,
};

/// Connections that ask.
const CONNECTIONS: usize = 8;
/// Calls a second, on all of them together.
const CALLS: u64 = 250;
const QUESTIONS: u64 = 20_000;
/// Order lines a second.
const LINES: u64 = 5_000;
/// Messages a second that tell them.
const MESSAGES: u64 = 10;

/// Questions under way.
pub(crate) struct Asking {
    stop: Arc<AtomicBool>,
    asked: tokio::task::JoinHandle<Result<Times, Fault>>,
}

impl Asking {
    /// Begins.
    pub(crate) async fn begin(addr: &str, world: &Arc<World>) -> Result<Self, Fault> {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(Client::connect(addr).await?);
        }
        let (stop, world) = (Arc::new(AtomicBool::new(false)), Arc::clone(world));
        let asked = tokio::spawn(ask(clients, world, Arc::clone(&stop)));
        Ok(Self { stop, asked })
    }

    /// Ends, and answers how long each call took from when it was due.
    pub(crate) async fn end(self) -> Result<Times, Fault> {
        self.stop.store(true, Ordering::Relaxed);
        self.asked.await.map_err(|fault| Fault::Wrong(fault.to_string()))?
    }
}

async fn ask(clients: Vec<Client>, world: Arc<World>, stop: Arc<AtomicBool>) -> Result<Times, Fault> {
    let questions: Vec<_> = (0..QUESTIONS).map(|number| world.question(MERCHANT, number)).collect();
    let (mut calls, began, mut times) = (JoinSet::new(), Instant::now(), Times::default());
    for (nth, (question, client)) in (0..).zip(questions.iter().cycle().zip(clients.iter().cycle())) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let due = began + Duration::from_nanos(1_000_000_000 / CALLS * nth);
        sleep_until(due).await;
        let (mut client, question) = (client.recommendation(), question.clone());
        calls.spawn(async move {
            client.recommend(question).await?;
            Ok::<_, tonic::Status>(due.elapsed())
        });
        while let Some(done) = calls.try_join_next() {
            times.push(done.map_err(|fault| Fault::Wrong(fault.to_string()))??);
        }
    }
    while let Some(done) = calls.join_next().await {
        times.push(done.map_err(|fault| Fault::Wrong(fault.to_string()))??);
    }
    Ok(times)
}

/// Orders that stream in.
pub(crate) struct Telling {
    stop: Arc<AtomicBool>,
    told: tokio::task::JoinHandle<Result<Told, Fault>>,
}

/// What was told.
#[derive(Default)]
pub(crate) struct Told {
    /// How many orders.
    pub(crate) orders: u64,
    /// How many lines these have.
    pub(crate) lines: u64,
    /// How long it took from when each message was due until it was acknowledged.
    pub(crate) times: Times,
}

impl Telling {
    /// Begins with the order of this number.
    pub(crate) async fn begin(addr: &str, history: &Arc<History>, first: u64) -> Result<Self, Fault> {
        let (client, stop) = (Client::connect(addr).await?, Arc::new(AtomicBool::new(false)));
        let told = tokio::spawn(tell(client, Arc::clone(history), first, Arc::clone(&stop)));
        Ok(Self { stop, told })
    }

    /// Ends, and answers what was told.
    pub(crate) async fn end(self) -> Result<Told, Fault> {
        self.stop.store(true, Ordering::Relaxed);
        self.told.await.map_err(|fault| Fault::Wrong(fault.to_string()))?
    }
}

async fn tell(
    client: Client,
    history: Arc<History>,
    first: u64,
    stop: Arc<AtomicBool>,
) -> Result<Told, Fault> {
    let (mut calls, began, mut told) = (JoinSet::new(), Instant::now(), Told::default());
    for nth in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let due = began + Duration::from_nanos(1_000_000_000 / MESSAGES * nth);
        sleep_until(due).await;
        let mut orders = Vec::new();
        let sent = told.lines;
        while told.lines < sent + LINES / MESSAGES {
            let order = history.purchase(first + told.orders).told();
            told.orders += 1;
            told.lines += order.lines.len() as u64;
            orders.push(order);
        }
        let mut client = client.orders();
        let request = pb::RecordOrdersRequest {
            merchant_id: MERCHANT.into(),
            orders,
            ..pb::RecordOrdersRequest::default()
        };
        calls.spawn(async move {
            client.record_orders(request).await?;
            Ok::<_, tonic::Status>(due.elapsed())
        });
        while let Some(done) = calls.try_join_next() {
            told.times.push(done.map_err(|fault| Fault::Wrong(fault.to_string()))??);
        }
    }
    while let Some(done) = calls.join_next().await {
        told.times.push(done.map_err(|fault| Fault::Wrong(fault.to_string()))??);
    }
    Ok(told)
}
