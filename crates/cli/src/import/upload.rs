//! Sends what a file holds: call by call, or all at once for a replacement.

use std::{
    future::pending,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, anyhow};
use futures_util::stream;
use sidecart::v1 as pb;
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_stream::Stream;
use tonic::Status;
use tonic_types::StatusExt;

use super::{
    chunks::{self, Chunk, WAITING_MAX},
    kind::{Kind, Replaceable, Upsertable},
    progress::Progress,
    report::{Rejected, Report},
    rows::Rows,
};
use crate::{
    exit::Usage,
    out,
    remote::{Remote, new_request_id, place_in, with_retries},
};

/// Creates or replaces what the file holds. A rejected line does not stop the others.
///
/// # Errors
/// The file cannot be read on, or the server refuses a call as a whole. What was acknowledged before stays.
pub(crate) async fn upsert<K: Upsertable>(
    remote: &Remote,
    rows: Rows,
    mut progress: Progress,
) -> Result<Report> {
    let (sender, mut chunks) = mpsc::channel(WAITING_MAX);
    let reading = spawn_blocking(move || chunks::send::<K>(rows, &sender));
    let mut report = Report::new(K::NOUN);
    while let Some(chunk) = chunks.recv().await {
        let Chunk { items, lines, rejected, done } = chunk;
        report.reject(rejected, &progress);
        if !items.is_empty() {
            let request_id = new_request_id();
            let call = || K::upsert(remote, items.clone(), request_id.clone());
            let imported = || format!("stopped at line {}, {} are imported", lines[0], report.imported());
            let (generation, outcomes) = with_retries(call).await.with_context(imported)?;
            report.generation = generation;
            count(&mut report, &outcomes, &lines, &progress);
        }
        progress.reached(done, report.imported());
    }
    reading.await??;
    progress.finish();
    Ok(report)
}

fn count(report: &mut Report, outcomes: &[pb::ItemOutcome], lines: &[u64], progress: &Progress) {
    for outcome in outcomes {
        match outcome.outcome() {
            pb::Outcome::Created => report.counts.created += 1,
            pb::Outcome::Updated => report.counts.updated += 1,
            pb::Outcome::Rejected => {
                let line = usize::try_from(outcome.index).ok().and_then(|at| lines.get(at)).copied();
                let reason = violations(outcome);
                report.reject(vec![Rejected { line: line.unwrap_or_default(), reason }], progress);
            }
            _ => report.counts.unchanged += 1,
        }
    }
}

/// The violations without the place in the request, which means nothing to who wrote the file.
fn violations(outcome: &pb::ItemOutcome) -> String {
    let each = outcome.violations.iter().map(|violation| {
        let field = violation.field.split_once("].").map_or("", |(_, field)| field);
        let colon = if field.is_empty() { "" } else { ": " };
        format!("{field}{colon}{}", violation.description)
    });
    format!("`{}`: {}", outcome.id, each.collect::<Vec<_>>().join("; "))
}

/// What a replacement by a file that holds nothing is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empty {
    /// A mistake.
    Refused,
    /// What it says: everything is deleted.
    Meant,
}

/// Makes what the file holds the whole, in one generation.
///
/// # Errors
/// The file cannot be read on, it is empty though it must not be, or a line is rejected, here or by the server. Nothing
/// is changed then.
pub(super) async fn replace<K: Replaceable>(
    remote: &Remote,
    rows: Rows,
    empty: Empty,
    mut progress: Progress,
) -> Result<Report> {
    let (sender, parts) = mpsc::channel(WAITING_MAX);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (reports, mut reported) = mpsc::channel(WAITING_MAX);
    let reading = spawn_blocking({
        let lines = lines.clone();
        move || feed::<K>(rows, &sender, &lines, &reports, empty)
    });
    let call = K::replace(remote, until_told(parts));
    tokio::pin!(call, reading);
    let mut report = Report::new(K::NOUN);
    let mut read = None;
    let answer = loop {
        tokio::select! {
            biased;
            Some(Fed { count, done, rejected }) = reported.recv() => {
                report.reject(rejected, &progress);
                progress.reached(done, count);
            }
            outcome = &mut reading, if read.is_none() => {
                outcome??;
                read = Some(());
                if report.rejected_count > 0 {
                    // Dropping the call resets its stream, so the server changes nothing.
                    return Err(refused(&report));
                }
            }
            answer = &mut call => break answer,
        }
    };
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    match answer {
        Ok((generation, counts)) => {
            progress.finish();
            report.generation = generation;
            report.counts = counts;
            Ok(report)
        }
        Err(status) => {
            let rejected = rejected_by(&status, K::NOUN, &lines);
            let is_of_lines = !rejected.is_empty();
            report.reject(rejected, &progress);
            Err(if is_of_lines { refused(&report) } else { status.into() })
        }
    }
}

