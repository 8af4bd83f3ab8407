//! Test corpus of the rules: texts with and without secrets.
//!
//! The lines are in the text files of this folder; every secret in them is fictitious. A `·` splits
//! secrets that secret scanners would report. To fix a missed secret or a false positive, add its
//! line.

use std::{borrow::Cow, collections::BTreeSet};

use regex::Regex;

use super::{redact, rules};

mod generator;
mod variants;

use generator::SampleGenerator;

/// One sample per line: the kind, a tab, and a text with its one secret between `«` and `»`.
const SECRETS: &str = include_str!("secrets.txt");
/// Templates in the same format, with placeholders in braces.
const SECRET_TEMPLATES: &str = include_str!("shapes.txt");
/// Lines that resemble secrets but contain none.
const ORDINARY: &str = include_str!("ordinary.txt");
/// Templates of ordinary output of Octopus, build tools, containers, databases and services.
const ORDINARY_TEMPLATES: &str = include_str!("everyday.txt");

/// Number of samples generated from each template.
const SAMPLES_PER_TEMPLATE: usize = 40;

/// A text with one secret.
struct Sample {
    kind: &'static str,
    before: String,
    secret: String,
    after: String,
}

impl Sample {
    fn parse(kind: &'static str, marked: &str) -> Self {
        let (before, rest) = marked.split_once('«').unwrap();
        let (secret, after) = rest.split_once('»').unwrap();
        let [before, secret, after] = [before, secret, after].map(str::to_owned);
        Self { kind, before, secret, after }
    }

    fn with_secret(&self, secret: &str) -> String {
        format!("{}{secret}{}", self.before, self.after)
    }

    fn text(&self) -> String {
        self.with_secret(&self.secret)
    }
}

fn samples(of_each: usize) -> Vec<Sample> {
    let mut dice = SampleGenerator(1);
    let rows = SECRETS.lines().map(|line| (line, 1));
    let rows = rows.chain(SECRET_TEMPLATES.lines().map(|line| (line, of_each)));
    let mut samples = Vec::new();
    for (line, times) in rows {
        let (kind, shape) = line.split_once('\t').unwrap();
        samples.extend((0..times).map(|_| Sample::parse(kind, &dice.fill(shape))));
    }
    samples
}

#[test]
fn every_sample_is_redacted_exactly() {
    let samples = samples(SAMPLES_PER_TEMPLATE);
    assert!(samples.len() > 7_000, "{}", samples.len());
    let wrong: Vec<String> = samples
        .iter()
        .filter_map(|sample| {
            let shown = redact(&sample.text()).text.into_owned();
            let expected = sample.with_secret(&format!("[redacted:{}]", sample.kind));
            (shown != expected).then_some(shown)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), samples.len());
}

#[test]
fn every_rule_has_a_sample() {
    let mut texts: Vec<String> = samples(1).iter().map(Sample::text).collect();
    texts.push(aws_key_pair());
    for rule in rules::all() {
        let regex = Regex::new(rule.pattern).unwrap();
        let has_sample = texts.iter().any(|text| regex.is_match(text));
        assert!(has_sample || rule.kind == "private-key", "{}: {}", rule.kind, rule.pattern);
    }
}

/// Returns a row of the CSV file that AWS creates for a new access key.
fn aws_key_pair() -> String {
    SampleGenerator(3).fill("deploy,AK·IA{H16},{b40}")
}

#[test]
fn aws_secret_key_is_recognised_after_its_access_key() {
    assert_eq!(
        redact(&aws_key_pair()).text,
        "deploy,[redacted:aws-access-key],[redacted:aws-secret-key]"
    );
}

#[test]
fn secrets_are_found_inside_other_text() {
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
fn octopus_mask_is_never_a_secret() {
    for sample in samples(1) {
        let masked = sample.with_secret("********");
        assert!(matches!(redact(&masked).text, Cow::Borrowed(_)), "{masked}");
    }
}

#[test]
fn ten_thousand_ordinary_lines_stay_unchanged() {
    let mut dice = SampleGenerator(7);
    let everyday = ORDINARY_TEMPLATES
        .lines()
        .flat_map(|shape| std::iter::repeat_n(shape, SAMPLES_PER_TEMPLATE));
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
fn redacts_private_keys_over_several_lines() {
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
