//! Corpus of texts with and without secrets, which tests the rules.
//!
//! The lines are in the text files of this folder; every secret in them is made up. A `·` splits
//! those that secret scanners would report. To fix a missed secret or a false positive, add its
//! line.

use std::{borrow::Cow, collections::BTreeSet};

use regex::Regex;

use super::{redact, rules};

mod dice;
mod variants;

use dice::Dice;

/// One sample per line: the kind, a tab, and a text with its one secret between `«` and `»`.
const SECRETS: &str = include_str!("secrets.txt");
/// Templates in the same format, with placeholders in braces.
const SHAPES: &str = include_str!("shapes.txt");
/// Lines that resemble secrets but contain none.
const ORDINARY: &str = include_str!("ordinary.txt");
/// Templates of ordinary output of Octopus, build tools, containers, databases and services.
const EVERYDAY: &str = include_str!("everyday.txt");

/// Number of samples generated from each template.
const OF_EACH: usize = 40;

/// A text with one secret.
struct Sample {
    kind: &'static str,
    before: String,
    secret: String,
    after: String,
}

impl Sample {
    fn of(kind: &'static str, marked: &str) -> Self {
        let (before, rest) = marked.split_once('«').unwrap();
        let (secret, after) = rest.split_once('»').unwrap();
        let [before, secret, after] = [before, secret, after].map(str::to_owned);
        Self { kind, before, secret, after }
    }

    fn with(&self, secret: &str) -> String {
        format!("{}{secret}{}", self.before, self.after)
    }

    fn text(&self) -> String {
        self.with(&self.secret)
    }
}

fn samples(of_each: usize) -> Vec<Sample> {
    let mut dice = Dice(1);
    let rows = SECRETS.lines().map(|line| (line, 1));
    let rows = rows.chain(SHAPES.lines().map(|line| (line, of_each)));
    let mut samples = Vec::new();
    for (line, times) in rows {
        let (kind, shape) = line.split_once('\t').unwrap();
        samples.extend((0..times).map(|_| Sample::of(kind, &dice.fill(shape))));
    }
    samples
}

#[test]
fn every_sample_of_every_kind_is_redacted_whole_and_nothing_else() {
    let samples = samples(OF_EACH);
    assert!(samples.len() > 7_000, "{}", samples.len());
    let wrong: Vec<String> = samples
        .iter()
        .filter_map(|sample| {
            let shown = redact(&sample.text()).text.into_owned();
            let expected = sample.with(&format!("[redacted:{}]", sample.kind));
            (shown != expected).then_some(shown)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), samples.len());
}

#[test]
fn every_rule_has_a_sample() {
    let mut texts: Vec<String> = samples(1).iter().map(Sample::text).collect();
    texts.push(pair());
    for rule in rules::all() {
        let regex = Regex::new(rule.pattern).unwrap();
        let has_sample = texts.iter().any(|text| regex.is_match(text));
        assert!(has_sample || rule.kind == "private-key", "{}: {}", rule.kind, rule.pattern);
    }
}

/// A row of the CSV file that AWS creates for a new access key.
fn pair() -> String {
    Dice(3).fill("deploy,AK·IA{H16},{b40}")
}

#[test]
fn a_secret_key_is_known_by_the_access_key_before_it() {
    assert_eq!(redact(&pair()).text, "deploy,[redacted:aws-access-key],[redacted:aws-secret-key]");
}

#[test]
fn a_secret_is_found_inside_other_text() {
    for sample in samples(1) {
        let text = format!("08:10:02   Info     |       {}\nnext line\n", sample.text());
        let shown = redact(&text).text.into_owned();
        assert!(shown.contains(&format!("[redacted:{}]", sample.kind)), "{shown}");
        assert!(shown.ends_with("\nnext line\n"), "{shown}");
        let escaped = serde_json::json!({ "MessageText": sample.text() }).to_string();
        let shown = redact(&escaped).text.into_owned();
        let secret = serde_json::Value::from(sample.secret.as_str()).to_string();
        assert!(shown.contains("[redacted:"), "{shown}");
        assert!(sample.secret.len() < 6 || !shown.contains(secret.trim_matches('"')), "{shown}");
    }
}

#[test]
fn the_mask_of_octopus_is_never_a_value() {
    for sample in samples(1) {
        let masked = sample.with("********");
        assert!(matches!(redact(&masked).text, Cow::Borrowed(_)), "{masked}");
    }
}

#[test]
fn ten_thousand_ordinary_lines_stay() {
    let mut dice = Dice(7);
    let everyday = EVERYDAY.lines().flat_map(|shape| std::iter::repeat_n(shape, OF_EACH));
    let everyday = everyday.map(|shape| dice.fill(shape)).collect::<Vec<_>>();
    let lines: BTreeSet<String> = ORDINARY.lines().map(str::to_owned).chain(everyday).collect();
    assert!(lines.len() > 10_000, "{}", lines.len());
    let redacted = lines.iter().map(|line| redact(line).text).filter(|shown| {
        // No ordinary line contains the redaction mark itself.
        shown.contains("[redacted:")
    });
    let wrong: Vec<_> = redacted.collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), lines.len());
    let all = lines.into_iter().collect::<Vec<_>>().join("\n");
    assert!(matches!(redact(&all).text, Cow::Borrowed(_)));
}

#[test]
fn private_keys_over_several_lines() {
    let line = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";
    let begin = "-----BEGIN RSA PRIVATE KEY-----";
    let end = "-----END RSA PRIVATE KEY-----";
    let prefix = "08:10:02   Info     |       ";
    let rows = [
        (format!("a\n{begin}\n{line}\n{line}\nRkFLRQ==\n{end}\nb"), "a\n[redacted:private-key]\nb"),
        (
            format!("{prefix}{begin}\n{prefix}{line}\n{prefix}{line}\n{prefix}{end}\nb"),
            "08:10:02   Info     |       [redacted:private-key]\nb",
        ),
        (
            format!(r#"{{"private_key": "{begin}\n{line}\n{line}\n{end}\n", "type": "x"}}"#),
            r#"{"private_key": "[redacted:private-key]", "type": "x"}"#,
        ),
        (
            format!(
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{line}\n=FAKE\n-----END PGP PRIVATE KEY BLOCK-----\nb"
            ),
            "[redacted:private-key]\nb",
        ),
        (
            format!("{begin}\n{line}\n{line}\n\nThen the log was cut."),
            "[redacted:private-key]\n\nThen the log was cut.",
        ),
        (
            format!("{prefix}{begin}\n{prefix}{line}\n{prefix}{line}\nb"),
            "08:10:02   Info     |       [redacted:private-key]\nb",
        ),
        (
            format!(
                "the end of it:\n{prefix}{line}\n{prefix}{line}\n{prefix}RkFLRQ==\n{prefix}{end}\nb"
            ),
            "the end of it:\n08:10:02   Info     |       [redacted:private-key]\nb",
        ),
        (
            format!(r#"\"key\":\"{begin}\\n{line}\\n{line}\\n{end}\\n\""#),
            r#"\"key\":\"[redacted:private-key]\\n\""#,
        ),
        (format!("{begin} is how it starts\nb"), "[redacted:private-key] is how it starts\nb"),
    ];
    for (text, left) in rows {
        assert_eq!(redact(&text).text, left);
    }
}
