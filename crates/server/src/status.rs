//! What can go wrong with a call, as the caller sees it, and the only place that names gRPC codes.
//!
//! A service answers with a [`Fault`]; its cause belongs in the log, never in the fault.
//! Every error but a plain `INTERNAL` carries rich details: `ErrorInfo` with a stable reason, and what fits it.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use http::HeaderMap;
use sidecart_catalog::Violation;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::limits;

/// The domain of every `ErrorInfo`.
pub const ERROR_DOMAIN: &str = "sidecart";

/// Why a call fails.
///
/// A `reason` is a stable word in UPPER_SNAKE for programs; a `message` is for people and may change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request is wrong whatever the state: `INVALID_ARGUMENT` with `BadRequest`. Fields are paths from the request,
    /// such as `products[3].price.currency`.
    #[error("{}", summary(.0))]
    Invalid(Vec<Violation>),
    /// What is named is not there: `NOT_FOUND` with `ResourceInfo`.
    #[error("{kind} `{id}` is not there")]
    NotFound {
        /// What kind of thing, in lower case, such as `product`.
        kind: &'static str,
        /// Its id, as sent.
        id: String,
    },
    /// What is to be made is there: `ALREADY_EXISTS` with `ResourceInfo`.
    #[error("{kind} `{id}` is already there")]
    AlreadyExists {
        /// What kind of thing, in lower case, such as `product`.
        kind: &'static str,
        /// Its id, as sent.
        id: String,
    },
    /// The request is right, the state is not: `FAILED_PRECONDITION` with `PreconditionFailure`.
    #[error("{description}")]
    FailedPrecondition {
        /// What kind of condition, such as `STORE_DEGRADED`.
        reason: &'static str,
        /// What it is about, such as a merchant id.
        subject: String,
        /// What must be done first.
        description: String,
    },
    /// A bound is reached: `RESOURCE_EXHAUSTED` with `RetryInfo`.
    #[error("{message}")]
    Exhausted {
        /// Which bound, such as `WRITER_QUEUE_FULL`.
        reason: &'static str,
        /// The same in words.
        message: Cow<'static, str>,
        /// When to try again.
        retry_after: Duration,
    },
    /// Not now: `UNAVAILABLE` with `RetryInfo`.
    #[error("{message}")]
    Unavailable {
        /// What is missing, such as `GENERATION_NOT_REACHED`.
        reason: &'static str,
        /// The same in words.
        message: Cow<'static, str>,
        /// When to try again.
        retry_after: Duration,
    },
    /// Time is up: `DEADLINE_EXCEEDED`.
    #[error("the deadline passed before the answer was ready")]
    Deadline,
    /// The server is at fault, and the log says how: `INTERNAL`.
    #[error("internal error")]
    Internal,
}

impl Fault {
    /// One wrong field.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, description)])
    }

    /// No `kind` (lower case, such as `product`) of that id.
    pub fn not_found(kind: &'static str, id: impl Into<String>) -> Self {
        Self::NotFound { kind, id: id.into() }
    }

    /// There is a `kind` of that id already.
    pub fn already_exists(kind: &'static str, id: impl Into<String>) -> Self {
        Self::AlreadyExists { kind, id: id.into() }
    }

    /// What the caller did wrong, if an answer says that its request could not be decoded.
    ///
    /// The transport answers that with `INTERNAL`, as if the server were at fault.
    pub fn undecodable(headers: &HeaderMap) -> Option<Self> {
        AnswerCode::in_headers(headers).filter(|code| *code == AnswerCode::INTERNAL)?;
        Self::unreadable(&Status::from_header_map(headers)?)
    }

    /// The same of a message of a stream.
    pub fn unreadable(status: &Status) -> Option<Self> {
        if status.code() != Code::Internal {
            return None;
        }
        if status.message() == "Missing request message." {
            return Some(Self::invalid("", "the request message is missing"));
        }
        let mut rest = status.message().strip_prefix("failed to decode Protobuf message: ")?;
        let mut path = Vec::new();
        // Innermost first, as in `Product.title: UpsertProductsRequest.products: invalid string value: …`.
        while let Some(((message, field), after)) =
            rest.split_once(": ").and_then(|(at, after)| Some((at.split_once('.')?, after)))
        {
            if message.contains(' ') {
                break;
            }
            path.insert(0, field.trim_start_matches("r#"));
            rest = after;
        }
        Some(Self::invalid(path.join("."), rest))
    }

    /// `subject` is not in the state that the call needs.
    pub fn precondition(
        reason: &'static str,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self::FailedPrecondition { reason, subject: subject.into(), description: description.into() }
    }

    /// A bound is reached; try again after the usual pause.
    pub fn exhausted(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Exhausted { reason, message: message.into(), retry_after: limits::RETRY_AFTER_FULL }
    }

    /// Not now; try again after `retry_after`.
    pub fn unavailable(
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
        retry_after: Duration,
    ) -> Self {
        Self::Unavailable { reason, message: message.into(), retry_after }
    }
}

