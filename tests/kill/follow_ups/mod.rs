//! Drives orders, changes, clocks, workers that die while they hold leases and servers that are killed, and compares what
//! is handed out with what should be.

mod model;
mod store;

use std::{path::Path, sync::mpsc::channel, thread, time::Duration};

use sidecart::{client::Client, v1 as pb};
use tokio::runtime::Builder;
use tonic::Code;

use self::{
    model::{BEANS, CAMERA, DAY, HOUR, Hold, Key, Model, Order},
    store::set_up,
};
use super::{random::Random, server::Server};

/// Steps of a test run, and the variable that asks for another number.
const STEPS: u64 = 100_000;
const STEPS_VARIABLE: &str = "SIDECART_FOLLOW_UP_STEPS";
/// Worlds that live side by side.
const WORLDS: u64 = 8;
const MERCHANT: &str = "north";
const SHOPPERS: u64 = 40;
/// Steps between kills, about.
const LIFE_STEPS: u64 = 400;
/// Steps between two looks at whether something was lost.
const AUDIT_EVERY: u64 = 60;
/// Orders that are remembered; older ones are left alone.
const ORDERS_MAX: usize = 150;
/// 2023-01-01: nothing of it is ever in the future.
const BEGIN: i64 = 1_672_531_200;
/// Hours east of Greenwich.
const ZONES: [i64; 4] = [0, 9, -8, 5];

/// What came of a run.
#[derive(Clone, Copy, Debug, Default)]
struct Report {
    steps: u64,
    kills: u64,
    leased: u64,
    sent: u64,
    audits: u64,
}

/// One merchant, and who writes to it.
struct World {
    random: Random,
    now: i64,
    model: Model,
    orders_made: u64,
    report: Report,
    client: Client,
}

/// Runs the worlds side by side; the first broken promise ends the run.
pub(crate) fn run(seed: u64) -> Result<String, String> {
    let steps = super::number(STEPS_VARIABLE)?.unwrap_or(STEPS);
    let (report_back, reports) = channel();
    for world in 0..WORLDS {
        let report_back = report_back.clone();
        thread::spawn(move || report_back.send(run_world(seed.wrapping_add(world), steps.div_ceil(WORLDS))));
    }
    drop(report_back);
    let mut sum = Report::default();
    for report in reports {
        let Report { steps, kills, leased, sent, audits } = report?;
        sum.steps += steps;
        sum.kills += kills;
        sum.leased += leased;
        sum.sent += sent;
        sum.audits += audits;
    }
    let Report { steps: done, kills, leased, sent, audits } = sum;
    if done < steps || leased == 0 || sent == 0 || audits == 0 || kills == 0 {
        return Err(format!("the run shows too little: {sum:?}"));
    }
    Ok(format!(
        "{done} steps, {kills} kills; {leased} follow-ups leased, none twice and none outside its window; {sent} sent; \
         {audits} looks for lost ones"
    ))
}

fn run_world(seed: u64, steps: u64) -> Result<Report, String> {
    let data = tempfile::tempdir().map_err(|fault| fault.to_string())?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    runtime.block_on(async {
        let (mut server, client) = started(data.path()).await?;
        set_up(&client).await.map_err(|status| format!("the world cannot be set up: {status:?}"))?;
        let mut world = World {
            random: Random::new(seed),
            now: BEGIN,
            model: Model::default(),
            orders_made: 0,
            report: Report::default(),
            client,
        };
        while world.report.steps < steps {
            world.report.steps += 1;
            let done = if world.report.steps.is_multiple_of(AUDIT_EVERY) {
                world.audit().await
            } else {
                world.step().await
            };
            done.map_err(|what| format!("seed {seed}, step {}: {what}", world.report.steps))?;
            if world.random.below(LIFE_STEPS) == 0 {
                world.die(&mut server, data.path()).await?;
            }
        }
        Ok(world.report)
    })
}

