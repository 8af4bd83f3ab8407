//! Search patterns: validation, size limits and compilation.

use std::{convert::Infallible, ops::RangeInclusive};

use regex_automata::{
    meta::{Builder, Config, Regex},
    nfa::thompson::{self, WhichCaptures},
    util::syntax,
};

mod braces;

use braces::escape_literal_braces;

/// A valid compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// Whether the pattern depends on the start or end of the text, so that lines must be searched
    /// one by one.
    needs_single_lines: bool,
    /// Number of states of the automaton, equal to the maximum number of steps for one byte of
    /// text.
    states: usize,
    /// Whether classes such as `\w` match ASCII only.
    is_ascii: bool,
}

/// Error for an invalid pattern. The message contains the problem and the correction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// The pattern is empty.
    #[error("the pattern is empty; use e.g. `.` to find every line that is not empty")]
    Empty,
    /// The pattern has more characters than allowed.
    #[error("the pattern has {0} characters (max {MAX_PATTERN_CHARS}); search for a part of it")]
    TooLong(usize),
    /// The pattern contains a line break, but lines are searched one by one.
    #[error(
        "the pattern contains a line break, but lines are searched one by one; search for one line"
    )]
    LineBreak,
    /// The pattern is not a valid regular expression. The engine has no look-around and no
    /// back-references, because with them a search can take exponential time.
    #[error(
        "{0}; look-around and back-references are not supported; correct the pattern, or set \
         fixedString to search for it as literal text"
    )]
    Syntax(String),
    /// The compiled pattern would need too much memory and time.
    #[error(
        "the pattern is too large after its repetitions are expanded; use smaller repetitions, \
         `[a-z]` instead of `\\w`, or set fixedString"
    )]
    TooLarge,
}

/// Maximum number of characters of a pattern.
const MAX_PATTERN_CHARS: usize = 1_000;
/// Maximum size of the automaton during compilation, in bytes. The limit allows about 1,800 states.
/// A letter needs one state, `\w` about 300, and a repetition its content times its count.
const MAX_AUTOMATON_BYTES: usize = 128 * 1024;
/// Cache size of one search, in bytes. A search with a smaller cache is slower, but needs at most
/// as many steps per byte as the automaton has states.
const SEARCH_CACHE_BYTES: usize = 512 * 1024;
/// Maximum number of steps of one call of the regex engine: about 50 ms, at 5 ns to 8 ns a step.
/// The engine cannot be interrupted, so this limits the bytes of one call.
const MAX_STEPS_PER_CALL: usize = 8_000_000;
/// Bounds for the number of bytes in one call of the regex engine.
const CALL_BYTES: RangeInclusive<usize> = 2 * 1024..=256 * 1024;

/// Reason why a pattern does not compile.
enum BuildError {
    Syntax(String),
    TooLarge,
}

impl Pattern {
    /// Compiles a regular expression, or with `fixed` a literal text.
    ///
    /// The classes `\w`, `\d`, `\s` and `\b` match all letters and digits of Unicode. If that makes
    /// the pattern too large, they match ASCII only ([`Pattern::is_ascii`]).
    ///
    /// # Errors
    /// Returns [`BadPattern`] for an empty, too long, too large or malformed pattern.
    pub fn new(text: &str, ignore_case: bool, fixed: bool) -> Result<Self, BadPattern> {
        match Self::compile(text, ignore_case, fixed, || Ok::<_, Infallible>(())) {
            Ok(pattern) => pattern,
            Err(never) => match never {},
        }
    }

