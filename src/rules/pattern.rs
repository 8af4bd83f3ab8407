//! Name patterns.

use regex::{Regex, RegexBuilder};

use crate::config::List;

/// The result of a comparison with possibly unknown values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unknown,
}

impl Answer {
    pub(super) fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }

    /// Returns the disjunction in three-valued logic.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }
}

/// A list of patterns. `*` matches any characters; a pattern with the prefix `!` excludes names.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    wanted: Vec<Regex>,
    unwanted: Vec<Regex>,
}

impl Patterns {
    pub(super) fn of(list: &List) -> Result<Self, String> {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for pattern in &list.0 {
            match pattern.strip_prefix('!') {
                Some(pattern) => unwanted.push(compiled(pattern.trim())?),
                None => wanted.push(compiled(pattern)?),
            }
        }
        if wanted.is_empty() && !unwanted.is_empty() {
            wanted.push(compiled("*")?);
        }
        Ok(Self { wanted, unwanted })
    }

    /// Returns whether one of these names matches. `complete`: whether the resource has no other
    /// names.
    #[expect(clippy::needless_pass_by_value, reason = "the iterator is cloned to be read twice")]
    pub(super) fn mean<'a>(
        &self,
        words: impl Iterator<Item = &'a str> + Clone,
        complete: bool,
    ) -> Answer {
        let any_match = |patterns: &[Regex]| {
            words.clone().any(|word| patterns.iter().any(|pattern| pattern.is_match(word)))
        };
        match (any_match(&self.wanted), any_match(&self.unwanted), complete) {
            (_, true, _) | (false, false, true) => Answer::No,
            (true, false, true) => Answer::Yes,
            (true, false, false) if self.unwanted.is_empty() => Answer::Yes,
            (_, false, false) => Answer::Unknown,
        }
    }

    /// Returns whether the list matches nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Returns whether a resource with all of these values matches: at least one value is included
    /// and none is excluded.
    pub(super) fn mean_any<'a>(&self, words: impl IntoIterator<Item = &'a String>) -> Answer {
        let mut words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        if words.is_empty() {
            // A resource without values matches a list that only excludes.
            words.push("");
        }
        self.mean(words.into_iter(), true)
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    let whole = format!("^{}$", parts.join(".*"));
    let built = RegexBuilder::new(&whole).case_insensitive(true).dot_matches_new_line(true).build();
    built.map_err(|_| format!("the pattern `{pattern}` is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> Patterns {
        Patterns::of(&List(list.iter().map(|word| (*word).to_owned()).collect())).unwrap()
    }

    #[test]
    fn patterns_mean_names_in_any_letter_case() {
        for (list, name, answer) in [
            (&["production"][..], "Production", Answer::Yes),
            (&["prod*"], "PRODUCTION EU", Answer::Yes),
            (&["*-prod"], "eu-prod", Answer::Yes),
            (&["*-prod"], "eu-prod-2", Answer::No),
            (&["a.b"], "aXb", Answer::No),
            (&["a*c*e"], "abcde", Answer::Yes),
            (&["*", "!dev*"], "Development", Answer::No),
            (&["!dev*"], "Test", Answer::Yes),
            (&["ÜBUNG"], "Übung", Answer::Yes),
            (&["x"], "x\ny", Answer::No),
        ] {
            let said = patterns(list).mean([name].into_iter(), true);
            assert_eq!(said, answer, "{list:?} {name}");
        }
    }

    #[test]
    fn what_has_names_that_nobody_knows_is_not_told_apart() {
        let id = || ["Environments-3"].into_iter();
        assert_eq!(patterns(&["Production"]).mean(id(), false), Answer::Unknown);
        assert_eq!(patterns(&["environments-3"]).mean(id(), false), Answer::Yes);
        assert_eq!(patterns(&["*", "!Dev"]).mean(id(), false), Answer::Unknown);
        assert_eq!(patterns(&["*", "!environments-3"]).mean(id(), false), Answer::No);
    }
}
