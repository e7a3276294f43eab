//! Acknowledged means durable: servers are killed, calls are dropped, power is cut, and what is left is compared with
//! what was acknowledged.
//!
//! Not run by the test harness, since the same program is also the server that is killed: see `server`.
//! `docs/durability.md` has the commands and their settings.

mod author;
mod call;
mod cancel;
mod follow_ups;
mod kills;
mod model;
mod pen;
mod power;
mod random;
mod served;
mod server;
mod world;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// A test: its name, and what it says at its end.
type Test = (&'static str, fn(u64) -> Result<String, String>);

const TESTS: [Test; 3] = [
    ("acknowledged_writes_survive_kill_9", kills::run),
    ("cancelled_calls_leave_memory_and_disk_agreeing", cancel::run),
    ("follow_ups_are_handed_out_once", follow_ups::run),
];
/// Needs root and preparation, so it runs only when named: see `tests/power/run`.
const POWER: Test = ("power_cuts", power::run);
const SEED_VARIABLE: &str = "SIDECART_SEED";

fn main() -> ExitCode {
    if let Some(data) = server::data_to_serve() {
        return told(server::serve(data));
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let filters: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-')).collect();
    let asked = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let mut tests: Vec<Test> = TESTS.into_iter().filter(|(name, _)| asked(name)).collect();
    if filters.contains(&POWER.0) {
        tests.push(POWER);
    }
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| say(&format!("{name}: test")));
        return ExitCode::SUCCESS;
    }
    told(tests.into_iter().try_for_each(run))
}

fn run((name, test): Test) -> Result<(), String> {
    let seed = match number(SEED_VARIABLE)? {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    say(&format!("test {name}, {SEED_VARIABLE}={seed}"));
    let began = Instant::now();
    let said = test(seed).map_err(|what| format!("test {name} failed, {SEED_VARIABLE}={seed}: {what}"))?;
    say(&format!("test {name} ... ok: {said}; {} s", began.elapsed().as_secs()));
    Ok(())
}

/// A number in the environment, if it is there.
fn number(variable: &str) -> Result<Option<u64>, String> {
    let Ok(text) = env::var(variable) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{variable} is `{text}`, which is not a number"))
}

fn told(outcome: Result<(), String>) -> ExitCode {
    let Err(what) = outcome else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "{what}");
    ExitCode::FAILURE
}

fn say(line: &str) {
    // Nothing is lost if nobody reads it.
    let _ = writeln!(io::stdout(), "{line}");
}
