//! Weekly time windows: days, start, end and time zone.

use std::{borrow::Cow, fmt};

use jiff::{civil::Weekday, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::ListSetting;

/// A weekly time window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeWindow {
    /// Days on which the window begins, e.g. `mon-thu,sun` (default all).
    pub days: Weekdays,
    /// Start time `HH:MM` (default `00:00`).
    pub from: TimeOfDay,
    /// End time `HH:MM` (default: end of the day). An end before the start is on the next day.
    pub to: Option<TimeOfDay>,
    /// IANA time zone, e.g. `Europe/Berlin` (default `UTC`).
    pub zone: NamedTimeZone,
}

/// Days of the week, written e.g. `fri`, `mon-thu` or `sat,sun`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekdays(pub Vec<Weekday>);

/// A time of day in minutes since midnight; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(pub u16);

/// Number of minutes of a day.
pub const MINUTES_PER_DAY: u16 = 24 * 60;

/// An IANA time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTimeZone(pub TimeZone);

impl Default for NamedTimeZone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Default for Weekdays {
    fn default() -> Self {
        Self(WEEKDAYS.map(|(_, day)| day).to_vec())
    }
}

/// Returns the index of a day in the week.
fn weekday_index(name: &str) -> Option<usize> {
    let short = name.trim().to_lowercase();
    // Accepts `fri` and `friday`, but no other abbreviations.
    let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    WEEKDAYS.iter().zip(full).position(|((name, _), full)| *name == short || full == short)
}

fn parse_days(list: &ListSetting) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for name in &list.0 {
        let (first, last) = name.split_once('-').unwrap_or((name, name));
        let (first, last) = (weekday_index(first)?, weekday_index(last)?);
        let count = (last + 7 - first) % 7 + 1;
        days.extend(WEEKDAYS.iter().cycle().skip(first).take(count).map(|(_, day)| *day));
    }
    (!days.is_empty()).then_some(days)
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_days(&ListSetting::deserialize(deserializer)?)
            .map(Self)
            .ok_or_else(|| D::Error::custom("expected days such as `fri`, `mon-thu` or `sat,sun`"))
    }
}

impl Serialize for Weekdays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name =
            |day: &Weekday| WEEKDAYS.iter().find(|(_, other)| other == day).map(|(name, _)| *name);
        serializer.collect_seq(self.0.iter().filter_map(name))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (hours, minutes) = text.trim().split_once(':')?;
            let is_number =
                |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            if !is_number(hours) || !is_number(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            let clock = hours * 60 + minutes;
            (minutes < 60 && clock <= MINUTES_PER_DAY).then_some(Self(clock))
        };
        read().ok_or_else(|| "expected a time of day between `00:00` and `24:00`".to_owned())
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NamedTimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        // Only names: an offset has no daylight saving time.
        TimeZone::get(name.trim()).map(Self).map_err(|_| {
            D::Error::custom(format!(
                "time zone `{}` not found; use an IANA name such as `Europe/Berlin` or `UTC`",
                name.escape_debug()
            ))
        })
    }
}

impl Serialize for NamedTimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

macro_rules! written_as_text {
    ($($kind:ident),*) => {$(
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string" })
            }
        }
    )*};
}

written_as_text!(Weekdays, TimeOfDay, NamedTimeZone);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TimeWindow, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn parses_time_windows() {
        use Weekday::{Friday, Monday, Saturday, Sunday};
        for (written, days) in [
            (r#"{"days":"fri"}"#, vec![Friday]),
            (r#"{"days":"Friday, mon"}"#, vec![Friday, Monday]),
            (r#"{"days":["fri-mon"]}"#, vec![Friday, Saturday, Sunday, Monday]),
        ] {
            assert_eq!(read(written).unwrap().days.0, days, "{written}");
        }
        assert_eq!(read("{}").unwrap().days.0.len(), 7);
        let window = read(r#"{"from":"16:30","to":"24:00","zone":"Europe/Berlin"}"#).unwrap();
        assert_eq!((window.from, window.to), (TimeOfDay(990), Some(TimeOfDay(MINUTES_PER_DAY))));
        let again = serde_json::to_string(&window).unwrap();
        assert_eq!(read(&again).unwrap(), window);
    }

    #[test]
    fn rejects_invalid_time_windows() {
        for (wrong, expected) in [
            (r#"{"days":"someday"}"#, "expected days"),
            (r#"{"days":""}"#, "expected days"),
            (r#"{"from":"25:00"}"#, "time of day"),
            (r#"{"from":"24:01"}"#, "time of day"),
            (r#"{"from":"7:00"}"#, "time of day"),
            (r#"{"zone":"Mars/Olympus"}"#, "time zone `Mars/Olympus` not found"),
            (r#"{"zone":"+02:00"}"#, "time zone `+02:00` not found"),
            (r#"{"until":"12:00"}"#, "unknown field"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(expected), "{wrong}: {error}");
        }
    }

    /// Checks the bundled tz database, which small containers without a system database use.
    #[test]
    fn bundled_database_has_time_zones() {
        let bundled = jiff::tz::TimeZoneDatabase::bundled();
        for zone in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"] {
            assert!(bundled.get(zone).is_ok(), "{zone}");
        }
    }
}
