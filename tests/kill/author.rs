//! An author: writes to one merchant, one write at a time, and knows what must be there whenever the server was killed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
};

use sidecart::client::Client;
use tonic::{Code, Status};

use super::{
    call::{Reply, Request, send},
    model::{Answer, Write},
    pen::Pen,
    random::Random,
    served::{Served, State},
};

/// Answered writes that are sent again now and then.
const RECALLED: usize = 8;
/// Generations an author remembers for going back to.
const KEPT: usize = 16;

/// Why an author stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The server was killed.
    Cut,
    /// A promise was broken.
    Broken(String),
}

/// A write whose answer has not come.
#[derive(Debug)]
struct Flying {
    request: Request,
    /// What it makes of the state, and its answer.
    after: State,
    answer: Answer,
}

/// What came of the writes of an author.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    pub(crate) in_flight: u64,
    pub(crate) landed: u64,
    pub(crate) retried: u64,
    pub(crate) recalled: u64,
}

impl Tally {
    /// The sum of two.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            in_flight: self.in_flight + other.in_flight,
            landed: self.landed + other.landed,
            retried: self.retried + other.retried,
            recalled: self.recalled + other.recalled,
        }
    }
}

/// An author.
#[derive(Debug)]
pub(crate) struct Author {
    pub(crate) merchant: String,
    /// What its keys start with. Empty of meaning when it is the only author of its merchant.
    prefix: String,
    is_alone: bool,
    pen: Pen,
    /// What is there, apart from a write in flight.
    state: State,
    flying: Option<Flying>,
    /// The highest generation seen.
    generation: u64,
    /// Generations of this server that can be gone back to, if it is alone.
    kept: BTreeMap<u64, State>,
    answered: VecDeque<(Request, Reply)>,
    pub(crate) tally: Tally,
}

impl Author {
    /// An author among others of a merchant, who has keys of its own.
    pub(crate) fn among_others(merchant: &str, prefix: &str, random: Random) -> Self {
        let pen = Pen::new(random, prefix);
        Self {
            merchant: merchant.to_owned(),
            prefix: prefix.to_owned(),
            is_alone: false,
            pen,
            state: State::default(),
            flying: None,
            generation: 0,
            kept: BTreeMap::new(),
            answered: VecDeque::new(),
            tally: Tally::default(),
        }
    }

    /// The only author of a merchant, who replaces and rolls back all of it, too.
    pub(crate) fn alone(merchant: &str, prefix: &str, random: Random) -> Self {
        Self { is_alone: true, ..Self::among_others(merchant, prefix, random) }
    }

    /// Compares what a restarted server holds with what was acknowledged.
    /// A write in flight must be there whole or not at all.
    pub(crate) fn check(&mut self, served: &Served) -> Result<(), String> {
        if let Some(reason) = &served.degraded {
            return Err(self.broken("is served degraded", reason));
        }
        if served.generation < self.generation {
            let what = format!("{} after {}", served.generation, self.generation);
            return Err(self.broken("went back in generations", &what));
        }
        let own = self.own(served);
        let landed = self.flying.as_ref().is_some_and(|flying| flying.after == own);
        if own != self.state && !landed {
            let flying = self.flying.as_ref().map(|flying| flying.after.difference(&own));
            let what = format!(
                "expected and found: {}; or, with the write in flight: {}",
                self.state.difference(&own),
                flying.unwrap_or_else(|| "there is none".to_owned())
            );
            return Err(self.broken("does not hold what was acknowledged", &what));
        }
        self.generation = served.generation;
        self.kept.clear();
        self.keep(served.generation, own);
        Ok(())
    }

    /// Writes to a restarted server, which was checked, until it is killed.
    pub(crate) async fn live(
        &mut self,
        client: &Client,
        served: &Served,
        killed: &AtomicBool,
    ) -> Result<(), String> {
        let mut stop = self.resume(client, served, killed).await;
        while stop.is_ok() {
            stop = self.write(client, killed).await;
        }
        match stop {
            Err(Stop::Broken(what)) => Err(what),
            Err(Stop::Cut) | Ok(()) => Ok(()),
        }
    }

