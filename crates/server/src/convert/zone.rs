//! Time zones: names out of the IANA database, which the program carries, and the hours of the day there.

use std::collections::HashMap;

use jiff::{civil::Time, tz::TimeZone};
use sidecart_catalog::{Timestamp, Violation};

/// Whether a time zone of this name is known; an empty one says nothing.
///
/// # Errors
/// There is no such time zone, at `field`.
pub fn known(name: &str, field: &str) -> Result<(), Violation> {
    if name.is_empty() || TimeZone::get(name).is_ok() {
        return Ok(());
    }
    Err(Violation::new(field, "is not the name of a time zone, such as `Europe/Lisbon`"))
}

/// Until when it is no hour to write, in each time zone; looked up once for each.
pub(crate) struct Hours {
    at: Timestamp,
    /// The first hour of the day, and the one that is none any more.
    from: i8,
    until: i8,
    seen: HashMap<Box<str>, Option<Timestamp>>,
}

impl Hours {
    /// The hours of the day `from` until before `until`, at a moment.
    pub(crate) fn new(at: Timestamp, (from, until): (u32, u32)) -> Self {
        let hour = |hour: u32| i8::try_from(hour.min(24)).unwrap_or(24);
        Self { at, from: hour(from), until: hour(until), seen: HashMap::new() }
    }

    /// Until when it is no hour to write in a time zone. `None`: it is one; also where the zone is not known any more.
    pub(crate) fn quiet_until(&mut self, zone: &str) -> Option<Timestamp> {
        if let Some(known) = self.seen.get(zone) {
            return *known;
        }
        let until = self.next(zone);
        self.seen.insert(zone.into(), until);
        until
    }

    fn next(&self, zone: &str) -> Option<Timestamp> {
        let zone = TimeZone::get(zone).ok()?;
        let now = jiff::Timestamp::from_millisecond(self.at.as_ms()).ok()?.to_zoned(zone.clone());
        if (self.from..self.until).contains(&now.hour()) {
            return None;
        }
        let date = if now.hour() < self.from { now.date() } else { now.date().tomorrow().ok()? };
        let opens = date.to_datetime(Time::new(self.from, 0, 0, 0).ok()?).to_zoned(zone).ok()?;
        // Where clocks are moved, the hour may come sooner than the calendar says.
        Some(Timestamp::from_ms(opens.timestamp().as_millisecond()).max(self.at.plus_ms(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn hours_are_those_of_the_place() {
        for (now, zone, until) in [
            ("2026-11-24T12:00:00Z", "UTC", None),
            ("2026-11-24T08:59:59Z", "UTC", Some("2026-11-24T09:00:00Z")),
            ("2026-11-24T20:00:00Z", "UTC", Some("2026-11-25T09:00:00Z")),
            ("2026-11-24T12:00:00Z", "Asia/Tokyo", Some("2026-11-25T00:00:00Z")),
            ("2026-11-24T12:00:00Z", "America/Los_Angeles", Some("2026-11-24T17:00:00Z")),
            // The night in which clocks go forward in Lisbon.
            ("2027-03-27T21:00:00Z", "Europe/Lisbon", Some("2027-03-28T08:00:00Z")),
            ("2026-11-24T12:00:00Z", "Nowhere/AtAll", None),
        ] {
            let found = Hours::new(at(now), (9, 20)).quiet_until(zone);
            assert_eq!(found, until.map(at), "{now} in {zone}");
        }
    }
}
