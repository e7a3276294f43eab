//! A thousand snapshots are swapped under full load: no call fails, and no answer mixes two generations.
//!
//! Shown by construction of the data: every write marks every record of the part that it changes, and an answer shows
//! records of all three parts, so that it tells which write made each part that it was made from.
//! The writer notes which marks belong to which generation; each answer must show those of the generation that it names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sidecart::{client::Client, v1 as pb};
use sidecart_server::{Config, start};
use tokio::{sync::Semaphore, task::JoinSet};
use world::{ANCHOR, MERCHANT, Marks, POLICIES};

const SWAPS: u32 = 1_000;
const CONNECTIONS: usize = 4;
const READERS_PER_CONNECTION: usize = 2;
const READERS: usize = CONNECTIONS * READERS_PER_CONNECTION;
/// So many answers between two swaps that at least one was asked after the first and answered before the second:
/// every reader has one call under way.
const ANSWERS_PER_SWAP: usize = READERS + 1;
/// How far a roll-back goes back. Less than the swaps between two of them, so that it always changes something.
const STEPS_BACK: u64 = 5;

/// Which marks belong to which generation.
type Book = BTreeMap<u64, Marks>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_swaps_under_load_fail_nothing_and_mix_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        start(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::new(dir.path()) }).await.unwrap();
    let addr = format!("http://{}", server.addr);
    let mut writer = Writer::begin(Client::connect(&addr).await.unwrap()).await;

    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(Semaphore::new(0)));
    let mut readers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let client = Client::connect(&addr).await.unwrap();
        for _ in 0..READERS_PER_CONNECTION {
            readers.spawn(read(client.clone(), Arc::clone(&stop), Arc::clone(&answered)));
        }
    }
    for swap in 1..=SWAPS {
        writer.swap(swap).await;
        answered.forget_permits(usize::MAX);
        tokio::select! {
            enough = answered.acquire_many(ANSWERS_PER_SWAP as u32) => enough.unwrap().forget(),
            ended = readers.join_next() => panic!("a reader ended early: {ended:?}"),
        }
    }
    stop.store(true, Ordering::Relaxed);

    let (mut seen, mut answers) = (Book::new(), 0);
    while let Some(read) = readers.join_next().await {
        let (own, own_answers) = read.unwrap().unwrap();
        answers += own_answers;
        for (generation, marks) in own {
            assert_eq!(writer.book.get(&generation), Some(&marks), "generation {generation}");
            seen.insert(generation, marks);
        }
    }
    for generation in &writer.settled {
        assert!(seen.contains_key(generation), "generation {generation} was not seen in any answer");
    }
    println!("{} generations, {answers} answers, {} generations seen", writer.book.len(), seen.len());
    server.shut_down().await.unwrap();
}

/// Asks until told to stop; answers what each generation was seen to hold, and how many answers there were.
async fn read(
    client: Client,
    stop: Arc<AtomicBool>,
    answered: Arc<Semaphore>,
) -> Result<(Book, u64), String> {
    let (mut client, mut book) = (client.recommendation(), Book::new());
    let (mut answers, mut newest) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        answers += 1;
        let same_generation = if answers % 8 == 0 {
            let request = pb::BatchRecommendRequest {
                merchant_id: MERCHANT.into(),
                requests: vec![ask(); 3],
                distinct: false,
            };
            client.batch_recommend(request).await.map_err(|status| status.to_string())?.into_inner().responses
        } else {
            vec![client.recommend(ask()).await.map_err(|status| status.to_string())?.into_inner()]
        };
        let generation = same_generation[0].generation;
        if generation < newest {
            return Err(format!("generation {generation} after {newest}"));
        }
        newest = generation;
        for answer in &same_generation {
            let marks = Marks::of(answer)?;
            if answer.generation != generation || *book.entry(generation).or_insert(marks) != marks {
                return Err(format!(
                    "generation {generation} with {marks:?} beside {:?}",
                    book.get(&generation)
                ));
            }
        }
        answered.add_permits(1);
    }
    Ok((book, answers))
}

fn ask() -> pb::RecommendRequest {
    pb::RecommendRequest {
        merchant_id: MERCHANT.into(),
        stage: pb::Stage::Product.into(),
        anchor_ids: vec![ANCHOR.into()],
        ..pb::RecommendRequest::default()
    }
}

