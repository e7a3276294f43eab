//! Moments. The wire counts nanoseconds, the domain milliseconds; what is finer is cut off.

use sidecart_catalog::{Timestamp, Violation};

/// 0001-01-01T00:00:00Z, the first second that the wire format allows.
const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the last second that the wire format allows.
const LAST_SECOND: i64 = 253_402_300_799;

/// A moment.
///
/// # Errors
/// Outside the years 1 to 9999, or a fraction that is not one.
pub fn from_pb(moment: &prost_types::Timestamp) -> Result<Timestamp, Violation> {
    let prost_types::Timestamp { seconds, nanos } = *moment;
    if !(FIRST_SECOND..=LAST_SECOND).contains(&seconds) {
        return Err(Violation::new("seconds", format!("is {seconds}, which is outside the years 1 to 9999")));
    }
    if !(0..1_000_000_000).contains(&nanos) {
        return Err(Violation::new("nanos", format!("is {nanos}, allowed 0 to 999999999")));
    }
    Ok(Timestamp::from_ms(seconds * 1_000 + i64::from(nanos) / 1_000_000))
}

/// A moment that may be absent, at `field`.
///
/// # Errors
/// As [`from_pb`], under `field`.
pub fn optional(
    moment: Option<&prost_types::Timestamp>,
    field: &str,
) -> Result<Option<Timestamp>, Violation> {
    moment.map(from_pb).transpose().map_err(|fault| fault.within(field))
}

/// The wire form.
pub fn to_pb(moment: Timestamp) -> prost_types::Timestamp {
    let ms = moment.as_ms();
    let nanos = i32::try_from(ms.rem_euclid(1_000) * 1_000_000).expect("a fraction of a second fits");
    prost_types::Timestamp { seconds: ms.div_euclid(1_000), nanos }
}

/// The wire form of a moment that was worked out, held within the years that the wire format allows.
pub fn held_to_pb(moment: Timestamp) -> prost_types::Timestamp {
    to_pb(moment.clamp(Timestamp::from_ms(FIRST_SECOND * 1_000), Timestamp::from_ms(LAST_SECOND * 1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worked_out_stays_within_what_can_be_told() {
        for (ms, seconds) in [(i64::MAX, LAST_SECOND), (i64::MIN, FIRST_SECOND), (5_000, 5)] {
            assert_eq!(held_to_pb(Timestamp::from_ms(ms)).seconds, seconds);
        }
    }

    #[test]
    fn moments_return_to_the_millisecond() {
        for ms in [0, 1, -1, 999, -1_001, 1_763_807_970_123, LAST_SECOND * 1_000 + 999, FIRST_SECOND * 1_000]
        {
            let moment = Timestamp::from_ms(ms);
            assert_eq!(from_pb(&to_pb(moment)), Ok(moment));
        }
    }

    #[test]
    fn moments_out_of_range_are_refused() {
        for (seconds, nanos, field) in [
            (i64::MAX, 0, "seconds"),
            (FIRST_SECOND - 1, 0, "seconds"),
            (LAST_SECOND + 1, 0, "seconds"),
            (0, -1, "nanos"),
            (0, 1_000_000_000, "nanos"),
        ] {
            assert_eq!(from_pb(&prost_types::Timestamp { seconds, nanos }).unwrap_err().field, field);
        }
    }
}
