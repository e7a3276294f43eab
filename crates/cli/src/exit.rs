//! How the program ends: the exit codes, and what is said about an error.

use std::{io, process::ExitCode};

use anyhow::Error;
use tonic::Status;
use tonic_types::StatusExt;

use crate::out;

/// The exit codes, as `--help` lists them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed: the server refused, or something here went wrong
  2  wrong usage: flags, configuration, or the form of a file as a whole
  3  some lines were rejected, and the rest is imported or measured
  4  not found: no such merchant, product, policy or generation (to delete what is not there is no error)
  5  not available now: no connection, overloaded or too slow; trying again may help
  6  lint found something, or a conversation is not answered as it was written

Environment: SIDECART_ADDR, SIDECART_MERCHANT, SIDECART_CONFIG and SIDECART_<KEY> for each key of `sidecart config show`.";

/// A way to end that is not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for is done.
    Done = 0,
    /// Some lines were rejected, and the rest is imported or measured.
    PartlyRejected = 3,
    /// Lint found something.
    Findings = 6,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NOT_FOUND: u8 = 4;
const UNAVAILABLE: u8 = 5;

/// The user asked for something that cannot be asked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The names of the gRPC codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of a status's code, as the gRPC specification writes it.
pub(crate) fn code_name(status: &Status) -> &'static str {
    usize::try_from(i32::from(status.code())).ok().and_then(|at| CODES.get(at)).copied().unwrap_or("UNKNOWN")
}

/// Ends the program, saying what went wrong if something did.
pub(crate) fn exit(outcome: Result<Exit, Error>) -> ExitCode {
    let error = match outcome {
        Ok(exit) => return ExitCode::from(exit as u8),
        Err(error) => error,
    };
    if is_broken_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    out::note(describe(&error));
    ExitCode::from(number(&error))
}

/// A reader such as `head` has seen enough. A connection that broke is another matter.
fn is_broken_pipe(error: &Error) -> bool {
    if error.chain().any(|cause| cause.is::<Status>() || cause.is::<tonic::transport::Error>()) {
        return false;
    }
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn number(error: &Error) -> u8 {
    for cause in error.chain() {
        if let Some(status) = cause.downcast_ref::<Status>() {
            return number_of_status(status);
        }
        if cause.is::<Usage>() {
            return USAGE;
        }
        if cause.is::<tonic::transport::Error>() {
            return UNAVAILABLE;
        }
    }
    FAILED
}

fn number_of_status(status: &Status) -> u8 {
    match code_name(status) {
        // A status with a cause was made here, of a connection that broke; what a server sends has none.
        "UNKNOWN" if std::error::Error::source(status).is_some() => UNAVAILABLE,
        "NOT_FOUND" => NOT_FOUND,
        // A deadline that passes here, before the server says so, cancels the call.
        "UNAVAILABLE" | "DEADLINE_EXCEEDED" | "RESOURCE_EXHAUSTED" | "CANCELLED" => UNAVAILABLE,
        _ => FAILED,
    }
}

/// The error with its causes on one line, and a line for each detail that the server gave.
fn describe(error: &Error) -> String {
    let mut text = String::from("error");
    for cause in error.chain() {
        if let Some(status) = cause.downcast_ref::<Status>() {
            text.push_str(&format!(": {}: {}", code_name(status), status.message()));
            describe_details(status, &mut text);
            return text;
        }
        text.push_str(&format!(": {cause}"));
    }
    text
}

fn describe_details(status: &Status, text: &mut String) {
    let details = status.get_error_details();
    for violation in details.bad_request().iter().flat_map(|it| &it.field_violations) {
        let fault = format!("{}: {}", violation.field, violation.description);
        if fault != status.message() {
            text.push_str(&format!("\n  {fault}"));
        }
    }
    for violation in details.precondition_failure().iter().flat_map(|it| &it.violations) {
        text.push_str(&format!("\n  {} {}: {}", violation.r#type, violation.subject, violation.description));
    }
    if let Some(delay) = details.retry_info().and_then(|it| it.retry_delay) {
        text.push_str(&format!("\n  try again after {} ms", delay.as_millis()));
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn exit_codes_tell_failures_apart() {
        let io = |kind| Error::from(io::Error::from(kind));
        let cases = [
            (Error::from(Status::from(io::Error::from(io::ErrorKind::NotFound))), NOT_FOUND),
            (Error::from(Status::new(5.into(), "gone")).context("while asking"), NOT_FOUND),
            (Error::from(Status::new(14.into(), "down")), UNAVAILABLE),
            (Error::from(Status::new(4.into(), "slow")), UNAVAILABLE),
            (Error::from(Status::new(8.into(), "full")), UNAVAILABLE),
            (Error::from(Status::new(1.into(), "Timeout expired")), UNAVAILABLE),
            (Error::from(Status::new(3.into(), "wrong")), FAILED),
            (Error::from(Usage("no merchant".into())).context("while starting"), USAGE),
            (io(io::ErrorKind::NotFound), FAILED),
        ];
        for (error, expected) in cases {
            assert_eq!(number(&error), expected, "{error:?}");
        }
        assert!(is_broken_pipe(&io(io::ErrorKind::BrokenPipe)));
    }

    #[test]
    fn a_violation_is_not_told_twice() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("stage", "is required");
        let status = Status::with_error_details(3.into(), "stage: is required", details);
        assert_eq!(describe(&status.into()), "error: INVALID_ARGUMENT: stage: is required");
    }

    #[test]
    fn each_violation_has_its_line() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("stage", "is required");
        details.set_retry_info(Some(std::time::Duration::from_millis(100)));
        let status = Status::with_error_details(3.into(), "the request is invalid", details);
        let error = Err::<(), _>(status).context("recommend").unwrap_err();
        let expected = "error: recommend: INVALID_ARGUMENT: the request is invalid\n  stage: is required\n  try again after 100 ms";
        assert_eq!(describe(&error), expected);
    }
}