fn refused(report: &Report) -> anyhow::Error {
    anyhow!("nothing is replaced: {} rejected", out::counted(report.rejected_count, "line"))
}

/// A step of an upload. It ends only when it is told to: a channel that closes for another reason must not look like
/// the end of the file.
enum Part<T> {
    Items(Vec<T>),
    End,
}

fn until_told<T: Send + 'static>(
    parts: mpsc::Receiver<Part<T>>,
) -> impl Stream<Item = Vec<T>> + Send + 'static {
    stream::unfold(parts, async |mut parts| match parts.recv().await {
        Some(Part::Items(items)) => Some((items, parts)),
        Some(Part::End) => None,
        None => pending().await,
    })
}

/// How far the reading is.
struct Fed {
    count: u64,
    done: u64,
    rejected: Vec<Rejected>,
}

/// Reads and sends on. Once a line is rejected, it only reads on to find the others.
fn feed<K: Kind>(
    rows: Rows,
    to: &mpsc::Sender<Part<K::Item>>,
    all_lines: &Mutex<Vec<u64>>,
    reports: &mpsc::Sender<Fed>,
    empty: Empty,
) -> Result<()> {
    std::thread::scope(|scope| {
        // Made in here, so that leaving drops the receiver and ends the reader, which is waited for.
        let (sender, mut chunks) = mpsc::channel(WAITING_MAX);
        let reading = scope.spawn(move || chunks::send::<K>(rows, &sender));
        let (mut count, mut is_whole) = (0, true);
        while let Some(Chunk { items, lines, rejected, done }) = chunks.blocking_recv() {
            count += items.len() as u64;
            is_whole &= rejected.is_empty();
            all_lines.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
            if is_whole && to.blocking_send(Part::Items(items)).is_err() {
                return Ok(());
            }
            let _ = reports.blocking_send(Fed { count, done, rejected });
        }
        let read = reading.join().map_err(|_| io::Error::other("the reader panicked"))?;
        if read.is_ok() && is_whole {
            if count == 0 && empty == Empty::Refused {
                return Err(Usage(format!(
                    "the file holds no {}, and would replace all there are by nothing: say --allow-empty if that is meant",
                    K::NOUN
                ))
                .into());
            }
            let _ = to.blocking_send(Part::End);
        }
        read
    })
}

/// The lines that the server names, from paths such as `products[3].price`.
fn rejected_by(status: &Status, noun: &str, lines: &[u64]) -> Vec<Rejected> {
    let Some(bad_request) = status.get_details_bad_request() else { return Vec::new() };
    let named = bad_request.field_violations.into_iter().filter_map(|violation| {
        let (index, field) = place_in(noun, &violation.field)?;
        let line = *lines.get(index)?;
        let colon = if field.is_empty() { "" } else { ": " };
        Some(Rejected { line, reason: format!("{field}{colon}{}", violation.description) })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn refusals_of_the_server_get_their_lines() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("products[1].price.currency", "is wrong");
        details.add_bad_request_violation("products[2]", "is a duplicate of products[0]");
        details.add_bad_request_violation("products[9].title", "is beyond what was sent");
        details.add_bad_request_violation("merchant_id", "is empty");
        let status = Status::with_error_details(3.into(), "refused", details);
        let rejected = rejected_by(&status, "products", &[1, 3, 4]);
        let shown: Vec<_> = rejected.iter().map(|it| (it.line, it.reason.as_str())).collect();
        assert_eq!(shown, [(3, "price.currency: is wrong"), (4, "is a duplicate of products[0]")]);
    }

    #[test]
    fn violations_are_told_without_their_place_in_the_request() {
        let violation = |field: &str, description: &str| pb::FieldViolation {
            field: field.into(),
            description: description.into(),
        };
        let outcome = pb::ItemOutcome {
            id: "p".into(),
            violations: vec![
                violation("products[7].price.currency", "is wrong"),
                violation("products[7]", "is large"),
            ],
            ..Default::default()
        };
        assert_eq!(violations(&outcome), "`p`: price.currency: is wrong; is large");
    }
}
