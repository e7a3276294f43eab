//! A world: a data directory, the authors who write to it, and the server that keeps dying.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use sidecart::client::Client;
use tokio::{runtime::Runtime, time::timeout};

use super::{
    author::{Author, Tally},
    random::Random,
    served::{Served, served},
    server::Server,
};

/// Two merchants of two authors each, and two of one author, who replaces and rolls back.
const SHARED: [(&str, &str); 4] = [("north", "a-"), ("north", "b-"), ("south", "c-"), ("south", "d-")];
const ALONE: [(&str, &str); 2] = [("east", "e-"), ("west", "f-")];

/// The authors of a world.
pub(crate) fn authors(seed: u64) -> Vec<Author> {
    let mut random = Random::new(seed);
    let mut fork = || Random::new(random.draw());
    let shared: Vec<_> =
        SHARED.iter().map(|(merchant, prefix)| Author::among_others(merchant, prefix, fork())).collect();
    let alone: Vec<_> =
        ALONE.iter().map(|(merchant, prefix)| Author::alone(merchant, prefix, fork())).collect();
    shared.into_iter().chain(alone).collect()
}

/// What a server holds of all merchants.
pub(crate) type Holdings = BTreeMap<String, Served>;

/// Asks a server what it holds of the authors' merchants.
pub(crate) async fn holdings(client: &Client, authors: &[Author]) -> Result<Holdings, String> {
    let mut all = Holdings::new();
    for author in authors {
        if !all.contains_key(&author.merchant) {
            let held = served(client, &author.merchant).await;
            let held =
                held.map_err(|status| format!("merchant {} cannot be read: {status:?}", author.merchant))?;
            all.insert(author.merchant.clone(), held);
        }
    }
    Ok(all)
}

/// Compares what a server holds with what every author was told.
pub(crate) fn check(authors: &mut [Author], holdings: &Holdings) -> Result<(), String> {
    authors.iter_mut().try_for_each(|author| author.check(&holdings[&author.merchant]))
}

/// What came of the writes of all authors.
pub(crate) fn tally(authors: &[Author]) -> Tally {
    authors.iter().fold(Tally::default(), |sum, author| sum.plus(author.tally))
}

/// One life of a server: what it holds is compared, the authors write, and after a while it is killed.
/// Returns how long the opening took.
pub(crate) fn live(
    runtime: &Runtime,
    data: &Path,
    authors: &mut [Author],
    life: Duration,
) -> Result<Duration, String> {
    let mut server = Server::start(data, &[])?;
    let (addr, opening) = server.ready()?;
    let killed = AtomicBool::new(false);
    let kill = async {
        // Nothing is ever ready: it is the time that runs out.
        let _ = timeout(life, std::future::pending::<()>()).await;
        killed.store(true, Ordering::SeqCst);
        server.kill();
    };
    runtime.block_on(async {
        let client = connect(&addr).await?;
        let held = holdings(&client, authors).await?;
        check(authors, &held)?;
        let writing = authors.iter_mut().map(|author| author.live(&client, &held[&author.merchant], &killed));
        let (stops, ()) = tokio::join!(join_all(writing), kill);
        stops.into_iter().collect::<Result<(), String>>()
    })?;
    Ok(opening)
}

/// A connection to a server.
pub(crate) async fn connect(addr: &str) -> Result<Client, String> {
    Client::connect(addr).await.map_err(|fault| format!("no connection to {addr}: {fault:?}"))
}
