//! Replacing secrets in text by a word for what stood there.
//!
//! `rules` is the table, `candidate` and `value` tell what is ordinary text after all, and here is
//! the machine: one pass over the text tells which rules have anything to look for, those look,
//! and what they found is replaced. `********`, which Octopus writes in place of a sensitive
//! value, is not a value and stays.
//!
//! The time is linear in the text, whatever the text. A pattern is made ready when one of its
//! hints is met for the first time.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{LazyLock, OnceLock},
};

use regex::{Regex, RegexSet};

mod candidate;
#[cfg(test)]
mod corpus;
mod rules;
mod value;

use candidate::Candidate;
use rules::Rule;

/// Text without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text, with `[redacted:kind]` in place of every secret; borrowed where there was none.
    pub text: Cow<'a, str>,
    /// How many secrets of each kind were replaced.
    pub counts: BTreeMap<&'static str, usize>,
}

impl Redacted<'_> {
    /// How many secrets were replaced.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

/// Replaces every secret in `text` by `[redacted:kind]`.
pub fn redact(text: &str) -> Redacted<'_> {
    redact_after(text, 0, &[])
}

/// The same for what stands in `text` from `start` on: what stands before is read and left out.
/// `keys` are parts of private keys that are known from elsewhere.
pub(super) fn redact_after<'t>(text: &'t str, start: usize, keys: &[Range<usize>]) -> Redacted<'t> {
    let mut text = Cow::Borrowed(text);
    let mut counts = BTreeMap::new();
    let known =
        |at: &Range<usize>| Secret { at: at.clone(), rule: usize::MAX, kind: "private-key" };
    let mut known: Vec<Secret> = keys.iter().map(known).collect();
    for _ in 0..MOST_PASSES {
        let mut found = find(&text);
        found.append(&mut known);
        found.retain(|secret| secret.at.end > start);
        for secret in &mut found {
            secret.at.start = secret.at.start.max(start);
        }
        let found = merged(found);
        if found.is_empty() {
            break;
        }
        text = Cow::Owned(replace(&text, &found));
        for secret in found {
            *counts.entry(secret.kind).or_default() += 1;
        }
    }
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..).unwrap_or_default()),
        Cow::Owned(text) if start == 0 => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.get(start..).unwrap_or_default().to_owned()),
    };
    Redacted { text, counts }
}

/// Whether what stands at the end of `text` makes a secret of what comes on the next line: how many
/// line ends stand after the beginning of that name.
pub(super) fn goes_on(text: &str) -> Option<usize> {
    hint(text.as_bytes())?;
    let names = GOES_ON.iter().filter_map(|names| names.find(text));
    let line_ends = |start: usize| text.get(start..).unwrap_or_default().matches('\n').count();
    names.map(|name| line_ends(name.start())).max()
}

/// Each is looked for from the end, so most are seen not to be there at once. One that were bad
/// would be left out; a test rules that out.
static GOES_ON: LazyLock<Vec<Regex>> =
    LazyLock::new(|| rules::GOES_ON.iter().filter_map(|names| Regex::new(names).ok()).collect());

/// Where the first hint of a secret stands; `None` where no rule has anything to look for.
pub(super) fn hint(text: &[u8]) -> Option<usize> {
    match HINT.as_ref() {
        Some(hint) => hint.find(text).map(|found| found.start()),
        None => (!text.is_empty()).then_some(0),
    }
}

/// The hints of all rules in one. `None` would mean that everything is one.
static HINT: LazyLock<Option<regex::bytes::Regex>> = LazyLock::new(|| {
    let hints: BTreeSet<&str> = rules::all().flat_map(|rule| rule.hints).copied().collect();
    let hints: Vec<_> = hints.into_iter().map(regex::escape).collect();
    regex::bytes::Regex::new(&format!("(?i-u:{})", hints.join("|"))).ok()
});

/// Whether a name has a word in it that names of secrets have.
pub(super) fn may_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "key", "secret", "token", "credential", "auth"]
        .iter()
        .any(|it| name.contains(it))
}

/// A replaced secret can uncover another beside it, so passes go on until one finds nothing. Two
/// are usual; the limit keeps the time linear whatever the text.
const MOST_PASSES: usize = 8;

/// What stands at the beginning of every replacement.
pub(super) const REPLACEMENT: &str = "[redacted:";

struct Secret {
    at: Range<usize>,
    /// The place of the rule in the table: the earlier of two that overlap gives its name.
    rule: usize,
    kind: &'static str,
}

