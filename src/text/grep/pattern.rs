//! What is looked for, checked before anything is read.

use regex::bytes::{Regex, RegexBuilder};

/// A pattern that is good.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// Whether it can tell a line alone from a line among others.
    tells_lines_apart: bool,
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
/// How many bytes a pattern may take when it is ready for use. It bounds the time for each byte
/// of a text.
const LARGEST: usize = 1024 * 1024;

impl Pattern {
    /// Reads a regular expression, or a text that stands for itself.
    pub fn new(text: &str, ignore_case: bool, fixed: bool) -> Result<Self, BadPattern> {
        let length = text.chars().count();
        match length {
            0 => return Err(BadPattern::Empty),
            LONGEST.. if length > LONGEST => return Err(BadPattern::TooLong(length)),
            _ if text.contains('\n') => return Err(BadPattern::LineBreak),
            _ => {}
        }
        let build = |text: &str| {
            RegexBuilder::new(text)
                .case_insensitive(ignore_case)
                .multi_line(true)
                .crlf(true)
                .size_limit(LARGEST)
                .dfa_size_limit(2 * LARGEST)
                .build()
        };
        let regex = if fixed {
            build(&regex::escape(text))
        } else {
            build(text).or_else(|error| match error {
                regex::Error::Syntax(_) => build(&with_plain_braces(text)).map_err(|_| error),
                error => Err(error),
            })
        };
        match regex {
            Ok(regex) => Ok(Self { regex, tells_lines_apart: !fixed && tells_lines_apart(text) }),
            Err(regex::Error::CompiledTooBig(_)) => Err(BadPattern::TooLarge),
            Err(error) => Err(BadPattern::Syntax(reason(&error.to_string()))),
        }
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

/// Whether a pattern knows where a text begins and ends, and not only where its lines do, or
/// switches off that `^` and `$` do. That one is told to by mistake costs time only.
fn tells_lines_apart(pattern: &str) -> bool {
    let mut flags = pattern.split('?').skip(1);
    pattern.contains("\\A")
        || pattern.contains("\\z")
        || flags.any(|rest| rest.trim_start_matches(char::is_alphabetic).starts_with('-'))
}

/// The pattern with each `{` that begins no repetition standing for itself, as in JavaScript:
/// paths such as `/projects/{id}` and variables such as `#{Name}` are what people search for.
fn with_plain_braces(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len() + 8);
    for (place, letter) in pattern.char_indices() {
        let (before, rest) = pattern.split_at(place);
        if letter == '{' && !is_escaped(before) && !begins_repetition(rest) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// Whether a brace after this is taken already: `\{`, or the beginning of `\p{`, `\x{` and such.
fn is_escaped(before: &str) -> bool {
    let odd = |text: &str| text.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
    odd(before) || before.strip_suffix(['p', 'P', 'x', 'u', 'U', 'b']).is_some_and(odd)
}

fn begins_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.trim_start_matches('{').split_once('}') else { return false };
    inside.starts_with(|c: char| c.is_ascii_digit())
        && inside.chars().all(|c| c.is_ascii_digit() || c == ',')
}

/// What the engine says, without its drawing of where.
fn reason(message: &str) -> String {
    let reason = message.rsplit_once("error: ").map_or(message, |(_, reason)| reason);
    reason.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<Pattern, BadPattern> {
        Pattern::new(text, false, false)
    }

    #[test]
    fn what_cannot_be_used_says_what_to_do() {
        for (text, words) in [
            ("", "empty"),
            ("a\nb", "line break"),
            (&"x".repeat(1001), "1001 characters"),
            ("(?=x)", "look-ahead"),
            ("(?<!a)b", "look-around"),
            (r"(a)\1", "backreferences are not supported"),
            ("(a", "unclosed group"),
            ("*", "fixedString"),
            (r"(?:\w{100}\s){100}", "too large"),
        ] {
            let said = pattern(text).unwrap_err().to_string();
            assert!(said.contains(words), "{text}: {said}");
            assert!(!said.contains('\n'), "{said}");
        }
        for text in ["*", "(a", "#{x}", r"\1", "(?=x)"] {
            let fixed = Pattern::new(text, false, true).unwrap();
            assert!(fixed.is_in(text.as_bytes()) && !fixed.is_in(b"nothing"), "{text}");
        }
    }

    #[test]
    fn what_people_write_can_be_used() {
        for (text, line) in [
            (r"\w{1,20} failed with exit code \d{1,3}", "it failed with exit code 17"),
            ("/projects/{id}/{x,y}", "GET /projects/{id}/{x,y}"),
            ("#{Octopus.Environment.Name}", "x #{Octopus.Environment.Name} y"),
            (r"\{a\}", "{a}"),
            ("[{]a", "{a"),
            (r"\p{Lu}\x{62}{2}{c", "Äbb{c"),
            (r"a{2}{x}", "aa{x}"),
            (r"https?:\/\/", "http://"),
            ("(?i)É", "é"),
        ] {
            assert!(pattern(text).unwrap().is_in(line.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_in_a_line_is_in_the_lines_together() {
        let lines = b"first\r\n\nthe second line\nthird";
        for text in [
            "^first$",
            "^$",
            r"\Athe",
            r"line\z",
            "(?-m)^the",
            "(?s-m:line$)",
            "(?x: (?-m) ^third)",
        ] {
            let pattern = pattern(text).unwrap();
            let alone = lines
                .split(|byte| *byte == b'\n')
                .any(|line| pattern.is_in(line.strip_suffix(b"\r").unwrap_or(line)));
            assert!(alone && pattern.may_be_in(lines), "{text}");
        }
        assert!(!pattern("^second").unwrap().may_be_in(lines));
    }
}