async fn started(data: &Path) -> Result<(Server, Client), String> {
    let server = Server::start(data, &[])?;
    let (addr, _) = server.ready()?;
    let client = Client::connect(&addr).await.map_err(|fault| fault.to_string())?;
    Ok((server, client))
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

impl World {
    async fn step(&mut self) -> Result<(), String> {
        match self.random.below(100) {
            0..30 => self.order().await,
            30..50 => self.change().await,
            50..70 => self.lease(1 + self.random.clone().below(5)).await,
            70..90 => self.complete().await,
            90..94 => self.opt().await,
            _ => {
                // Mostly hours, at times days.
                let ahead = if self.random.happens(20) { 4 * DAY } else { 6 * HOUR };
                self.now += i64::try_from(self.random.below(ahead.unsigned_abs())).unwrap_or(0);
                Ok(())
            }
        }
    }

    /// Somebody orders.
    async fn order(&mut self) -> Result<(), String> {
        self.now += i64::try_from(self.random.below(600)).unwrap_or(0);
        self.orders_made += 1;
        let id = format!("o{:06}", self.orders_made);
        let mut left = std::collections::BTreeMap::new();
        if self.random.happens(70) {
            left.insert(CAMERA, 1);
        }
        if left.is_empty() || self.random.happens(40) {
            left.insert(BEANS, 1 + i64::try_from(self.random.below(2)).unwrap_or(0));
        }
        let expected = self.random.happens(80).then(|| self.now + 2 * DAY + self.hours(8 * 24));
        let editable_until = self.random.happens(30).then(|| self.now + 2 * HOUR + self.hours(24));
        let zone = *self.random.pick(&ZONES).unwrap_or(&0);
        let order = Order {
            shopper: format!("s{}", self.random.below(SHOPPERS)),
            placed: self.now,
            left,
            expected,
            editable_until,
            shipped: false,
            delivered: None,
            zone,
        };
        let line = |(product, quantity): (&&str, &i64)| pb::OrderLine {
            product_id: (*product).to_owned(),
            quantity: u32::try_from(*quantity).unwrap_or(1),
            unit_price: None,
        };
        let told = pb::RecordedOrder {
            order_id: id.clone(),
            shopper_id: order.shopper.clone(),
            placed_at: at(order.placed),
            lines: order.left.iter().map(line).collect(),
            expected_delivery: expected.and_then(at),
            editable_until: editable_until.and_then(at),
            // The names of these zones count west of Greenwich.
            time_zone: if zone == 0 { String::new() } else { format!("Etc/GMT{:+}", -zone) },
            ..Default::default()
        };
        self.tell(told).await?;
        self.model.orders.insert(id, order);
        if self.model.orders.len() > ORDERS_MAX
            && let Some((old, _)) = self.model.orders.clone().first_key_value()
        {
            self.retire(old).await?;
        }
        Ok(())
    }

    fn hours(&mut self, below: u64) -> i64 {
        i64::try_from(self.random.below(below)).unwrap_or(0) * HOUR
    }

    /// Calls an old order off, so that nothing more comes of it, and forgets it.
    async fn retire(&mut self, id: &str) -> Result<(), String> {
        self.now += 1;
        self.record(id, pb::order_change::Change::Status(pb::OrderStatus::Cancelled.into())).await?;
        self.model.orders.remove(id);
        self.model.holds.retain(|key, _| key.0 != id);
        self.model.done.retain(|key| key.0 != id);
        self.model.not_before.retain(|key, _| key.0 != id);
        Ok(())
    }

    /// Something becomes of an order.
    async fn change(&mut self) -> Result<(), String> {
        use pb::order_change::Change;
        // Of two changes at one moment nobody could tell which is the later.
        self.now += 1;
        let ids: Vec<String> = self.model.orders.keys().rev().take(60).cloned().collect();
        let Some(id) = self.random.pick(&ids).cloned() else { return Ok(()) };
        let Some(mut order) = self.model.orders.get(&id).cloned() else { return Ok(()) };
        let change = match self.random.below(10) {
            0..3 => {
                order.shipped = true;
                Change::Status(pb::OrderStatus::Shipped.into())
            }
            3..6 => {
                order.delivered = Some(self.now);
                order.shipped = true;
                Change::Status(pb::OrderStatus::Delivered.into())
            }
            6 => {
                let later = order.expected.unwrap_or(self.now).max(self.now) + DAY;
                order.expected = Some(later);
                Change::ExpectedDelivery(prost_types::Timestamp { seconds: later, nanos: 0 })
            }
            7 => return self.retire(&id).await,
            _ => {
                let products: Vec<&'static str> = order.left.keys().copied().collect();
                let Some(product) = self.random.pick(&products).copied() else { return Ok(()) };
                order.left.remove(product);
                let gone = pb::LineReversal { product_id: product.to_owned(), quantity: 0 };
                if self.random.happens(50) { Change::Cancelled(gone) } else { Change::Refunded(gone) }
            }
        };
        self.record(&id, change).await?;
        self.model.orders.insert(id, order);
        Ok(())
    }

    async fn record(&mut self, id: &str, change: pb::order_change::Change) -> Result<(), String> {
        let change_id = format!("c{}", self.now);
        let change = pb::OrderChange { change_id, at: at(self.now), change: Some(change) };
        self.tell(pb::RecordedOrder { order_id: id.to_owned(), changes: vec![change], ..Default::default() })
            .await
    }

    async fn tell(&mut self, order: pb::RecordedOrder) -> Result<(), String> {
        let request = pb::RecordOrdersRequest {
            merchant_id: MERCHANT.to_owned(),
            orders: vec![order],
            request_id: String::new(),
        };
        let answer = self.client.orders().record_orders(request).await.map_err(|it| it.to_string())?;
        let outcome = answer.into_inner().outcomes.first().map(|it| it.outcome());
        match outcome {
            Some(pb::Outcome::Created | pb::Outcome::Updated) => Ok(()),
            other => Err(format!("an order was answered with {other:?}")),
        }
    }

    fn asking(&mut self, limit: u64) -> (pb::LeaseFollowUpsRequest, i64) {
        let seconds = 60 + i64::try_from(self.random.below(6 * HOUR.unsigned_abs())).unwrap_or(0);
        let request = pb::LeaseFollowUpsRequest {
            merchant_id: MERCHANT.to_owned(),
            surface: pb::Surface::Email.into(),
            limit: u32::try_from(limit).unwrap_or(1),
            lease: Some(prost_types::Duration { seconds, nanos: 0 }),
            kinds: Vec::new(),
            at: at(self.now),
        };
        (request, self.now + seconds)
    }

    /// A worker leases.
    async fn lease(&mut self, limit: u64) -> Result<(), String> {
        let (request, until) = self.asking(limit);
        let answer = self.client.follow_ups().lease_follow_ups(request).await;
        let answer = answer.map_err(|status| status.to_string())?.into_inner();
        self.take(answer.follow_ups, until).map(drop)
    }

    /// Checks what was handed out, and notes it.
    fn take(&mut self, handed_out: Vec<pb::FollowUp>, until: i64) -> Result<Vec<Key>, String> {
        let mut keys = Vec::new();
        for follow_up in handed_out {
            let key = self.model.check(&follow_up, self.now)?;
            let hold = Hold { lease: follow_up.lease_id.clone(), until, attempts: follow_up.attempt_count };
            self.unsure(follow_up.shopper_id, until);
            self.model.holds.insert(key.clone(), hold);
            self.report.leased += 1;
            keys.push(key);
        }
        Ok(keys)
    }

    /// Expects nothing of a shopper before a moment.
    fn unsure(&mut self, shopper: String, until: i64) {
        let unsure = self.model.unsure_until.entry(shopper).or_insert(until);
        *unsure = (*unsure).max(until);
    }

    /// A worker says what became of what it holds, or of what it held once.
    async fn complete(&mut self) -> Result<(), String> {
        let keys: Vec<Key> = self.model.holds.keys().cloned().collect();
        let Some(key) = self.random.pick(&keys).cloned() else { return Ok(()) };
        let Some(hold) = self.model.holds.get(&key).cloned() else { return Ok(()) };
        // Some never say anything.
        if hold.until <= self.now && self.random.happens(80) {
            self.model.holds.remove(&key);
            return Ok(());
        }
        self.end(&key, &hold).await
    }

    async fn end(&mut self, key: &Key, hold: &Hold) -> Result<(), String> {
        use pb::follow_up_completion::Result as Told;
        let draw = self.random.below(10);
        let result = match draw {
            0..6 => Told::Sent(pb::FollowUpSent {}),
            6..8 => Told::Skipped(pb::FollowUpSkipped { reason: "not now".into() }),
            _ => Told::Failed(pb::FollowUpFailed {}),
        };
        let completion = pb::FollowUpCompletion {
            r#ref: Some(pb::FollowUpRef {
                order_id: key.0.clone(),
                kind: key.1.into(),
                product_id: key.2.clone(),
            }),
            lease_id: hold.lease.clone(),
            at: at(self.now),
            result: Some(result),
        };
        let request = pb::CompleteFollowUpsRequest {
            merchant_id: MERCHANT.to_owned(),
            completions: vec![completion],
            request_id: String::new(),
        };
        // Told twice at times, as by a worker that did not hear the answer.
        let times = if self.random.happens(10) { 2 } else { 1 };
        for time in 0..times {
            let answer = self.client.follow_ups().complete_follow_ups(request.clone()).await;
            let answer = answer.map_err(|status| status.to_string())?.into_inner();
            let outcome = answer.outcomes.first().map(|it| it.outcome());
            let right = if time == 0 { pb::Outcome::Updated } else { pb::Outcome::Unchanged };
            if outcome != Some(right) {
                return Err(format!("{key:?} under {hold:?} was completed with {outcome:?}, not {right:?}"));
            }
        }
        self.model.holds.remove(key);
        match draw {
            0..8 => drop(self.model.done.insert(key.clone())),
            _ => {
                let doublings = hold.attempts.saturating_sub(1).min(16);
                let pause = (300_i64 << doublings).min(DAY);
                self.model.not_before.insert(key.clone(), self.now + pause);
            }
        }
        if draw < 6 {
            self.report.sent += 1;
            if let Some(order) = self.model.orders.get(&key.0) {
                self.model.sent_at.insert(order.shopper.clone(), self.now);
            }
        }
        Ok(())
    }

    /// Somebody opts out, or in.
    async fn opt(&mut self) -> Result<(), String> {
        let shopper = format!("s{}", self.random.below(SHOPPERS));
        let opted_out = self.random.happens(30);
        let request = pb::SetOptOutRequest {
            merchant_id: MERCHANT.to_owned(),
            shopper_id: shopper.clone(),
            opted_out,
            request_id: String::new(),
        };
        self.client.follow_ups().set_opt_out(request).await.map_err(|status| status.to_string())?;
        if opted_out {
            self.model.opted_out.insert(shopper);
        } else if self.model.opted_out.remove(&shopper) {
            self.unsure(shopper, self.now + DAY);
        }
        Ok(())
    }

    /// Takes all that is due, and sees whether anything is missing that should be among it.
    async fn audit(&mut self) -> Result<(), String> {
        self.report.audits += 1;
        let mut missing = self.model.expected(self.now);
        let mut taken = Vec::new();
        loop {
            let (request, until) = self.asking(1_000);
            let answer = self.client.follow_ups().lease_follow_ups(request).await;
            let answer = answer.map_err(|status| status.to_string())?.into_inner();
            missing.retain(|shopper| !answer.follow_ups.iter().any(|it| it.shopper_id == *shopper));
            taken.extend(self.take(answer.follow_ups, until)?);
            if !answer.is_more {
                break;
            }
        }
        if let Some(shopper) = missing.first() {
            let request = pb::ListFollowUpsRequest {
                merchant_id: MERCHANT.to_owned(),
                at: at(self.now),
                of: Some(pb::list_follow_ups_request::Of::ShopperId(shopper.clone())),
                ..Default::default()
            };
            let listed = self.client.follow_ups().list_follow_ups(request).await;
            let listed = listed.map_err(|status| status.to_string())?.into_inner();
            let orders: Vec<_> = self.model.orders.iter().filter(|(_, it)| it.shopper == *shopper).collect();
            return Err(format!(
                "at {} nothing was handed out for {shopper}; told were {orders:#?}, listed are {:#?}",
                self.now, listed.follow_ups
            ));
        }
        // Most are dealt with, so that the next ones have their turn.
        for key in taken {
            if let Some(hold) = self.model.holds.get(&key).cloned()
                && self.random.happens(80)
            {
                self.end(&key, &hold).await?;
            }
        }
        Ok(())
    }

    /// The server is killed, at times while a worker leases.
    async fn die(&mut self, server: &mut Server, data: &Path) -> Result<(), String> {
        if self.random.happens(50) {
            let (request, until) = self.asking(3);
            let client = self.client.clone();
            let leasing = tokio::spawn(async move { client.follow_ups().lease_follow_ups(request).await });
            tokio::time::sleep(Duration::from_micros(self.random.below(4_000))).await;
            server.kill();
            match leasing.await.map_err(|fault| fault.to_string())? {
                Ok(answer) => drop(self.take(answer.into_inner().follow_ups, until)?),
                // Nobody knows what it would have got: it dies with its leases.
                Err(status) if status.code() != Code::InvalidArgument => {
                    // It may have taken what others held whose leases were over: these have lost it.
                    let now = self.now;
                    self.model.holds.retain(|_, hold| hold.until > now);
                    (0..SHOPPERS).for_each(|shopper| self.unsure(format!("s{shopper}"), until));
                }
                Err(status) => return Err(status.to_string()),
            }
        } else {
            server.kill();
        }
        let (fresh, client) = started(data).await?;
        (*server, self.client) = (fresh, client);
        self.report.kills += 1;
        Ok(())
    }
}
