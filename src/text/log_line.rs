//! Parser for single lines of the raw task log of Octopus.
//!
//! Wording and columns differ between Octopus versions. So the parser splits a line into time,
//! level, `|` and text, and does not rely on columns. Text in any other form is the message.

use schemars::JsonSchema;
use serde::Serialize;

/// One line of a raw task log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The time as written in the log, usually `HH:MM:SS`. Headings and continuation lines of a
    /// message have none.
    pub time: Option<&'a str>,
    /// The level, if the line has a standard one.
    pub level: Option<LogLevel>,
    /// The message without indentation.
    pub text: &'a str,
}

/// Category of an Octopus log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema, strum::EnumString)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[strum(ascii_case_insensitive)]
pub enum LogLevel {
    /// More detailed than `Verbose`.
    Trace,
    /// Details that the portal hides by default.
    Verbose,
    /// Normal progress.
    Info,
    /// The task is waiting.
    Wait,
    /// Information that the script highlighted.
    Highlight,
    /// Marks omitted lines.
    Gap,
    /// A warning.
    Alert,
    /// A problem; the step continued.
    Warning,
    /// A failure.
    Error,
    /// A failure that ended the step.
    Fatal,
    /// Work is planned.
    Planned,
    /// Progress of planned work.
    Updated,
    /// Planned work is finished.
    Finished,
    /// Planned work was abandoned.
    Abandoned,
}

impl<'a> LogLine<'a> {
    /// Parses one line. Parsing cannot fail: a line in an unknown form becomes text only.
    pub fn parse(line: &'a str) -> Self {
        let plain = Self { time: None, level: None, text: line.trim() };
        let Some((prefix, text)) = line.split_once('|') else { return plain };
        let mut columns = prefix.split_whitespace();
        let (time, level, more) = (columns.next(), columns.next(), columns.next());
        match time {
            None => Self { text: text.trim(), ..plain },
            Some(time) if is_time_of_day(time) && more.is_none() => Self {
                time: Some(time),
                level: level.and_then(|level| level.parse().ok()),
                text: text.trim(),
            },
            Some(_) => plain,
        }
    }

    /// Returns whether the line has the level alert, warning, error or fatal, or is the heading of a
    /// failed or timed out part. The text of other lines does not matter.
    pub fn is_problem(&self) -> bool {
        self.level.map_or_else(|| self.is_failed_heading(), LogLevel::is_problem)
    }

    fn is_failed_heading(&self) -> bool {
        let heading = self.text.trim_start_matches('=').trim_start();
        let status = heading.split_once(':').map(|(status, _)| status);
        self.time.is_none() && matches!(status, Some("Failed" | "Timed out" | "TimedOut"))
    }
}

impl LogLevel {
    /// Returns whether the level reports a problem: alert, warning, error or fatal.
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Alert | Self::Warning | Self::Error | Self::Fatal)
    }
}

/// Returns whether a word is a time of day, with or without date, fraction and time zone.
fn is_time_of_day(word: &str) -> bool {
    let is_part = |part: Option<&str>| {
        part.is_some_and(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let clock = word.rsplit_once('T').map_or(word, |(_, clock)| clock);
    let mut parts = clock.splitn(3, ':');
    let seconds = |rest: &str| rest.get(..2).is_some_and(|part| is_part(Some(part)));
    is_part(parts.next()) && is_part(parts.next()) && parts.next().is_some_and(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::IntoEnumIterator as _;

    use super::*;

    const BLANK: &str = "                    ";

    #[test]
    fn parses_log_lines() {
        use LogLevel::{Error, Fatal, Info, Verbose, Warning};
        let heading = |text: &str| format!("{BLANK}| {text}");
        let rows = [
            ("08:10:02   Info     |     All packages".into(), Some("08:10:02"), Some(Info), false),
            ("08:10:02 Verbose|All packages".into(), Some("08:10:02"), Some(Verbose), false),
            ("\t08:10:02\twarning\t|\tAll packages".into(), Some("08:10:02"), Some(Warning), true),
            ("08:10:02.123Z Error | All packages".into(), Some("08:10:02.123Z"), Some(Error), true),
            (
                "2026-06-18T08:10:02 Fatal | All packages".into(),
                Some("2026-06-18T08:10:02"),
                Some(Fatal),
                true,
            ),
            ("08:10:02   Unheard  | All packages".into(), Some("08:10:02"), None, false),
            ("08:10:02 | All packages".into(), Some("08:10:02"), None, false),
            (heading("    All packages"), None, None, false),
            ("All packages".into(), None, None, false),
        ];
        for (line, time, level, problem) in rows {
            let read = LogLine::parse(&line);
            assert_eq!(read, LogLine { time, level, text: "All packages" }, "{line:?}");
            assert_eq!(read.is_problem(), problem, "{line:?}");
        }
    }

    #[test]
    fn parses_headings() {
        let rows = [
            ("| == Failed: Step 2: Smoke test ==", "== Failed: Step 2: Smoke test ==", true),
            ("|     Failed: Octopus Server", "Failed: Octopus Server", true),
            ("|   == Timed out: Step 1: Wait ==", "== Timed out: Step 1: Wait ==", true),
            ("|   == Success: Acquire packages ==", "== Success: Acquire packages ==", false),
            ("|   == Success with warnings: Web ==", "== Success with warnings: Web ==", false),
            ("| ", "", false),
            ("Task status:    Failed", "Task status:    Failed", false),
            ("Step Failed | Error | see above", "Step Failed | Error | see above", false),
            ("12:3 Info | no time", "12:3 Info | no time", false),
            ("08:10:02 Info of | too many", "08:10:02 Info of | too many", false),
            ("", "", false),
        ];
        for (line, text, problem) in rows {
            let line = if line.starts_with('|') { format!("{BLANK}{line}") } else { line.into() };
            let read = LogLine::parse(&line);
            assert_eq!(read, LogLine { time: None, level: None, text }, "{line:?}");
            assert_eq!(read.is_problem(), problem, "{line:?}");
        }
    }

    #[test]
    fn level_name_equals_its_serialised_form() {
        for level in LogLevel::iter() {
            let name = format!("{level:?}");
            assert_eq!(serde_json::to_value(level).unwrap(), name);
            assert_eq!(name.to_uppercase().parse(), Ok(level));
        }
        assert!("Loud".parse::<LogLevel>().is_err());
    }

    proptest! {
        #[test]
        fn parses_any_line(line in prop_oneof![any::<String>(), "[0-9: T|=A-Za-zä]{0,40}"]) {
            let read = LogLine::parse(&line);
            prop_assert!(line.contains(read.text));
            let _ = read.is_problem();
        }
    }
}
