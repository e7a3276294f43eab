//! Full load: every connection always has calls under way, in a closed loop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sidecart::{client::Client, v1 as pb};
use tokio::task::JoinSet;

use crate::{harness::figures::Times, synthetic::World};

/// How many connections ask.
pub(crate) const CONNECTIONS: usize = 8;
const QUESTIONS: u64 = 20_000;

/// Load under way.
pub(crate) struct Load {
    callers: JoinSet<Result<Calls, tonic::Status>>,
    stop: Arc<AtomicBool>,
    began: Instant,
}

/// What the load was answered.
#[derive(Default)]
pub(crate) struct Calls {
    /// How long each call took.
    pub(crate) times: Times,
    /// How many offers there were in all.
    pub(crate) offers: usize,
    /// How long it went on.
    pub(crate) lasted: Duration,
}

impl Load {
    /// Begins, with `calls` always under way on each connection.
    pub(crate) async fn begin(
        addr: &str,
        merchant: &str,
        world: &World,
        calls: usize,
    ) -> Result<Self, tonic::transport::Error> {
        let questions: Arc<Vec<_>> = Arc::new((0..QUESTIONS).map(|n| world.question(merchant, n)).collect());
        let (mut callers, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for connection in 0..CONNECTIONS {
            let client = Client::connect(addr).await?;
            for call in 0..calls {
                let first = (connection * calls + call) * questions.len() / (CONNECTIONS * calls);
                callers.spawn(ask(client.clone(), Arc::clone(&questions), first, Arc::clone(&stop)));
            }
        }
        Ok(Self { callers, stop, began: Instant::now() })
    }

    /// Ends, and answers what was answered.
    pub(crate) async fn end(mut self) -> Result<Calls, tonic::Status> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Calls { lasted: self.began.elapsed(), ..Calls::default() };
        while let Some(calls) = self.callers.join_next().await {
            let calls = calls.map_err(|fault| tonic::Status::internal(fault.to_string()))??;
            all.times.extend(calls.times);
            all.offers += calls.offers;
        }
        Ok(all)
    }
}

async fn ask(
    client: Client,
    questions: Arc<Vec<pb::RecommendRequest>>,
    first: usize,
    stop: Arc<AtomicBool>,
) -> Result<Calls, tonic::Status> {
    let mut client = client.recommendation();
    let mut calls = Calls::default();
    for question in questions.iter().cycle().skip(first) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let began = Instant::now();
        calls.offers += client.recommend(question.clone()).await?.into_inner().offers.len();
        calls.times.push(began.elapsed());
    }
    Ok(calls)
}
