//! Calls are dropped at random moments; then what was served from memory is compared with what is on the disk.
//!
//! The file that a server exports as it shuts down holds what it served last; a server started anew serves its store.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use futures_util::future::join_all;
use sidecart::client::Client;
use sidecart_server::{Config, start, store::exports};
use tokio::time::timeout;
use tonic::{Code, Status};

use super::{
    call::{Request, send},
    model::Write,
    pen::Pen,
    random::Random,
    served::{Served, State, read, served},
    world::connect,
};

/// Servers started one after the other on the same data.
const ROUNDS: u64 = 4;
/// Calls of each author in a round.
const CALLS: u64 = 60;
/// A call that is dropped is so after less than this, unless it is answered before.
const DROP_MAX_MICROS: u64 = 12_000;
/// Calls that are not dropped, in percent.
const PATIENT_PERCENT: u64 = 20;
/// Longer than any call takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of a merchant's authors each has its prefix.
const AUTHORS: [(&str, &str); 4] = [("north", "a-"), ("north", "b-"), ("east", "c-"), ("west", "d-")];
/// One in so many writes is about a whole merchant.
const WHOLE_PERCENT: u64 = 8;

/// What each merchant holds.
type Holdings = BTreeMap<String, Served>;

/// Rounds of dropped calls, each compared with the start after it.
pub(crate) fn run(seed: u64) -> Result<String, String> {
    let dir = tempfile::tempdir().map_err(|fault| fault.to_string())?;
    let mut random = Random::new(seed);
    let mut pens: Vec<_> = AUTHORS
        .iter()
        .map(|(merchant, prefix)| (*merchant, Pen::new(Random::new(random.draw()), prefix)))
        .collect();
    let (mut dropped, mut answered, mut in_memory) = (0, 0, None);
    for round in 0..=ROUNDS {
        let calls = if round == ROUNDS { 0 } else { CALLS };
        let (on_disk, done) = one_server(dir.path(), &mut pens, calls)?;
        if in_memory.is_some_and(|in_memory| in_memory != on_disk) {
            return Err(format!("round {round}: memory and disk differ"));
        }
        dropped += done.iter().filter(|was_answered| !**was_answered).count();
        answered += done.iter().filter(|was_answered| **was_answered).count();
        in_memory = Some(exported(dir.path())?);
    }
    match dropped.min(answered) {
        0 => Err(format!("{dropped} calls dropped and {answered} answered: too few to tell")),
        _ => Ok(format!(
            "{dropped} calls dropped and {answered} answered in {ROUNDS} lives, memory as the disk after each"
        )),
    }
}

/// What a server serves at its start; then calls are made, of which it is told whether they were answered.
fn one_server(data: &Path, pens: &mut [(&str, Pen)], calls: u64) -> Result<(Holdings, Vec<bool>), String> {
    // A runtime of its own: when it is dropped, no work that a dropped call left behind is under way any more.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|fault| fault.to_string())?;
    let config =
        Config { listen: ([127, 0, 0, 1], 0).into(), export_every: Duration::ZERO, ..Config::new(data) };
    runtime.block_on(async {
        let server = start(config).await.map_err(|fault| format!("{fault:?}"))?;
        let client = connect(&format!("http://{}", server.addr)).await?;
        let mut held = Holdings::new();
        for (merchant, _) in AUTHORS {
            let served = served(&client, merchant).await.map_err(|status| format!("{status:?}"))?;
            held.insert(merchant.to_owned(), served);
        }
        let writing =
            pens.iter_mut().map(|(merchant, pen)| write(&client, merchant, pen, &held[*merchant], calls));
        let done = join_all(writing).await.into_iter().collect::<Result<Vec<_>, String>>()?;
        server.shut_down().await.map_err(|fault| format!("{fault:?}"))?;
        Ok((held, done.concat()))
    })
}

/// Makes calls, and drops most of them. Whether each was answered.
async fn write(
    client: &Client,
    merchant: &str,
    pen: &mut Pen,
    held: &Served,
    calls: u64,
) -> Result<Vec<bool>, String> {
    // Generation 0 is nothing, and nothing is kept of it: refused, which is an answer too.
    let kept = BTreeMap::from([(held.generation, held.state.clone())]);
    let mut done = Vec::new();
    for _ in 0..calls {
        let write = match pen.random.happens(WHOLE_PERCENT) {
            true => pen.whole_write(&State::default(), &kept),
            false => pen.item_write(&held.state),
        };
        let request = Request { write, id: String::new() };
        let after = match pen.random.happens(PATIENT_PERCENT) {
            true => PATIENCE,
            false => Duration::from_micros(pen.random.below(DROP_MAX_MICROS)),
        };
        match timeout(after, send(client, merchant, &request)).await {
            Err(_) => done.push(false),
            Ok(Ok(_)) => done.push(true),
            Ok(Err(status)) if is_refused(&request, &status) => done.push(true),
            Ok(Err(status)) => return Err(format!("merchant {merchant}: {status:?} to {request:?}")),
        }
    }
    Ok(done)
}

/// Whether a generation is no longer kept, or never was.
fn is_refused(request: &Request, status: &Status) -> bool {
    matches!(request.write, Write::RollBack { .. }) && status.code() == Code::NotFound
}

/// What the newest export file of each merchant holds.
fn exported(data: &Path) -> Result<Holdings, String> {
    let mut newest = Holdings::new();
    for file in exports::list(data).map_err(|fault| fault.to_string())? {
        let bytes = fs::read(&file.path).map_err(|fault| fault.to_string())?;
        let (generation, state) = read(&bytes);
        let served = newest.entry(file.header.merchant.to_string()).or_default();
        if generation > served.generation {
            *served = Served { generation, degraded: None, state };
        }
    }
    Ok(newest)
}
