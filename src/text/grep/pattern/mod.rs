//! What is looked for, checked before anything is read.

use std::{convert::Infallible, ops::RangeInclusive};

use regex_automata::{
    meta::{Builder, Config, Regex},
    nfa::thompson::{self, WhichCaptures},
    util::syntax,
};

use super::braces::with_plain_braces;

/// A pattern that is good.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// Whether it can tell a line alone from a line among others.
    tells_lines_apart: bool,
    /// Number of states of its automaton: the most steps that one byte of a text can take.
    states: usize,
    /// Whether its classes such as `\w` match ASCII alone.
    is_ascii: bool,
}

/// Why a pattern cannot be used, and what can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// Nothing to look for.
    #[error("it is empty; say what to look for, `.` for every line that is not empty")]
    Empty,
    /// Longer than any that makes sense.
    #[error("it has {0} characters, and {LONGEST} is the most; search for a part of it")]
    TooLong(usize),
    /// No line has a line break in it.
    #[error("it has a line break in it, and each line is searched alone; search for one line")]
    LineBreak,
    /// It does not read.
    #[error(
        "{0}; patterns here have no look-around and no back-references, so that none can hang; \
         correct it, or set fixedString to search for the text as it stands"
    )]
    Syntax(String),
    /// It would take too much memory and time.
    #[error(
        "it is too large once its repetitions are counted out; use smaller ones, `[a-z]` rather \
         than `\\w`, or set fixedString"
    )]
    TooLarge,
}

/// How many characters a pattern may have.
const LONGEST: usize = 1_000;
/// Size of the largest automaton while it is compiled, in bytes. It allows about 1,800 states: a
/// letter of a word is one state, `\w` about 300, and a repetition is its content times its count.
const LARGEST: usize = 128 * 1024;
/// Size of the cache for one search, in bytes. Without one that is large enough, a search is slower
/// and takes at most as many steps as the automaton has states for each byte.
const CACHE: usize = 512 * 1024;
/// Number of steps that one call of the engine may take: about 50 ms, at 5 ns to 8 ns a step. The
/// engine cannot be interrupted, so this bounds the bytes of one call.
const MOST_STEPS: usize = 8_000_000;
/// Bounds of the bytes that one call of the engine gets.
const SPAN: RangeInclusive<usize> = 2 * 1024..=256 * 1024;

/// Why the engine does not take a pattern.
enum NotBuilt {
    Syntax(String),
    TooLarge,
}

impl Pattern {
    /// Reads a regular expression, or a text that stands for itself.
    ///
    /// The classes `\w`, `\d`, `\s` and `\b` know all letters and digits of Unicode. Where that
    /// makes the pattern too large, they match ASCII alone ([`Pattern::is_ascii`]).
    pub fn new(text: &str, ignore_case: bool, fixed: bool) -> Result<Self, BadPattern> {
        match Self::compile(text, ignore_case, fixed, || Ok::<_, Infallible>(())) {
            Ok(pattern) => pattern,
            Err(never) => match never {},
        }
    }

    /// Does the same as [`Pattern::new`], and calls `check` before each of the at most four times that
    /// the pattern is built.
    ///
    /// # Errors
    /// Returns the error of `check`, which ends the work.
    pub fn compile<E>(
        text: &str,
        ignore_case: bool,
        fixed: bool,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Result<Self, BadPattern>, E> {
        let length = text.chars().count();
        match length {
            0 => return Ok(Err(BadPattern::Empty)),
            LONGEST.. if length > LONGEST => return Ok(Err(BadPattern::TooLong(length))),
            _ if text.contains('\n') => return Ok(Err(BadPattern::LineBreak)),
            _ => {}
        }
        let tells_lines_apart = !fixed && tells_lines_apart(text);
        let mut attempt = |text: &str| {
            check()?;
            let built = build(text, ignore_case, true).map(|built| (built, false));
            if !matches!(built, Err(NotBuilt::TooLarge)) {
                return Ok(built);
            }
            check()?;
            let ascii = build(text, ignore_case, false).map(|built| (built, true));
            Ok(ascii.map_err(|_| NotBuilt::TooLarge))
        };
        let built = if fixed {
            attempt(&regex::escape(text))?
        } else {
            match attempt(text)? {
                Err(NotBuilt::Syntax(message)) => {
                    let plain = attempt(&with_plain_braces(text))?;
                    plain.map_err(|_| NotBuilt::Syntax(message))
                }
                built => built,
            }
        };
        Ok(match built {
            Ok(((regex, states), is_ascii)) => {
                Ok(Self { regex, tells_lines_apart, states, is_ascii })
            }
            Err(NotBuilt::TooLarge) => Err(BadPattern::TooLarge),
            Err(NotBuilt::Syntax(message)) => Err(BadPattern::Syntax(reason(&message))),
        })
    }

    /// Returns how many bytes one call of the engine may get. A longer line is searched up to here.
    pub(super) fn span(&self) -> usize {
        (MOST_STEPS / self.states.max(1)).clamp(*SPAN.start(), *SPAN.end())
    }

    /// Returns whether `\w`, `\d`, `\s` and `\b` match ASCII alone, because the pattern would be
    /// too large with all letters and digits of Unicode.
    pub fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Whether it is in this line, which stands alone and without its end.
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }

    /// Where it begins in this line.
    pub(super) fn place(&self, line: &[u8]) -> Option<usize> {
        self.regex.find(line).map(|found| found.start())
    }

    /// Whether it may be in one of these whole lines. `false` is certain: `^` and `$` know the
    /// ends of lines, so what is in a line alone is in the lines together. It can also be found
    /// across them, which is why `true` is not.
    pub(super) fn may_be_in(&self, lines: &[u8]) -> bool {
        self.tells_lines_apart || self.regex.is_match(lines)
    }
}

/// Compiles a pattern, and counts the states of its automaton.
fn build(text: &str, ignore_case: bool, unicode: bool) -> Result<(Regex, usize), NotBuilt> {
    let syntax = syntax::Config::new()
        .case_insensitive(ignore_case)
        .unicode(unicode)
        .multi_line(true)
        .crlf(true)
        .utf8(false);
    let parsed = syntax::parse_with(text, &syntax);
    let parsed = parsed.map_err(|error| NotBuilt::Syntax(error.to_string()))?;
    let counted = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::Implicit)
        .nfa_size_limit(Some(LARGEST));
    let counted = thompson::Compiler::new().configure(counted).build_from_hir(&parsed);
    let states = counted.map_err(|_| NotBuilt::TooLarge)?.states().len();
    let config = Config::new()
        .utf8_empty(false)
        .which_captures(WhichCaptures::Implicit)
        .nfa_size_limit(Some(LARGEST))
        .onepass_size_limit(Some(LARGEST))
        .hybrid_cache_capacity(CACHE);
    let regex = Builder::new().configure(config).build_from_hir(&parsed);
    Ok((regex.map_err(|_| NotBuilt::TooLarge)?, states))
}

/// Whether a pattern knows where a text begins and ends, and not only where its lines do, or
/// switches off that `^` and `$` do. That one is told to by mistake costs time only.
fn tells_lines_apart(pattern: &str) -> bool {
    let mut flags = pattern.split('?').skip(1);
    pattern.contains("\\A")
        || pattern.contains("\\z")
        || flags.any(|rest| rest.trim_start_matches(char::is_alphabetic).starts_with('-'))
}

/// What the engine says, without its drawing of where.
fn reason(message: &str) -> String {
    let reason = message.rsplit_once("error: ").map_or(message, |(_, reason)| reason);
    reason.trim().to_owned()
}

#[cfg(test)]
mod tests;
