//! One change at a time: how long until an answer shows it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sidecart::{client::Client, v1 as pb};

use crate::{
    harness::{Fault, figures::Times},
    synthetic::World,
};

/// How long a change may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions asked to find offers that changes can be seen in.
const PROBE_QUESTIONS: u64 = 100_000;

/// An offer that changes can be seen in.
#[derive(Clone)]
pub(crate) struct Probe {
    question: pb::RecommendRequest,
    product_id: String,
    price: pb::Money,
    rule_id: String,
}

/// What is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The price of one product.
    Price,
    /// The sentence of one pairing.
    Pairing,
}

/// How long changes took, from sending the write.
#[derive(Default)]
pub(crate) struct Changes {
    /// Until the first answer that shows it.
    pub(crate) visible: Times,
    /// Until the write was answered.
    pub(crate) acknowledged: Times,
}

/// Finds offers of different products by different pairings.
pub(crate) async fn probes(
    client: &Client,
    merchant: &str,
    world: &World,
    count: usize,
) -> Result<Vec<Probe>, Fault> {
    let (mut client, mut probes) = (client.recommendation(), Vec::<Probe>::new());
    let pages =
        (0..PROBE_QUESTIONS).map(|n| world.question(merchant, n)).filter(|ask| !ask.anchor_ids.is_empty());
    for question in pages {
        let answer = client.recommend(question.clone()).await?.into_inner();
        let Some(offer) = answer.offers.into_iter().next() else { continue };
        let (Some(price), Some(evidence)) = (offer.price, offer.evidence) else { continue };
        let probe = Probe { question, product_id: offer.product_id, price, rule_id: evidence.rule_id };
        if probes.iter().all(|other| other.product_id != probe.product_id && other.rule_id != probe.rule_id) {
            probes.push(probe);
        }
        if probes.len() == count {
            return Ok(probes);
        }
    }
    Err(Fault::Wrong(format!("{} offers to see changes in, {count} wanted", probes.len())))
}

/// Changes one thing after another.
pub(crate) async fn change(
    client: &Client,
    world: &Arc<World>,
    probes: &[Probe],
    what: What,
) -> Result<Changes, Fault> {
    let reader = Client::clone(client);
    let mut changes = Changes::default();
    for probe in probes {
        let probe = Probe { price: probe.price_now(&reader).await?, ..probe.clone() };
        let began = Instant::now();
        let written = tokio::spawn(write(client.clone(), Arc::clone(world), probe.clone(), what));
        while !probe.shows(&reader, what).await? {
            if began.elapsed() > PATIENCE {
                return Err(Fault::Wrong(format!("a change of {} is never shown", probe.product_id)));
            }
        }
        changes.visible.push(began.elapsed());
        changes.acknowledged.push(written.await.map_err(|fault| Fault::Wrong(fault.to_string()))?? - began);
    }
    Ok(changes)
}

/// Writes, and answers when that was acknowledged.
async fn write(client: Client, world: Arc<World>, probe: Probe, what: What) -> Result<Instant, Fault> {
    let merchant_id = probe.question.merchant_id.clone();
    match what {
        What::Price => {
            let price = Some(probe.new_price());
            let offers = vec![pb::OfferUpdate { product_id: probe.product_id, price, ..Default::default() }];
            let request = pb::SetOffersRequest { merchant_id, offers, ..Default::default() };
            client.catalog().set_offers(request).await?;
        }
        What::Pairing => {
            let rules = vec![probe.new_rule(&world)?];
            let request = pb::UpsertRulesRequest { merchant_id, rules, ..Default::default() };
            client.rules().upsert_rules(request).await?;
        }
    }
    Ok(Instant::now())
}

impl Probe {
    /// A cent less, so that it stays in proportion to its anchor's.
    fn new_price(&self) -> pb::Money {
        pb::Money { minor_units: self.price.minor_units - 1, ..self.price.clone() }
    }

    fn new_sentence(&self) -> String {
        format!("Changed {} {}", self.rule_id, self.price.minor_units)
    }

    fn new_rule(&self, world: &World) -> Result<pb::Rule, Fault> {
        let number = self.rule_id.trim_start_matches('r').parse();
        let mut rule = world.pairing(number.map_err(|_| Fault::Wrong(self.rule_id.clone()))?);
        if let Some(pb::rule::Says::Pairing(pairing)) = &mut rule.says {
            pairing.sentence = self.new_sentence();
        }
        Ok(rule)
    }

    async fn price_now(&self, reader: &Client) -> Result<pb::Money, Fault> {
        let offer = self.offer(reader).await?.and_then(|offer| offer.price);
        offer.ok_or_else(|| Fault::Wrong(format!("{} is no longer offered", self.product_id)))
    }

    /// Whether an answer shows the change.
    async fn shows(&self, reader: &Client, what: What) -> Result<bool, Fault> {
        let Some(offer) = self.offer(reader).await? else { return Ok(false) };
        Ok(match what {
            What::Price => offer.price == Some(self.new_price()),
            What::Pairing => offer.reason.is_some_and(|reason| reason.text == self.new_sentence()),
        })
    }

    async fn offer(&self, reader: &Client) -> Result<Option<pb::Offer>, Fault> {
        let answer = reader.recommendation().recommend(self.question.clone()).await?.into_inner();
        Ok(answer.offers.into_iter().find(|offer| offer.product_id == self.product_id))
    }
}

/// Sets one price after another from several callers at once; answers how many were set, and how long that took.
pub(crate) async fn stream(
    client: &Client,
    merchant: &str,
    world: &World,
    lasting: Duration,
) -> Result<(usize, Duration), Fault> {
    const CALLERS: u64 = 64;
    let (began, products) = (Instant::now(), world.products());
    let callers = (0..CALLERS).map(|caller| {
        let (mut catalog, merchant_id) = (client.catalog(), merchant.to_owned());
        tokio::spawn(async move {
            let mut set = 0;
            while began.elapsed() < lasting {
                let number = (caller + CALLERS * set * 31) % products;
                let offer = pb::OfferUpdate {
                    product_id: crate::synthetic::product_id(number),
                    stock_quantity: Some(1_000 + set as i64),
                    ..Default::default()
                };
                let merchant_id = merchant_id.clone();
                let request = pb::SetOffersRequest { merchant_id, offers: vec![offer], ..Default::default() };
                catalog.set_offers(request).await?;
                set += 1;
            }
            Ok::<_, tonic::Status>(set as usize)
        })
    });
    let mut set = 0;
    for caller in callers.collect::<Vec<_>>() {
        set += caller.await.map_err(|fault| Fault::Wrong(fault.to_string()))??;
    }
    Ok((set, began.elapsed()))
}