impl From<Vec<Violation>> for Fault {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

/// What a handler is told whose request the caller broke off. Nobody reads it: the call is over.
pub fn cut_short() -> Status {
    Status::aborted("the caller broke the request off")
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let message = clipped(&fault.to_string()).to_owned();
        let mut details = ErrorDetails::new();
        let (code, reason) = describe(fault, &mut details);
        details.set_error_info(reason, ERROR_DOMAIN, HashMap::<String, String>::new());
        Status::with_error_details(code, message, details)
    }
}

/// Fills in what fits the fault; gives its code and reason.
fn describe(fault: Fault, details: &mut ErrorDetails) -> (Code, Cow<'static, str>) {
    match fault {
        Fault::Invalid(violations) => {
            for violation in bounded(&violations) {
                details.add_bad_request_violation(clipped(&violation.field), clipped(&violation.description));
            }
            (Code::InvalidArgument, "INVALID_FIELD".into())
        }
        Fault::NotFound { kind, id } => {
            details.set_resource_info(kind, clipped(&id), "", "");
            (Code::NotFound, reason_of(kind, "NOT_FOUND"))
        }
        Fault::AlreadyExists { kind, id } => {
            details.set_resource_info(kind, clipped(&id), "", "");
            (Code::AlreadyExists, reason_of(kind, "ALREADY_EXISTS"))
        }
        Fault::FailedPrecondition { reason, subject, description } => {
            details.add_precondition_failure_violation(reason, clipped(&subject), clipped(&description));
            (Code::FailedPrecondition, reason.into())
        }
        Fault::Exhausted { reason, retry_after, .. } => {
            details.set_retry_info(Some(retry_after));
            (Code::ResourceExhausted, reason.into())
        }
        Fault::Unavailable { reason, retry_after, .. } => {
            details.set_retry_info(Some(retry_after));
            (Code::Unavailable, reason.into())
        }
        Fault::Deadline => (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into()),
        Fault::Internal => (Code::Internal, "INTERNAL".into()),
    }
}

/// `("roll back", "NOT_FOUND")` gives `ROLL_BACK_NOT_FOUND`.
fn reason_of(kind: &str, suffix: &str) -> Cow<'static, str> {
    let kind = kind.replace([' ', '-'], "_").to_ascii_uppercase();
    format!("{kind}_{suffix}").into()
}

/// The first violation in words, and how many more there are.
fn summary(violations: &[Violation]) -> String {
    let Some(first) = violations.first() else {
        return "the request is invalid".to_owned();
    };
    let Violation { field, description } = first;
    match violations.len() - 1 {
        0 => format!("{field}: {description}"),
        more => format!("{field}: {description} (and {more} more)"),
    }
}

/// As many violations as an error may carry.
fn bounded(violations: &[Violation]) -> impl Iterator<Item = &Violation> {
    violations.iter().scan(0, |bytes, violation| {
        *bytes += clipped(&violation.field).len() + clipped(&violation.description).len();
        (*bytes <= limits::VIOLATIONS_MAX_BYTES).then_some(violation)
    })
}

