//! How long a call may take: what the caller asks in `grpc-timeout`, within the server's own bounds.
//!
//! Its expiry is answered by the call itself, as `DEADLINE_EXCEEDED`; tonic's own timer answers `CANCELLED`.

use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::{method::Shape, settings::Settings};
use crate::{limits, status::Fault};

/// The time a handler leaves for its own answer to reach the caller before the deadline does.
const MARGIN_MAX: Duration = Duration::from_millis(50);

/// When a call must be answered; in the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    at: Option<Instant>,
    answer_by: Option<Instant>,
}

impl Deadline {
    /// A deadline that far from now; none when there is no limit.
    pub fn after(limit: Option<Duration>) -> Self {
        let Some(limit) = limit else {
            return Self { at: None, answer_by: None };
        };
        let at = Instant::now().checked_add(limit);
        let margin = MARGIN_MAX.min(limit / 10);
        Self { at, answer_by: at.map(|at| at - margin) }
    }

    /// The deadline of a request; of one that did not come through the edge, the default of unary calls.
    pub fn of(extensions: &Extensions) -> Self {
        match extensions.get::<Self>() {
            Some(deadline) => *deadline,
            None => Self::after(Some(limits::UNARY_DEADLINE_DEFAULT)),
        }
    }

    /// When the caller is told `DEADLINE_EXCEEDED`; never, for a subscription without a time-out.
    pub fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Until when a handler may wait for something and still give its own answer: shortly before [`Deadline::at`].
    pub fn answer_by(&self) -> Option<Instant> {
        self.answer_by
    }
}

/// How long a call of this shape may take, given its headers. Fails on a malformed `grpc-timeout`.
pub(super) fn limit(
    headers: &HeaderMap,
    shape: Shape,
    settings: &Settings,
) -> Result<Option<Duration>, Fault> {
    let asked = match headers.get("grpc-timeout") {
        None => None,
        Some(value) => Some(parse(value).ok_or_else(malformed)?),
    };
    Ok(match shape {
        Shape::Unary => {
            Some(asked.unwrap_or(settings.unary_deadline_default).min(settings.unary_deadline_max))
        }
        Shape::Job | Shape::Upload | Shape::Download => Some(
            asked.map_or(settings.transfer_deadline_max, |asked| asked.min(settings.transfer_deadline_max)),
        ),
        Shape::Subscription => asked,
    })
}

fn malformed() -> Fault {
    Fault::invalid("grpc-timeout", "is not 1 to 8 digits followed by one of H, M, S, m, u, n")
}

/// Parses `TimeoutValue TimeoutUnit` of the gRPC over HTTP/2 protocol.
fn parse(value: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = value.as_bytes().split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0, |count, digit| count * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(count * 3_600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_parse_as_the_protocol_says() {
        let cases = [
            ("1H", Some(Duration::from_secs(3_600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("0u", Some(Duration::ZERO)),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3_600))),
            ("100000000n", None),
            ("", None),
            ("S", None),
            ("1", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
            ("1 S", None),
            ("1s", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(&HeaderValue::from_static(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn each_shape_has_its_default_and_its_maximum() {
        let settings = Settings::default();
        let (default, max) = (settings.unary_deadline_default, settings.unary_deadline_max);
        let transfer = settings.transfer_deadline_max;
        let second = Duration::from_secs(1);
        let day = Duration::from_secs(24 * 3_600);
        let cases = [
            (Shape::Unary, None, Some(default)),
            (Shape::Unary, Some("1S"), Some(second)),
            (Shape::Unary, Some("24H"), Some(max)),
            (Shape::Job, None, Some(transfer)),
            (Shape::Upload, None, Some(transfer)),
            (Shape::Upload, Some("1S"), Some(second)),
            (Shape::Download, Some("24H"), Some(transfer)),
            (Shape::Subscription, None, None),
            (Shape::Subscription, Some("24H"), Some(day)),
        ];
        for (shape, asked, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.extend(
                asked.map(|asked| (http::HeaderName::from_static("grpc-timeout"), asked.parse().unwrap())),
            );
            assert_eq!(limit(&headers, shape, &settings), Ok(expected), "{shape:?} {asked:?}");
        }
    }

    #[test]
    fn a_handler_answers_before_the_deadline_does() {
        for limit_ms in [1, 100, 10_000] {
            let deadline = Deadline::after(Some(Duration::from_millis(limit_ms)));
            assert!(deadline.answer_by() < deadline.at());
        }
        assert_eq!(Deadline::after(None).at(), None);
    }
}
