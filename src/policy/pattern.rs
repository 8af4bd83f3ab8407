//! Name patterns.

use regex::{Regex, RegexBuilder};

use crate::config::ListSetting;

/// The result of a comparison with possibly unknown values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TriState {
    Yes,
    No,
    Unknown,
}

impl TriState {
    pub(super) fn from_bool(is: bool) -> Self {
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
    included: Vec<Regex>,
    excluded: Vec<Regex>,
}

impl Patterns {
    pub(super) fn compile(list: &ListSetting) -> Result<Self, String> {
        let (mut included, mut excluded) = (Vec::new(), Vec::new());
        for pattern in &list.0 {
            match pattern.strip_prefix('!') {
                Some(pattern) => excluded.push(compile_pattern(pattern.trim())?),
                None => included.push(compile_pattern(pattern)?),
            }
        }
        if included.is_empty() && !excluded.is_empty() {
            included.push(compile_pattern("*")?);
        }
        Ok(Self { included, excluded })
    }

    /// Returns whether one of these names matches. `complete`: whether these are all names of the
    /// resource.
    #[expect(clippy::needless_pass_by_value, reason = "the iterator is cloned to be read twice")]
    pub(super) fn matches<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
        complete: bool,
    ) -> TriState {
        let any_match = |patterns: &[Regex]| {
            names.clone().any(|name| patterns.iter().any(|pattern| pattern.is_match(name)))
        };
        match (any_match(&self.included), any_match(&self.excluded), complete) {
            (_, true, _) | (false, false, true) => TriState::No,
            (true, false, true) => TriState::Yes,
            (true, false, false) if self.excluded.is_empty() => TriState::Yes,
            (_, false, false) => TriState::Unknown,
        }
    }

    /// Returns whether the list matches nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.included.is_empty()
    }

    /// Returns whether a resource with all of these values matches: at least one value is included
    /// and none is excluded.
    pub(super) fn matches_any<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> TriState {
        let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        if names.is_empty() {
            // A resource without values matches a list that only excludes.
            names.push("");
        }
        self.matches(names.into_iter(), true)
    }
}

fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    let whole = format!("^{}$", parts.join(".*"));
    let compiled =
        RegexBuilder::new(&whole).case_insensitive(true).dot_matches_new_line(true).build();
    compiled.map_err(|_| {
        format!("the pattern `{pattern}` is too long; shorten it or split it into several patterns")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> Patterns {
        Patterns::compile(&ListSetting(list.iter().map(|name| (*name).to_owned()).collect()))
            .unwrap()
    }

    #[test]
    fn patterns_match_case_insensitively() {
        for (list, name, expected) in [
            (&["production"][..], "Production", TriState::Yes),
            (&["prod*"], "PRODUCTION EU", TriState::Yes),
            (&["*-prod"], "eu-prod", TriState::Yes),
            (&["*-prod"], "eu-prod-2", TriState::No),
            (&["a.b"], "aXb", TriState::No),
            (&["a*c*e"], "abcde", TriState::Yes),
            (&["*", "!dev*"], "Development", TriState::No),
            (&["!dev*"], "Test", TriState::Yes),
            (&["ÜBUNG"], "Übung", TriState::Yes),
            (&["x"], "x\ny", TriState::No),
        ] {
            let result = patterns(list).matches([name].into_iter(), true);
            assert_eq!(result, expected, "{list:?} {name}");
        }
    }

    #[test]
    fn name_pattern_is_undetermined_without_the_name() {
        let id = || ["Environments-3"].into_iter();
        assert_eq!(patterns(&["Production"]).matches(id(), false), TriState::Unknown);
        assert_eq!(patterns(&["environments-3"]).matches(id(), false), TriState::Yes);
        assert_eq!(patterns(&["*", "!Dev"]).matches(id(), false), TriState::Unknown);
        assert_eq!(patterns(&["*", "!environments-3"]).matches(id(), false), TriState::No);
    }
}