/// The text, cut at a character where it is too long for an error.
fn clipped(text: &str) -> &str {
    let mut end = text.len().min(limits::ERROR_TEXT_MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The code of an answer, for the log and for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerCode(Code);

impl AnswerCode {
    /// How many there are.
    pub const COUNT: usize = 17;

    /// All codes, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as i32).map(|number| Self(Code::from_i32(number)))
    }

    /// Its number in the gRPC specification, below [`AnswerCode::COUNT`].
    pub fn number(self) -> usize {
        self.0 as usize
    }

    /// The caller went away before the answer was complete.
    pub const CANCELLED: Self = Self(Code::Cancelled);
    /// What a body that breaks off without trailers amounts to.
    pub const INTERNAL: Self = Self(Code::Internal);

    /// The `grpc-status` in headers or trailers, if there is one.
    pub fn in_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(Status::GRPC_STATUS)?;
        Some(Self(Code::from_bytes(value.as_bytes())))
    }

    /// Whether the server is to blame, not the caller, the network or the load.
    pub fn is_server_fault(self) -> bool {
        matches!(self.0, Code::Internal | Code::Unknown | Code::DataLoss)
    }

    /// The name in the gRPC specification, such as `NOT_FOUND`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Code::Ok => "OK",
            Code::Cancelled => "CANCELLED",
            Code::Unknown => "UNKNOWN",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Aborted => "ABORTED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Internal => "INTERNAL",
            Code::Unavailable => "UNAVAILABLE",
            Code::DataLoss => "DATA_LOSS",
            Code::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(fault: Fault) -> (Status, ErrorDetails) {
        let status = Status::from(fault);
        let details = status.get_error_details();
        (status, details)
    }

    #[test]
    fn each_fault_has_its_code_and_reason() {
        let retry = Duration::from_secs(1);
        let cases = [
            (Fault::invalid("stage", "is required"), Code::InvalidArgument, "INVALID_FIELD"),
            (Fault::not_found("product", "p1"), Code::NotFound, "PRODUCT_NOT_FOUND"),
            (Fault::not_found("kept snapshot", "7"), Code::NotFound, "KEPT_SNAPSHOT_NOT_FOUND"),
            (Fault::already_exists("rule", "r1"), Code::AlreadyExists, "RULE_ALREADY_EXISTS"),
            (Fault::precondition("DEGRADED", "m", "repair it"), Code::FailedPrecondition, "DEGRADED"),
            (Fault::exhausted("QUEUE_FULL", "full"), Code::ResourceExhausted, "QUEUE_FULL"),
            (Fault::unavailable("NOT_YET", "not yet", retry), Code::Unavailable, "NOT_YET"),
            (Fault::Deadline, Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (Fault::Internal, Code::Internal, "INTERNAL"),
        ];
        for (fault, code, reason) in cases {
            let (status, details) = sent(fault);
            assert_eq!(status.code(), code, "{reason}");
            let info = details.error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "sidecart"));
        }
    }

    #[test]
    fn wrong_fields_are_listed_with_their_paths() {
        let violation =
            Violation::new("currency", "is not an ISO 4217 code").within("price").within("products[3]");
        let (status, details) = sent(Fault::Invalid(vec![violation, Violation::new("mode", "is unknown")]));
        assert_eq!(status.message(), "products[3].price.currency: is not an ISO 4217 code (and 1 more)");
        let listed = &details.bad_request().unwrap().field_violations;
        assert_eq!(listed[0].field, "products[3].price.currency");
        assert_eq!(listed[1].description, "is unknown");
    }

    #[test]
    fn refusals_say_when_to_try_again() {
        for fault in [
            Fault::exhausted("QUEUE_FULL", "full"),
            Fault::unavailable("NOT_YET", "not yet", limits::RETRY_AFTER_FULL),
        ] {
            let (_, details) = sent(fault);
            assert_eq!(details.retry_info().unwrap().retry_delay, Some(limits::RETRY_AFTER_FULL));
        }
    }

    #[test]
    fn missing_things_and_conditions_are_named() {
        let (_, details) = sent(Fault::not_found("product", "p1"));
        let resource = details.resource_info().unwrap();
        assert_eq!((resource.resource_type.as_str(), resource.resource_name.as_str()), ("product", "p1"));
        let (status, details) = sent(Fault::precondition("DEGRADED", "acme", "restore it first"));
        assert_eq!(status.message(), "restore it first");
        let violation = &details.precondition_failure().unwrap().violations[0];
        assert_eq!((violation.r#type.as_str(), violation.subject.as_str()), ("DEGRADED", "acme"));
    }

    #[test]
    fn a_thousand_violations_fit_a_header() {
        let violations = (0..1_000).map(|i| Violation::new(format!("p[{i}]"), "ü".repeat(900))).collect();
        let (status, details) = sent(Fault::Invalid(violations));
        assert!(!details.bad_request().unwrap().field_violations.is_empty());
        assert!(status.details().len() < 6 * 1024, "{} bytes", status.details().len());
        assert!(status.message().len() <= limits::ERROR_TEXT_MAX_BYTES);
    }

    #[test]
    fn an_undecodable_request_is_the_callers_fault() {
        let cases = [
            (
                "failed to decode Protobuf message: Product.title: UpsertRequest.products: invalid string value: bad",
                "products.title",
            ),
            ("failed to decode Protobuf message: Rule.r#match: invalid varint", "match"),
            ("failed to decode Protobuf message: invalid tag value: 0", ""),
            ("Missing request message.", ""),
        ];
        for (message, field) in cases {
            let mut headers = HeaderMap::new();
            Status::internal(message).add_header(&mut headers).unwrap();
            let Some(Fault::Invalid(violations)) = Fault::undecodable(&headers) else { panic!("{message}") };
            assert_eq!(violations[0].field, field);
        }
        let mut headers = HeaderMap::new();
        Status::internal("internal error").add_header(&mut headers).unwrap();
        assert_eq!(Fault::undecodable(&headers), None);
    }

    #[test]
    fn names_are_those_of_the_specification() {
        for (value, name, is_server_fault) in [
            ("0", "OK", false),
            ("5", "NOT_FOUND", false),
            ("13", "INTERNAL", true),
            ("16", "UNAUTHENTICATED", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", value.parse().unwrap());
            let code = AnswerCode::in_headers(&headers).unwrap();
            assert_eq!((code.name(), code.is_server_fault()), (name, is_server_fault));
        }
        assert_eq!(AnswerCode::in_headers(&HeaderMap::new()), None);
    }
}