/// The only one who writes.
struct Writer {
    client: Client,
    marks: Marks,
    generation: u64,
    book: Book,
    /// Generations after which the next write waited for answers.
    settled: Vec<u64>,
}

impl Writer {
    async fn begin(client: Client) -> Self {
        let marks = Marks { catalog: 0, rules: 0, policy: 0 };
        let mut writer = Self { client, marks, generation: 0, book: Book::new(), settled: Vec::new() };
        for kind in [2, 4, 5] {
            let generation = writer.write(kind, marks).await;
            writer.note(generation, marks);
        }
        writer
    }

    /// Makes a generation, or two at the most, with new marks.
    async fn swap(&mut self, swap: u32) {
        let Marks { catalog, rules, policy } = self.marks;
        let new_catalog = Marks { catalog: swap, ..self.marks };
        match swap % 8 {
            kind @ 0..=2 => self.alone(kind, new_catalog).await,
            kind @ 3..=4 => self.alone(kind, Marks { rules: swap, ..self.marks }).await,
            kind @ 5 => self.alone(kind, Marks { catalog, rules, policy: (policy + 1) % POLICIES }).await,
            6 => self.at_once(new_catalog, Marks { rules: swap, ..new_catalog }).await,
            _ => self.roll_back().await,
        }
        self.settled.push(self.generation);
    }

    async fn alone(&mut self, kind: u32, marks: Marks) {
        let generation = self.write(kind, marks).await;
        self.note(generation, marks);
    }

    /// Two writes that may share a generation, in whichever order they land.
    async fn at_once(&mut self, new_catalog: Marks, both: Marks) {
        let (offers, rules) = tokio::join!(self.write(0, both), self.write(3, both));
        if offers < rules {
            self.note(offers, new_catalog);
        }
        if rules < offers {
            self.note(rules, Marks { rules: both.rules, ..self.marks });
        }
        self.note(offers.max(rules), both);
    }

    /// Brings all three parts back at once.
    async fn roll_back(&mut self) {
        let back = self.generation - STEPS_BACK;
        let parts = [pb::SnapshotPart::Catalog, pb::SnapshotPart::Rules, pb::SnapshotPart::Policy];
        let request = pb::RollBackRequest {
            merchant_id: MERCHANT.into(),
            generation: back,
            parts: parts.map(Into::into).to_vec(),
            ..pb::RollBackRequest::default()
        };
        let generation = self.client.snapshot().roll_back(request).await.unwrap().into_inner().generation;
        self.note(generation, self.book[&back]);
    }

    /// Writes the catalog (0 to 2), the rules (3, 4) or the policy (5) with its mark; answers the generation.
    async fn write(&self, kind: u32, marks: Marks) -> u64 {
        let (mut catalog, mut rules) = (self.client.catalog(), self.client.rules());
        let merchant_id = MERCHANT.to_owned();
        match kind {
            0 => {
                let request =
                    pb::SetOffersRequest { merchant_id, offers: marks.offers(), ..Default::default() };
                catalog.set_offers(request).await.unwrap().into_inner().generation
            }
            1 => {
                let request = pb::UpsertProductsRequest {
                    merchant_id,
                    products: marks.products(),
                    ..Default::default()
                };
                catalog.upsert_products(request).await.unwrap().into_inner().generation
            }
            2 => {
                let mode = pb::ImportMode::Replace.into();
                let request = pb::ImportProductsRequest { merchant_id, mode, products: marks.products() };
                catalog.import_products(tokio_stream::once(request)).await.unwrap().into_inner().generation
            }
            3 => {
                let request =
                    pb::UpsertRulesRequest { merchant_id, rules: marks.rules(), ..Default::default() };
                rules.upsert_rules(request).await.unwrap().into_inner().generation
            }
            4 => {
                let request = pb::ReplaceRulesRequest { merchant_id, rules: marks.rules() };
                rules.replace_rules(tokio_stream::once(request)).await.unwrap().into_inner().generation
            }
            _ => {
                let policy = Some(marks.policy());
                let request = pb::SetPolicyRequest { merchant_id, policy, ..Default::default() };
                rules.set_policy(request).await.unwrap().into_inner().generation
            }
        }
    }

    /// Notes what a new generation holds.
    fn note(&mut self, generation: u64, marks: Marks) {
        assert!(generation > self.generation, "generation {generation} after {}", self.generation);
        self.generation = generation;
        self.marks = marks;
        self.book.insert(generation, marks);
    }
}
