//! Clock of an instance, from the `Date` header of its responses (RFC 9110, section 6.6.1).
//!
//! Times in documents of Octopus are compared with this clock, so that they agree with the flags
//! that Octopus computes, such as `IsExpired` of a certificate.

use std::sync::atomic::{AtomicI64, Ordering};

use http::{HeaderMap, header::DATE};
use jiff::{SignedDuration, Timestamp, fmt::temporal::Pieces};

/// Clock of an instance. Equal to the clock of this machine until the first response.
#[derive(Debug, Default)]
pub(in crate::octopus) struct InstanceClock {
    /// Difference to the clock of this machine in seconds. Positive if the instance is ahead.
    offset: AtomicI64,
}

impl InstanceClock {
    /// Sets the clock to the `Date` of a response. Responses without a valid one are ignored.
    pub(in crate::octopus) fn record(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date.trim()).ok());
        if let Some(date) = date {
            let offset = date.timestamp().duration_since(Timestamp::now());
            // Rounded, because the header has no fractions of a second.
            let offset = offset.saturating_add(SignedDuration::from_millis(500)).as_secs();
            self.offset.store(offset, Ordering::Relaxed);
        }
    }

    /// Returns the current time of the instance, accurate to about a second.
    pub(in crate::octopus) fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_secs(self.offset.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.checked_add(offset).unwrap_or(now)
    }
}

/// Parses a time of a document. A time outside of the range of [`Timestamp`] becomes its limit: .NET
/// writes "never" as `9999-12-31T23:59:59.9999999+00:00`, which is later than the latest timestamp.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let pieces = Pieces::parse(text).ok()?;
        (pieces.time().is_some() && pieces.date().year() == 9999).then_some(Timestamp::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_date_of_responses() {
        let clock = InstanceClock::default();
        let record =
            |date: &str| clock.record(&[(DATE, date.parse().unwrap())].into_iter().collect());
        record("soon");
        assert!(clock.now().duration_since(Timestamp::now()).as_secs().abs() <= 1);
        for (date, expected) in [
            ("Mon, 02 Nov 2026 09:00:00 GMT", "2026-11-02T09:00:00Z"),
            ("Thu, 31 Dec 9998 23:59:59 GMT", "9998-12-31T23:59:59Z"),
        ] {
            record(date);
            let expected: Timestamp = expected.parse().unwrap();
            assert!(clock.now().duration_since(expected).as_secs().abs() <= 2, "{date}");
        }
    }

    #[test]
    fn parses_the_times_of_dotnet() {
        let parsed = |text| parse_time(text).map(|time| time.to_string());
        assert_eq!(parsed("2026-08-05T12:00:00.000+00:00").unwrap(), "2026-08-05T12:00:00Z");
        for never in ["9999-12-31T23:59:59.9999999+00:00", "9999-12-31T23:59:59Z"] {
            assert_eq!(parse_time(never), Some(Timestamp::MAX), "{never}");
        }
        assert_eq!(parsed("0001-01-01T00:00:00.000+00:00").unwrap(), "0001-01-01T00:00:00Z");
        for invalid in ["soon", "", "9999"] {
            assert_eq!(parse_time(invalid), None, "{invalid}");
        }
    }
}