    /// Does the same as [`Pattern::new`], and calls `check` before each of the at most four builds.
    ///
    /// # Errors
    /// Returns the error of `check`, which stops the compilation.
    pub fn compile<E>(
        text: &str,
        ignore_case: bool,
        fixed: bool,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Result<Self, BadPattern>, E> {
        let length = text.chars().count();
        match length {
            0 => return Ok(Err(BadPattern::Empty)),
            MAX_PATTERN_CHARS.. if length > MAX_PATTERN_CHARS => {
                return Ok(Err(BadPattern::TooLong(length)));
            }
            _ if text.contains('\n') => return Ok(Err(BadPattern::LineBreak)),
            _ => {}
        }
        let tells_lines_apart = !fixed && needs_single_lines(text);
        let mut attempt = |text: &str| {
            check()?;
            let built = build(text, ignore_case, true).map(|built| (built, false));
            if !matches!(built, Err(BuildError::TooLarge)) {
                return Ok(built);
            }
            check()?;
            let ascii = build(text, ignore_case, false).map(|built| (built, true));
            Ok(ascii.map_err(|_| BuildError::TooLarge))
        };
        let built = if fixed {
            attempt(&regex::escape(text))?
        } else {
            match attempt(text)? {
                Err(BuildError::Syntax(message)) => {
                    let plain = attempt(&escape_literal_braces(text))?;
                    plain.map_err(|_| BuildError::Syntax(message))
                }
                built => built,
            }
        };
        Ok(match built {
            Ok(((regex, states), is_ascii)) => {
                Ok(Self { regex, needs_single_lines: tells_lines_apart, states, is_ascii })
            }
            Err(BuildError::TooLarge) => Err(BadPattern::TooLarge),
            Err(BuildError::Syntax(message)) => Err(BadPattern::Syntax(parser_message(&message))),
        })
    }

    /// Returns the maximum number of bytes for one call of the regex engine. Longer lines are
    /// searched up to this length.
    pub(super) fn max_bytes_per_call(&self) -> usize {
        (MAX_STEPS_PER_CALL / self.states.max(1)).clamp(*CALL_BYTES.start(), *CALL_BYTES.end())
    }

    /// Returns whether `\w`, `\d`, `\s` and `\b` match ASCII only, because the pattern would be too
    /// large with all letters and digits of Unicode.
    pub fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Returns whether the pattern matches in a single line, without its line end.
    pub(super) fn is_match(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }

    /// Returns the position of the first match in a line.
    pub(super) fn find(&self, line: &[u8]) -> Option<usize> {
        self.regex.find(line).map(|found| found.start())
    }

    /// Returns whether the pattern may match in one of these whole lines.
    ///
    /// `false` is certain: `^` and `$` match at line ends, so a match in a single line is also a
    /// match in all lines together. `true` is not certain, because a match may span lines.
    pub(super) fn may_match_any(&self, lines: &[u8]) -> bool {
        self.needs_single_lines || self.regex.is_match(lines)
    }
}

/// Compiles a pattern and counts the states of its automaton.
fn build(text: &str, ignore_case: bool, unicode: bool) -> Result<(Regex, usize), BuildError> {
    let syntax = syntax::Config::new()
        .case_insensitive(ignore_case)
        .unicode(unicode)
        .multi_line(true)
        .crlf(true)
        .utf8(false);
    let parsed = syntax::parse_with(text, &syntax);
    let parsed = parsed.map_err(|error| BuildError::Syntax(error.to_string()))?;
    let counted = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::Implicit)
        .nfa_size_limit(Some(MAX_AUTOMATON_BYTES));
    let counted = thompson::Compiler::new().configure(counted).build_from_hir(&parsed);
    let states = counted.map_err(|_| BuildError::TooLarge)?.states().len();
    let config = Config::new()
        .utf8_empty(false)
        .which_captures(WhichCaptures::Implicit)
        .nfa_size_limit(Some(MAX_AUTOMATON_BYTES))
        .onepass_size_limit(Some(MAX_AUTOMATON_BYTES))
        .hybrid_cache_capacity(SEARCH_CACHE_BYTES);
    let regex = Builder::new().configure(config).build_from_hir(&parsed);
    Ok((regex.map_err(|_| BuildError::TooLarge)?, states))
}

/// Returns whether a pattern uses `\A` or `\z`, or switches a flag off. Its matches in a single
/// line and in all lines together can then differ. A false positive costs only time.
fn needs_single_lines(pattern: &str) -> bool {
    let mut flags = pattern.split('?').skip(1);
    pattern.contains("\\A")
        || pattern.contains("\\z")
        || flags.any(|rest| rest.trim_start_matches(char::is_alphabetic).starts_with('-'))
}

/// Returns the message of the regex parser without its drawing of the position.
fn parser_message(message: &str) -> String {
    let reason = message.rsplit_once("error: ").map_or(message, |(_, reason)| reason);
    reason.trim().to_owned()
}

#[cfg(test)]
mod tests;
