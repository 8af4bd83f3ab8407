//! Reading one line of the raw log of an Octopus task.
//!
//! The wording and the columns differ between versions, so a line is read by its parts and never
//! by position: a time, a level, a bar, the text. What does not fit is text.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

/// One line of a raw task log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The time as it stands in the log, usually `HH:MM:SS`. Headings and the further lines of a
    /// message have none.
    pub time: Option<&'a str>,
    /// The level, where the line has one that is known.
    pub level: Option<Level>,
    /// What the line says, without indentation.
    pub text: &'a str,
}

/// What Octopus calls the category of a log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub enum Level {
    /// Finer than verbose.
    Trace,
    /// Detail that the portal hides at first.
    Verbose,
    /// What happens.
    Info,
    /// Something is waited for.
    Wait,
    /// Information that the script stressed.
    Highlight,
    /// Lines were left out here.
    Gap,
    /// Something that somebody should see.
    Alert,
    /// Something is wrong and the step went on.
    Warning,
    /// Something failed.
    Error,
    /// Something failed and ended the step.
    Fatal,
    /// Work that is planned.
    Planned,
    /// Progress of planned work.
    Updated,
    /// Planned work that is finished.
    Finished,
    /// Planned work that was given up.
    Abandoned,
}

impl<'a> LogLine<'a> {
    /// Reads one line. Every line can be read: what has no known form is text.
    pub fn read(line: &'a str) -> Self {
        let plain = Self { time: None, level: None, text: line.trim() };
        let Some((prefix, text)) = line.split_once('|') else { return plain };
        let mut words = prefix.split_whitespace();
        let (time, level, more) = (words.next(), words.next(), words.next());
        match time {
            None => Self { text: text.trim(), ..plain },
            Some(time) if is_time(time) && more.is_none() => Self {
                time: Some(time),
                level: level.and_then(|level| level.parse().ok()),
                text: text.trim(),
            },
            Some(_) => plain,
        }
    }

    /// Whether the line is a warning, an error, or the heading of something that failed.
    pub fn is_problem(&self) -> bool {
        self.level.map_or_else(|| self.is_failed_heading(), Level::is_problem)
    }

    fn is_failed_heading(&self) -> bool {
        let heading = self.text.trim_start_matches('=').trim_start();
        let status = heading.split_once(':').map(|(status, _)| status);
        self.time.is_none() && matches!(status, Some("Failed" | "Timed out" | "TimedOut"))
    }
}

impl Level {
    /// Every level, in the order of Octopus.
    pub const ALL: [Self; 14] = [
        Self::Trace,
        Self::Verbose,
        Self::Info,
        Self::Wait,
        Self::Highlight,
        Self::Gap,
        Self::Alert,
        Self::Warning,
        Self::Error,
        Self::Fatal,
        Self::Planned,
        Self::Updated,
        Self::Finished,
        Self::Abandoned,
    ];

    /// The name that Octopus gives the level.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "Trace",
            Self::Verbose => "Verbose",
            Self::Info => "Info",
            Self::Wait => "Wait",
            Self::Highlight => "Highlight",
            Self::Gap => "Gap",
            Self::Alert => "Alert",
            Self::Warning => "Warning",
            Self::Error => "Error",
            Self::Fatal => "Fatal",
            Self::Planned => "Planned",
            Self::Updated => "Updated",
            Self::Finished => "Finished",
            Self::Abandoned => "Abandoned",
        }
    }

    /// Whether an entry of this level reports something that is wrong.
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Alert | Self::Warning | Self::Error | Self::Fatal)
    }
}

/// A level that Octopus is not known to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        let same_name = |level: &Self| level.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(same_name).ok_or(UnknownLevel)
    }
}

/// Whether a word is a time of day, with or without its date, fraction and zone.
fn is_time(word: &str) -> bool {
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

    use super::*;

    const BLANK: &str = "                    ";

    #[test]
    fn lines_of_a_log() {
        use Level::{Error, Fatal, Info, Verbose, Warning};
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
            let read = LogLine::read(&line);
            assert_eq!(read, LogLine { time, level, text: "All packages" }, "{line:?}");
            assert_eq!(read.is_problem(), problem, "{line:?}");
        }
    }

    #[test]
    fn headings() {
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
            let read = LogLine::read(&line);
            assert_eq!(read, LogLine { time: None, level: None, text }, "{line:?}");
            assert_eq!(read.is_problem(), problem, "{line:?}");
        }
    }

    #[test]
    fn the_name_of_a_level_is_its_serialised_form() {
        for level in Level::ALL {
            assert_eq!(level.name(), format!("{level:?}"));
            assert_eq!(level.name().to_uppercase().parse(), Ok(level));
        }
        assert_eq!("Loud".parse::<Level>(), Err(UnknownLevel));
    }

    proptest! {
        #[test]
        fn any_line_can_be_read(line in prop_oneof![any::<String>(), "[0-9: T|=A-Za-zä]{0,40}"]) {
            let read = LogLine::read(&line);
            prop_assert!(line.contains(read.text));
            let _ = read.is_problem();
        }
    }
}
