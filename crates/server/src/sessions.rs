//! Sessions: what is remembered of conversations, in memory only, bounded and expiring: a home of `DashMap`.
//!
//! Never a customer's words: only what was read from them. A restart forgets all of it, as the design allows.

#![expect(clippy::disallowed_types, reason = "this module is a home of DashMap")]

use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use dashmap::{DashMap, Entry};
use sidecart_catalog::MerchantId;
use sidecart_scoring::conversation::{State, Step};
use tokio::time::{MissedTickBehavior, interval};

use crate::limits::{
    SESSION_IDLE, SESSION_MISSED_MAX, SESSION_WINDOW, SESSIONS_MAX, SESSIONS_OF_MERCHANT_MAX,
    SESSIONS_SWEPT_EVERY,
};

/// Which conversation of which merchant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    /// Whose.
    pub(crate) merchant: MerchantId,
    /// The caller's own name for it.
    pub(crate) session: Box<str>,
}

/// All conversations. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<Memory>);

#[derive(Default)]
struct Memory {
    sessions: DashMap<SessionKey, Session>,
    of_merchant: DashMap<MerchantId, usize>,
    count: AtomicUsize,
}

/// One conversation.
struct Session {
    /// Where it stood before the steps in the window.
    base: State,
    /// The last step that is in the base.
    settled: u64,
    /// Numbers before that which no step had: noted longest ago first.
    missed: VecDeque<RangeInclusive<u64>>,
    /// The latest steps, so that one that comes late takes its place.
    window: BTreeMap<u64, Step>,
    touched: Instant,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The server remembers as many as it may.
    Server,
    /// The merchant has its share.
    Merchant,
}

/// Where a conversation stands.
pub(crate) struct Standing {
    /// After all its steps.
    pub(crate) state: State,
    /// The last step of it.
    pub(crate) sequence: u64,
}

impl Sessions {
    /// Adds a step to a conversation, which begins if it is new, and says where it stands then. Without a step it only
    /// says so. A sequence of 0 is the next; one that was used before changes nothing.
    ///
    /// # Errors
    /// A new conversation finds no room.
    pub(crate) fn step(&self, key: &SessionKey, sequence: u64, step: Option<Step>) -> Result<Standing, Full> {
        let now = Instant::now();
        let (base, latest, sequence) = match self.0.sessions.entry(key.clone()) {
            Entry::Occupied(mut session) => {
                if session.get().is_over(now) {
                    session.insert(Session::new(now));
                }
                session.get_mut().step(sequence, step, now)
            }
            Entry::Vacant(place) => {
                self.0.take_room(&key.merchant)?;
                place.insert(Session::new(now)).step(sequence, step, now)
            }
        };
        // Other conversations wait for the copy at most, not for the fold.
        Ok(Standing { state: latest.into_iter().fold(base, State::after), sequence })
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Forgets those that nothing was said in for long, now and again.
    pub(crate) async fn run(self) {
        let mut ticks = interval(SESSIONS_SWEPT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep(Instant::now());
        }
    }

    /// Forgets those that nothing was said in for long.
    fn sweep(&self, now: Instant) {
        self.0.sessions.retain(|key, session| {
            let stays = !session.is_over(now);
            if !stays {
                self.0.give_room(&key.merchant);
            }
            stays
        });
    }
}

impl Memory {
    fn take_room(&self, merchant: &MerchantId) -> Result<(), Full> {
        if self.count.load(Ordering::Relaxed) >= SESSIONS_MAX {
            return Err(Full::Server);
        }
        let mut own = self.of_merchant.entry(merchant.clone()).or_default();
        if *own >= SESSIONS_OF_MERCHANT_MAX {
            return Err(Full::Merchant);
        }
        *own += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn give_room(&self, merchant: &MerchantId) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        let Entry::Occupied(mut own) = self.of_merchant.entry(merchant.clone()) else { return };
        *own.get_mut() -= 1;
        if *own.get() == 0 {
            own.remove();
        }
    }
}

impl Session {
    fn new(now: Instant) -> Self {
        Self {
            base: State::default(),
            settled: 0,
            missed: VecDeque::new(),
            window: BTreeMap::new(),
            touched: now,
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.touched) > SESSION_IDLE
    }