    /// Sends the write that was in flight again, if it has a name, once the restarted server was checked.
    pub(crate) async fn resume(
        &mut self,
        client: &Client,
        served: &Served,
        killed: &AtomicBool,
    ) -> Result<(), Stop> {
        let Some(flying) = self.flying.take() else { return Ok(()) };
        let (own, before) = (self.own(served), self.state.clone());
        let (landed, shows) = (own == flying.after, flying.after != before);
        if flying.request.id.is_empty() {
            self.count_flown(landed && shows);
            self.state = own;
            return Ok(());
        }
        let answer = send(client, &self.merchant, &flying.request).await;
        let reply = match answer {
            Err(status) if is_unkept(&flying.request, &status) && !(landed && shows) => {
                // The generation to go back to is not kept over a restart.
                self.count_flown(false);
                return Ok(());
            }
            Err(status) => {
                let stop = self.stopped(&status, killed, &flying.request);
                self.flying = Some(flying);
                return Err(stop);
            }
            Ok(reply) => reply,
        };
        let is_old = reply.generation <= served.generation;
        if reply.answer != flying.answer || shows && is_old != landed {
            let what = format!(
                "{reply:?} at generation {}, landed: {landed}, expected {:?} to {:?}",
                served.generation, flying.answer, flying.request
            );
            return Err(Stop::Broken(self.broken("answered a retry wrongly", &what)));
        }
        self.count_flown(landed && shows);
        self.tally.retried += 1;
        self.adopt(flying, reply);
        Ok(())
    }

    /// One write, or an answered one again.
    pub(crate) async fn write(&mut self, client: &Client, killed: &AtomicBool) -> Result<(), Stop> {
        if self.pen.random.happens(5) {
            return self.recall(client, killed).await;
        }
        let write = match self.is_alone && self.pen.random.happens(20) {
            true => self.pen.whole_write(&self.state, &self.kept),
            false => self.pen.item_write(&self.state),
        };
        let (after, answer) = write.apply(&self.state);
        // Before its first generation a merchant is nothing, and nothing remembers a write that left it so.
        let exists = self.generation > 0;
        let can_be_named = exists
            && !matches!(
                write,
                Write::ReplaceProducts(_) | Write::ReplaceRules(_) | Write::ImportAffinities(_)
            );
        let is_named = can_be_named && self.pen.random.happens(60);
        let id = if is_named { self.pen.request_id() } else { String::new() };
        let flying = self.flying.insert(Flying { request: Request { write, id }, after, answer });
        let reply = match send(client, &self.merchant, &flying.request).await {
            Ok(reply) if reply.answer == flying.answer && reply.generation >= self.generation => reply,
            Ok(reply) => {
                let what = format!("{reply:?}, expected {:?} to {:?}", flying.answer, flying.request);
                return Err(Stop::Broken(self.broken("answered a write wrongly", &what)));
            }
            Err(status) => {
                let request = flying.request.clone();
                return Err(self.stopped(&status, killed, &request));
            }
        };
        self.tally.acknowledged += 1;
        if let Some(flying) = self.flying.take() {
            self.adopt(flying, reply);
        }
        Ok(())
    }

    /// Sends an answered write again: the answer must be the same, and nothing may change.
    async fn recall(&mut self, client: &Client, killed: &AtomicBool) -> Result<(), Stop> {
        let answered: Vec<_> = self.answered.iter().cloned().collect();
        let Some((request, reply)) = self.pen.random.pick(&answered) else { return Ok(()) };
        match send(client, &self.merchant, request).await {
            Ok(again) if again == *reply => {
                self.tally.recalled += 1;
                Ok(())
            }
            Ok(again) => {
                let what = format!("{again:?} after {reply:?} to {request:?}");
                Err(Stop::Broken(self.broken("answered a repeated write differently", &what)))
            }
            Err(status) => Err(self.stopped(&status, killed, request)),
        }
    }

    fn adopt(&mut self, flying: Flying, reply: Reply) {
        self.generation = self.generation.max(reply.generation);
        self.state = flying.after;
        self.keep(reply.generation, self.state.clone());
        if !flying.request.id.is_empty() {
            self.answered.push_back((flying.request, reply));
            while self.answered.len() > RECALLED {
                self.answered.pop_front();
            }
        }
    }

    fn keep(&mut self, generation: u64, state: State) {
        if !self.is_alone || generation == 0 {
            return;
        }
        self.kept.insert(generation, state);
        while self.kept.len() > KEPT {
            self.kept.pop_first();
        }
    }

    fn own(&self, served: &Served) -> State {
        if self.is_alone { served.state.clone() } else { served.state.of(&self.prefix) }
    }

    fn count_flown(&mut self, landed: bool) {
        self.tally.in_flight += 1;
        self.tally.landed += u64::from(landed);
    }

    fn stopped(&self, status: &Status, killed: &AtomicBool, request: &Request) -> Stop {
        if killed.load(Ordering::SeqCst) {
            return Stop::Cut;
        }
        Stop::Broken(self.broken("refused a write", &format!("{status:?} to {request:?}")))
    }

    fn broken(&self, how: &str, what: &str) -> String {
        format!("merchant {} {how} (author {}): {what}", self.merchant, self.prefix)
    }
}

fn is_unkept(request: &Request, status: &Status) -> bool {
    matches!(request.write, Write::RollBack { .. }) && status.code() == Code::NotFound
}
