//! The fixed current time, and the time formats of Octopus.
//!
//! Times are milliseconds since 1970-01-01T00:00:00Z.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The fixed current time: Monday, 2026-11-02T09:00:00Z.
pub(super) const NOW: i64 = 1_793_610_000_000;

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Formats a time for resources: `2026-06-18T08:10:01.120+00:00`.
pub(super) fn timestamp(moment: i64) -> String {
    format_time(moment, "%Y-%m-%dT%H:%M:%S%.3f+00:00")
}

/// Formats a time for `Completed` of a task: `Thursday, 18 June 2026 8:10:01 AM +00:00`.
pub(super) fn long_date(moment: i64) -> String {
    format_time(moment, "%A, %-d %B %Y %-I:%M:%S %p +00:00")
}

/// Formats a time for the header `Date`: `Mon, 02 Nov 2026 09:00:00 GMT`.
pub(super) fn http_date(moment: i64) -> String {
    format_time(moment, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Formats a time for the log: `08:10:01`.
pub(super) fn time_of_day(moment: i64) -> String {
    let seconds = moment.rem_euclid(DAY) / SECOND;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Formats a duration for `Duration` of a task: `34 seconds`, `2 minutes`, `1 hour`.
pub(super) fn duration(milliseconds: i64) -> String {
    let (count, unit) = match milliseconds {
        ..MINUTE => ((milliseconds / SECOND).max(0), "second"),
        MINUTE..HOUR => (milliseconds / MINUTE, "minute"),
        HOUR..DAY => (milliseconds / HOUR, "hour"),
        _ => (milliseconds / DAY, "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// Parses a time of a query in any ISO 8601 format. Times without an offset are in UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    let exact = |text: &str| text.parse::<Timestamp>().ok();
    // A `+` that the caller did not encode arrives as a space.
    let repaired = |text: &str| exact(&text.replace(' ', "+"));
    let without_offset = |text: &str| {
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp())
    };
    let moment = exact(text).or_else(|| repaired(text)).or_else(|| without_offset(text))?;
    Some(moment.as_millisecond())
}

fn format_time(moment: i64, format: &str) -> String {
    Timestamp::from_millisecond(moment)
        .map(|moment| moment.strftime(format).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_parses_times() {
        assert_eq!(timestamp(NOW + 120), "2026-11-02T09:00:00.120+00:00");
        assert_eq!(long_date(NOW), "Monday, 2 November 2026 9:00:00 AM +00:00");
        assert_eq!(http_date(NOW), "Mon, 02 Nov 2026 09:00:00 GMT");
        assert_eq!(time_of_day(NOW + 61 * SECOND), "09:01:01");
        let rows = [
            ("2026-11-02T10:00:00.000+01:00", Some(NOW)),
            ("2026-11-02T10:00:00.000 01:00", Some(NOW)),
            ("2026-11-02T09:00:00", Some(NOW)),
            ("2026-11-02", Some(NOW - 9 * HOUR)),
            ("yesterday", None),
        ];
        for (text, moment) in rows {
            assert_eq!(parse(text), moment, "{text}");
        }
        let rows = [(0, "0 seconds"), (SECOND, "1 second"), (119 * SECOND, "1 minute")];
        for (milliseconds, expected) in rows {
            assert_eq!(duration(milliseconds), expected);
        }
    }
}