    /// Where it stood, the latest steps after that, and the last of them.
    fn step(&mut self, sequence: u64, step: Option<Step>, now: Instant) -> (State, Vec<Step>, u64) {
        self.touched = now;
        if let Some(step) = step {
            let place = if sequence == 0 { self.last() + 1 } else { sequence };
            if place > self.settled {
                self.window.entry(place).or_insert(step);
            } else if self.was_missed(place) {
                // Too late for its place, but it was said.
                self.settle(step);
            }
        }
        while self.window.len() > SESSION_WINDOW
            && let Some((place, step)) = self.window.pop_first()
        {
            self.miss(self.settled + 1..=place - 1);
            self.settled = place;
            self.settle(step);
        }
        (self.base.clone(), self.window.values().cloned().collect(), self.last())
    }

    fn settle(&mut self, step: Step) {
        self.base = std::mem::take(&mut self.base).after(step);
    }

    /// Notes numbers that no step had.
    fn miss(&mut self, numbers: RangeInclusive<u64>) {
        if !numbers.is_empty() {
            self.missed.push_back(numbers);
        }
        if self.missed.len() > SESSION_MISSED_MAX {
            self.missed.pop_front();
        }
    }

    /// Whether no step had this number so far. One has it now.
    fn was_missed(&mut self, place: u64) -> bool {
        let at = self.missed.iter().position(|numbers| numbers.contains(&place));
        let Some(numbers) = at.and_then(|at| self.missed.remove(at)) else { return false };
        self.miss(*numbers.start()..=place - 1);
        self.miss(place + 1..=*numbers.end());
        true
    }

    fn last(&self) -> u64 {
        self.window.last_key_value().map_or(self.settled, |(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sidecart_catalog::ProductId;

    use super::*;

    fn key(merchant: &str, session: &str) -> SessionKey {
        SessionKey { merchant: MerchantId::new(merchant).unwrap(), session: session.into() }
    }

    fn shown(product: usize) -> Step {
        Step::Shown(ProductId::new(&format!("p{product}")).unwrap())
    }

    #[test]
    fn order_of_arrival_and_repeats_do_not_matter() {
        let told = |order: &[u64]| {
            let sessions = Sessions::default();
            for sequence in order {
                sessions.step(&key("m", "s"), *sequence, Some(shown(*sequence as usize))).unwrap();
            }
            sessions.step(&key("m", "s"), 0, None).unwrap().state
        };
        let in_order = told(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        for order in [
            [2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11].as_slice(),
            &[1, 1, 2, 2, 3, 4, 4, 5, 6, 7, 1, 8, 9, 10, 2, 11, 12, 12],
            &[1, 2, 3, 8, 7, 6, 5, 4, 9, 10, 11, 12],
        ] {
            assert_eq!(told(order), in_order, "{order:?}");
        }
    }

    #[test]
    fn what_comes_too_late_for_its_place_still_counts_once() {
        let sessions = Sessions::default();
        let tell = |sequence, step| sessions.step(&key("m", "s"), sequence, step).unwrap();
        for sequence in [1, 2, 4, 40, 41, 42, 43, 44, 45, 46, 47, 48] {
            tell(sequence, Some(shown(sequence as usize)));
        }
        let before = tell(0, None).state;
        assert_eq!(tell(4, Some(Step::IssueOpened)).state, before, "a number that was used");
        let late = tell(29, Some(Step::IssueOpened)).state;
        assert_eq!(late, before.clone().after(Step::IssueOpened));
        assert_eq!(tell(29, Some(Step::IssueClosed)).state, late, "again");
        assert_ne!(tell(3, Some(Step::IssueClosed)).state, late, "a number of another gap");
    }

    #[test]
    fn what_was_said_long_ago_is_forgotten_and_gives_its_room() {
        let sessions = Sessions::default();
        for nth in 0..10 {
            sessions.step(&key("m", &nth.to_string()), 0, Some(shown(nth))).unwrap();
        }
        assert_eq!(sessions.len(), 10);
        sessions.sweep(Instant::now() + SESSION_IDLE + Duration::from_secs(1));
        assert_eq!((sessions.len(), sessions.0.of_merchant.len()), (0, 0));
    }

    #[test]
    fn one_merchant_has_no_more_than_its_share() {
        let sessions = Sessions::default();
        for nth in 0..SESSIONS_OF_MERCHANT_MAX {
            sessions.step(&key("m", &nth.to_string()), 0, None).unwrap();
        }
        assert_eq!(sessions.step(&key("m", "more"), 0, None).err(), Some(Full::Merchant));
        assert!(sessions.step(&key("m", "7"), 0, None).is_ok(), "a conversation that is known goes on");
        assert!(sessions.step(&key("other", "1"), 0, None).is_ok());
    }
}