struct Table {
    /// Which rules have a hint in the text. `None` would mean that all have to look.
    hints: Option<RegexSet>,
    rules: Vec<(&'static Rule, OnceLock<Option<Regex>>)>,
}

/// A rule whose pattern were bad would be left out; a test rules that out.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rules: Vec<_> = rules::all().map(|rule| (rule, OnceLock::new())).collect();
    let hints = rules.iter().map(|(rule, _)| {
        let hints: Vec<_> = rule.hints.iter().map(|hint| regex::escape(hint)).collect();
        format!("(?i-u:{})", hints.join("|"))
    });
    Table { hints: RegexSet::new(hints).ok(), rules }
});

/// The secrets in `text`, as each rule finds them.
fn find(text: &str) -> Vec<Secret> {
    let Table { hints, rules } = &*TABLE;
    let hinted = hints.as_ref().map(|hints| hints.matches(text));
    let mut found = Vec::new();
    for (place, (rule, regex)) in rules.iter().enumerate() {
        if hinted.as_ref().is_some_and(|hinted| !hinted.matched(place)) {
            continue;
        }
        let Some(regex) = regex.get_or_init(|| Regex::new(rule.pattern).ok()) else { continue };
        for captures in regex.captures_iter(text) {
            let whole = captures.get_match().range();
            // The groups of a pattern are its secrets; without a group all of it is the secret.
            let groups = usize::from(captures.len() > 1)..captures.len();
            for secret in groups.filter_map(|group| captures.get(group)) {
                let at = value::trimmed(text, secret.range());
                if let Some(candidate) = Candidate::read(text, &whole, &at)
                    && !value::is_stand_in(candidate.value)
                    && (rule.accept)(&candidate)
                {
                    found.push(Secret { at, rule: place, kind: rule.kind });
                }
            }
        }
    }
    found
}

/// Secrets in order and without overlap.
fn merged(mut found: Vec<Secret>) -> Vec<Secret> {
    found.sort_by_key(|secret| (secret.at.start, secret.rule));
    let mut apart: Vec<Secret> = Vec::with_capacity(found.len());
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.at.start < last.at.end => {
                last.at.end = last.at.end.max(secret.at.end);
                if secret.rule < last.rule {
                    (last.rule, last.kind) = (secret.rule, secret.kind);
                }
            }
            _ => apart.push(secret),
        }
    }
    apart
}

fn replace(text: &str, found: &[Secret]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut done = 0;
    for Secret { at, kind, .. } in found {
        left.push_str(text.get(done..at.start).unwrap_or_default());
        left.push_str(REPLACEMENT);
        left.push_str(kind);
        left.push(']');
        done = at.end;
    }
    left.push_str(text.get(done..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_is_bad_and_every_rule_has_a_hint() {
        for rule in rules::all() {
            assert!(Regex::new(rule.pattern).is_ok(), "{}: {:?}", rule.kind, rule.pattern);
            assert!(!rule.hints.is_empty(), "{}", rule.kind);
        }
        assert_eq!(TABLE.rules.len(), rules::all().count());
        assert!(TABLE.hints.is_some() && HINT.is_some());
        assert_eq!(GOES_ON.len(), rules::GOES_ON.len());
    }

    #[test]
    fn the_time_is_linear_in_commands_with_short_flags() {
        let time = |times: usize| {
            let text = "curl login -p ab ".repeat(times);
            let once = || {
                let started = std::time::Instant::now();
                std::hint::black_box(redact(&text));
                started.elapsed()
            };
            (0..3).map(|_| once()).min().unwrap_or_default()
        };
        let (short, long) = (time(100), time(1_600));
        assert!(long < short * 64, "16 times as much takes {long:?}, not {short:?}");
    }

    #[test]
    fn secrets_are_counted_by_kind() {
        let text = "API-FAKEFAKEFAKEFAKEFAKE1 password: hunter2 API-FAKEFAKEFAKEFAKEFAKE2";
        let redacted = redact(text);
        assert_eq!(
            redacted.text,
            "[redacted:octopus-api-key] password: [redacted:password] [redacted:octopus-api-key]"
        );
        assert_eq!(redacted.counts, BTreeMap::from([("octopus-api-key", 2), ("password", 1)]));
        assert_eq!(redacted.total(), 3);
    }

    #[test]
    fn of_two_that_overlap_the_more_particular_gives_the_name() {
        let redacted = redact("password: API-FAKEFAKEFAKEFAKEFAKE1");
        assert_eq!(redacted.text, "password: [redacted:octopus-api-key]");
    }

    #[test]
    fn the_mask_of_octopus_stays() {
        for text in [
            "Server=db;User Id=app;Password=********",
            "Password=********;Database=orders",
            "password: ********, user: x",
            "{\"apiKey\": \"********\"}",
            "https://deploy:********@git.example/repo.git",
            "Authorization: Bearer ********",
            "--password ********",
            "?sv=2024&sig=********&se=1",
            "[redacted:password] was shown as password: [redacted:octopus-api-key]",
        ] {
            assert!(matches!(redact(text).text, Cow::Borrowed(_)), "{text}");
        }
    }
}
