//! Time windows in local time.

use jiff::{Timestamp, civil::Weekday};

use crate::config::{MINUTES_PER_DAY, TimeWindow};

/// Returns whether a moment is in the window. When clocks are set back, one hour of local time
/// occurs twice; when they are set forward, one hour is skipped.
pub(super) fn window_contains(window: &TimeWindow, moment: Timestamp) -> bool {
    let local = moment.to_zoned(window.zone.0.clone());
    let minute =
        u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
    let from = window.from.0;
    let to = window.to.map_or(MINUTES_PER_DAY, |to| to.0);
    let begins = |day: Weekday| window.days.0.contains(&day);
    let (today, yesterday) = (local.weekday(), local.weekday().previous());
    if from < to {
        return begins(today) && (from..to).contains(&minute);
    }
    // The window crosses midnight: the evening of one day and the morning of the next.
    begins(today) && minute >= from || begins(yesterday) && minute < to
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(text: &str) -> TimeWindow {
        serde_json::from_str(text).unwrap()
    }

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn window_contains_moments_between_its_ends() {
        let evening = r#"{"days":"fri","from":"16:00","zone":"Europe/Berlin"}"#;
        let night = r#"{"days":"fri","from":"22:00","to":"06:00","zone":"Europe/Berlin"}"#;
        let always = r#"{"days":"sat","from":"08:00","to":"08:00"}"#;
        for (written, at, inside) in [
            // 2026-11-06 and 2026-11-13 are Fridays. In winter, Berlin is one hour ahead of UTC.
            (evening, "2026-11-06T14:59:59Z", false),
            (evening, "2026-11-06T15:00:00Z", true),
            (evening, "2026-11-06T22:59:59Z", true),
            (evening, "2026-11-06T23:00:00Z", false),
            (evening, "2026-11-05T16:00:00Z", false),
            (night, "2026-11-06T20:59:00Z", false),
            (night, "2026-11-06T21:00:00Z", true),
            (night, "2026-11-07T04:59:00Z", true),
            (night, "2026-11-07T05:00:00Z", false),
            // The morning of Friday belongs to the window of Thursday.
            (night, "2026-11-06T03:00:00Z", false),
            (always, "2026-11-07T08:00:00Z", true),
            (always, "2026-11-08T07:59:00Z", true),
            (always, "2026-11-08T08:00:00Z", false),
            (r#"{"days":"sun","to":"24:00"}"#, "2026-11-08T23:59:59Z", true),
            ("{}", "2026-11-08T23:59:59Z", true),
        ] {
            assert_eq!(window_contains(&window(written), moment(at)), inside, "{written} {at}");
        }
    }

    #[test]
    fn window_follows_local_daylight_saving_time() {
        // Berlin: at 2026-03-29 02:00 clocks go to 03:00, at 2026-10-25 03:00 clocks go to 02:00.
        let early = r#"{"from":"02:00","to":"03:00","zone":"Europe/Berlin"}"#;
        let four = r#"{"from":"04:00","to":"05:00","zone":"Europe/Berlin"}"#;
        let night = r#"{"days":"sat","from":"22:00","to":"04:00","zone":"Europe/Berlin"}"#;
        for (written, at, inside) in [
            (early, "2026-03-29T00:30:00Z", false),
            (early, "2026-03-29T01:00:00Z", false),
            (early, "2026-10-25T00:30:00Z", true),
            (early, "2026-10-25T01:30:00Z", true),
            (early, "2026-10-25T02:00:00Z", false),
            (four, "2026-03-29T02:00:00Z", true),
            (four, "2026-03-28T02:59:00Z", false),
            (night, "2026-03-29T01:59:00Z", true),
            (night, "2026-03-29T02:00:00Z", false),
            (night, "2026-10-25T02:59:00Z", true),
            (night, "2026-10-25T03:00:00Z", false),
        ] {
            assert_eq!(window_contains(&window(written), moment(at)), inside, "{written} {at}");
        }
    }

    proptest! {
        #[test]
        fn window_and_its_complement_partition_time(
            second in 1_700_000_000_i64..1_900_000_000,
            from in 0_u16..MINUTES_PER_DAY,
            to in 0_u16..MINUTES_PER_DAY,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
        ) {
            prop_assume!(from != to);
            let clock = |minute: u16| crate::config::TimeOfDay(minute).to_string();
            let daily_window = |from: u16, to: u16| {
                let (from, to) = (clock(from), clock(to));
                window(&format!(r#"{{"from":"{from}","to":"{to}","zone":"{zone}"}}"#))
            };
            let moment = Timestamp::from_second(second).unwrap();
            prop_assert_ne!(window_contains(&daily_window(from, to), moment), window_contains(&daily_window(to, from), moment));
        }
    }
}
