//! Kills a server again and again while it is written to, a third of the times while it opens its store.

use std::{path::Path, sync::mpsc::channel, thread, time::Duration};

use super::{
    author::{Author, Tally},
    random::Random,
    server::Server,
    world::{authors, live, tally},
};

/// Kills of a test run, and the variable that asks for another number.
const KILLS: u64 = 200;
const KILLS_VARIABLE: &str = "SIDECART_KILLS";
/// Worlds that live side by side, so that the processors have work while one waits for the disk.
const WORLDS: u64 = 2;
/// The longest that a server lives.
const LIFE_MAX_MS: u64 = 250;
/// Every so many lives one is longer, so that large replacements come to their end.
const LONG_LIFE_EVERY: u64 = 8;
/// At least one in this many kills hits a server that is opening.
const OPENING_SHARE: u64 = 3;
/// How many are meant to, in percent: some come too late.
const OPENING_PERCENT: u64 = 40;

/// Kills of one world after which it says how far it is.
const SAID_EVERY: u64 = 500;

/// What came of a run.
#[derive(Clone, Copy, Debug, Default)]
struct Report {
    kills: u64,
    while_opening: u64,
    writes: Tally,
}

/// Runs the worlds side by side; the first broken promise ends the run.
pub(crate) fn run(seed: u64) -> Result<String, String> {
    let kills = super::number(KILLS_VARIABLE)?.unwrap_or(KILLS);
    let (report_back, reports) = channel();
    for world in 0..WORLDS {
        let report_back = report_back.clone();
        let own = kills / WORLDS + u64::from(world < kills % WORLDS);
        thread::spawn(move || report_back.send(run_world(seed.wrapping_add(world), own)));
    }
    drop(report_back);
    let mut sum = Report::default();
    for report in reports {
        let Report { kills, while_opening, writes } = report?;
        sum.kills += kills;
        sum.while_opening += while_opening;
        sum.writes = sum.writes.plus(writes);
    }
    if sum.kills < kills {
        return Err(format!("a world ended early: {sum:?}"));
    }
    let Report { kills, while_opening, writes } = sum;
    Ok(format!(
        "{kills} kills, {while_opening} of them while opening; {} writes acknowledged, none lost; \
         {} in flight at a kill, {} of these landed, whole; {} retried and {} repeated, each applied once",
        writes.acknowledged, writes.in_flight, writes.landed, writes.retried, writes.recalled
    ))
}

fn run_world(seed: u64, kills: u64) -> Result<Report, String> {
    let dir = tempfile::tempdir().map_err(|fault| fault.to_string())?;
    let mut world = World::new(seed, dir.path())?;
    let lived = world.live_through(kills);
    let report =
        Report { kills: world.kills, while_opening: world.while_opening, writes: tally(&world.authors) };
    lived.map(|()| report).map_err(|what| {
        let kept = dir.keep();
        format!("at kill {} of seed {seed}, data kept in {}: {what}", report.kills, kept.display())
    })
}

/// A data directory, its authors, and the kills so far.
struct World<'a> {
    data: &'a Path,
    runtime: tokio::runtime::Runtime,
    random: Random,
    authors: Vec<Author>,
    /// How long the last opening took.
    opening: Duration,
    kills: u64,
    while_opening: u64,
}

impl<'a> World<'a> {
    fn new(seed: u64, data: &'a Path) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            data,
            runtime: runtime.map_err(|fault| fault.to_string())?,
            random: Random::new(seed),
            authors: authors(seed),
            opening: Duration::from_millis(20),
            kills: 0,
            while_opening: 0,
        })
    }

    fn live_through(&mut self, kills: u64) -> Result<(), String> {
        while self.kills < kills || self.while_opening * OPENING_SHARE < kills {
            self.kill_once()?;
            if self.kills.is_multiple_of(SAID_EVERY) {
                super::say(&format!("{} kills, {} of them while opening", self.kills, self.while_opening));
            }
        }
        self.live(Duration::ZERO)
    }

    fn kill_once(&mut self) -> Result<(), String> {
        self.kills += 1;
        if self.random.happens(OPENING_PERCENT) {
            return self.kill_while_opening();
        }
        let longest_ms =
            if self.kills.is_multiple_of(LONG_LIFE_EVERY) { 8 * LIFE_MAX_MS } else { LIFE_MAX_MS };
        let life = Duration::from_millis(self.random.below(longest_ms));
        self.live(life)
    }

    fn live(&mut self, life: Duration) -> Result<(), String> {
        self.opening = live(&self.runtime, self.data, &mut self.authors, life)?;
        Ok(())
    }

    /// Kills at a random moment of the time that opening took last. Should it be open by then, it was a kill like
    /// others.
    fn kill_while_opening(&mut self) -> Result<(), String> {
        let mut server = Server::start(self.data, &[])?;
        let share = u32::try_from(self.random.below(1_000)).unwrap_or(0);
        match server.opened_within(self.opening * share / 1_000)? {
            None => self.while_opening += 1,
            Some(opening) => self.opening = opening,
        }
        server.kill();
        Ok(())
    }
}
