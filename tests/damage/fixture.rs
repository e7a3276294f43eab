//! A small store with a known past, and its files, to be damaged and put back.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sidecart::{
    client::Client,
    v1::{self as pb, rule::Says, term::Term},
};
use sidecart_server::{Config, Running, start};
use tempfile::TempDir;

use super::served::{Served, served};

/// The merchants of the fixture.
pub(crate) const MERCHANTS: [&str; 2] = ["north", "south"];

/// What each merchant holds.
pub(crate) type Holdings = BTreeMap<&'static str, Served>;

/// Stages in the life of a store, and what was true at each.
pub(crate) struct Fixture {
    /// Exported by the first shutdown.
    pub(crate) first: Holdings,
    /// Exported by the second shutdown.
    pub(crate) second: Holdings,
    /// All files after the second shutdown.
    pub(crate) sealed: Image,
    /// Acknowledged by the third server before it was killed.
    pub(crate) third: Holdings,
    /// All files after that.
    pub(crate) unsealed: Image,
}

impl Fixture {
    /// Three lives of a server on the same data.
    pub(crate) async fn new() -> Self {
        let dir = scratch();
        let first = life(dir.path(), 1).await;
        let second = life(dir.path(), 2).await;
        let sealed = Image::of(dir.path());
        let (server, client) = serve(Config::new(dir.path())).await;
        write(&client, 3).await;
        let third = held(&client).await;
        // What a process wrote is in its files whether it lives or not: this is what a kill would leave.
        let unsealed = Image::of(dir.path());
        drop(client);
        server.shut_down().await.unwrap();
        Self { first, second, sealed, third, unsealed }
    }
}

/// A server that writes and shuts down: what it held.
async fn life(data: &Path, round: u32) -> Holdings {
    let (server, client) = serve(Config::new(data)).await;
    write(&client, round).await;
    let held = held(&client).await;
    drop(client);
    server.shut_down().await.unwrap();
    held
}

/// Starts a server, and connects to it.
pub(crate) async fn serve(config: Config) -> (Running, Client) {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        cache_bytes: 16 * 1024 * 1024,
        writer_threads: 1,
        export_every: Duration::ZERO,
        ..config
    };
    let server = start(config).await.unwrap();
    // The server's own hook logs where a panic was, without its words; a test that fails should say them.
    drop(std::panic::take_hook());
    let client = Client::connect(&format!("http://{}", server.addr)).await.unwrap();
    (server, client)
}

/// What a server holds of all merchants.
pub(crate) async fn held(client: &Client) -> Holdings {
    let mut holdings = Holdings::new();
    for merchant in MERCHANTS {
        holdings.insert(merchant, served(client, merchant).await.unwrap());
    }
    holdings
}

/// Writes of one round: some values new, some in the place of others, one gone.
async fn write(client: &Client, round: u32) {
    for merchant in MERCHANTS {
        let merchant_id = merchant.to_owned();
        upsert(client, merchant, round).await.unwrap();
        let rules = vec![rule("long", 40, round), rule(&format!("r{round}"), 1, round)];
        let request =
            pb::UpsertRulesRequest { merchant_id: merchant_id.clone(), rules, ..Default::default() };
        client.rules().upsert_rules(request).await.unwrap();
        let limits = pb::PolicyLimits { offers_max: Some(round), ..Default::default() };
        let policy = pb::Policy { name: "default".to_owned(), limits: Some(limits), ..Default::default() };
        let request_id = format!("{merchant}{round}");
        let request =
            pb::SetPolicyRequest { merchant_id: merchant_id.clone(), policy: Some(policy), request_id };
        client.rules().set_policy(request).await.unwrap();
        let product_ids = vec![format!("p{}", round - 1)];
        let request = pb::DeleteProductsRequest { merchant_id, product_ids, ..Default::default() };
        client.catalog().delete_products(request).await.unwrap();
    }
}

/// Creates one product of a round, and updates another.
pub(crate) async fn upsert(client: &Client, merchant: &str, round: u32) -> Result<u64, tonic::Status> {
    let product = |id: &str| pb::Product {
        product_id: id.to_owned(),
        title: format!("Round {round} of {merchant}"),
        price: Some(pb::Money { currency: "EUR".to_owned(), minor_units: i64::from(round) }),
        ..Default::default()
    };
    let products = vec![product("all"), product(&format!("p{round}"))];
    let request =
        pb::UpsertProductsRequest { merchant_id: merchant.to_owned(), products, ..Default::default() };
    Ok(client.catalog().upsert_products(request).await?.into_inner().generation)
}

/// With 40 terms it takes several rows.
fn rule(id: &str, terms: u32, round: u32) -> pb::Rule {
    let term = |n| pb::Term { term: Some(Term::ProductId(format!("{n:0100}"))) };
    let selector = |terms: u32| pb::Selector { any_of: (0..terms).map(term).collect(), ..Default::default() };
    pb::Rule {
        rule_id: id.to_owned(),
        says: Some(Says::Block(pb::Block {})),
        target: Some(selector(terms)),
        note: format!("round {round}"),
        ..Default::default()
    }
}

/// A directory in memory where there is one: these tests are about what is written, not about the disk.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// The files of a data directory.
pub(crate) struct Image {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Image {
    fn of(data: &Path) -> Self {
        let (mut files, mut dirs) = (BTreeMap::new(), vec![data.to_path_buf()]);
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if !path.ends_with("lock") {
                    files.insert(path.strip_prefix(data).unwrap().to_path_buf(), fs::read(&path).unwrap());
                }
            }
        }
        Self { files }
    }

    /// The files, by path from the data directory.
    pub(crate) fn files(&self) -> &BTreeMap<PathBuf, Vec<u8>> {
        &self.files
    }

    /// These files in a directory of their own, some bits of one byte flipped in each of some of them.
    pub(crate) fn damaged(&self, flips: &[(&Path, usize)]) -> TempDir {
        let dir = scratch();
        for (path, bytes) in &self.files {
            let mut bytes = bytes.clone();
            for (_, at) in flips.iter().filter(|(flipped, _)| flipped == path) {
                bytes[*at] ^= 1 << (at % 8);
            }
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    /// The export files of a merchant, oldest first.
    pub(crate) fn exports(&self, merchant: &str) -> Vec<&Path> {
        let dir = Path::new("exports").join(merchant);
        self.files.keys().filter(|path| path.starts_with(&dir)).map(PathBuf::as_path).collect()
    }
}
