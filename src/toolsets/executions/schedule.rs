//! Schedule of an execution: start time and latest start time.

use jiff::{Timestamp, Zoned};

use crate::tool::Error;

/// The start time and the latest start time of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::toolsets) struct Schedule {
    pub(super) run_at: Option<Timestamp>,
    pub(super) no_run_after: Option<Timestamp>,
}

impl Schedule {
    /// Parses `runAt` and `noRunAfter`.
    ///
    /// # Errors
    ///
    /// [`Error`] for a text that is not a future time with zone, or if `noRunAfter` is not later
    /// than `runAt`.
    pub(in crate::toolsets) fn read(
        run_at: Option<&str>,
        no_run_after: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let run_at = run_at.map(|text| parse_future_time("runAt", text, now)).transpose()?;
        let no_run_after =
            no_run_after.map(|text| parse_future_time("noRunAfter", text, now)).transpose()?;
        if let (Some(start), Some(end)) = (run_at, no_run_after)
            && end <= start
        {
            return Err(Error::Invalid(format!(
                "noRunAfter ({end}) must be later than runAt ({start})"
            )));
        }
        Ok(Self { run_at, no_run_after })
    }
}

/// Parses a future time. Octopus expects UTC.
fn parse_future_time(field: &str, text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let wrong = |reason: String| Error::Argument { field: field.to_owned(), reason };
    let read = text.trim().parse::<Timestamp>();
    let read = read.or_else(|_| text.trim().parse::<Zoned>().map(|zoned| zoned.timestamp()));
    let moment = read.map_err(|_| {
        wrong(format!(
            "'{}' is not a date and time with its zone; expected e.g. 2026-11-02T22:00:00+01:00 or \
             2026-11-02T21:00:00Z",
            text.chars().take(40).collect::<String>()
        ))
    })?;
    if moment <= now {
        return Err(wrong(format!("{moment} is in the past; expected a future time")));
    }
    Ok(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(run_at: Option<&str>, no_run_after: Option<&str>) -> Result<Schedule, String> {
        let now = "2026-11-02T09:00:00Z".parse().unwrap();
        Schedule::read(run_at, no_run_after, now).map_err(|error| error.to_string())
    }

    #[test]
    fn rejects_times_without_zone_or_in_wrong_order() {
        let times = read(Some("2026-11-02T22:00:00+01:00"), Some("2026-11-02T23:30Z")).unwrap();
        assert_eq!(times.run_at.unwrap().to_string(), "2026-11-02T21:00:00Z");
        assert_eq!(times.no_run_after.unwrap().to_string(), "2026-11-02T23:30:00Z");
        assert_eq!(read(None, None).unwrap(), Schedule { run_at: None, no_run_after: None });
        for (run_at, no_run_after, expected) in [
            ("2026-11-02T22:00:00", None, "with its zone"),
            ("2026-11-02", None, "with its zone"),
            ("tomorrow", None, "with its zone"),
            ("", None, "with its zone"),
            ("2026-13-02T22:00:00Z", None, "with its zone"),
            ("2026-11-02T22:00:00 CET", None, "with its zone"),
            ("1793610000", None, "with its zone"),
            ("2026-11-02T09:00:00Z", None, "is in the past"),
            ("2026-11-02T09:30:00+01:00", None, "is in the past"),
            ("2026-11-03T00:00:00Z", Some("2026-11-03T00:00:00Z"), "must be later"),
            ("2026-11-03T00:00:00Z", Some("2026-11-02T23:00:00Z"), "must be later"),
        ] {
            let error = read(Some(run_at), no_run_after).unwrap_err();
            assert!(error.contains(expected), "{run_at}: {error}");
        }
    }
}
