//! Other spellings of every sample, which the rules must recognise too.
//!
//! `limits.txt` lists the spellings that are not recognised. The list is exact: the test fails for
//! an unlisted gap, and also for a listed gap that is closed.

use std::collections::{BTreeMap, BTreeSet};

use super::{SECRET_TEMPLATES, SECRETS, Sample, generator::SampleGenerator, redact};
use crate::sanitize::{line_sanitizer::LineSanitizer, secrets::first_hint};

/// One gap per line: a variant, a tab, and the row of the corpus that is not recognised in it.
const LIMITS: &str = include_str!("limits.txt");

/// A sample in another spelling: the text before, inside and after its secret.
struct Spelling {
    before: String,
    secret: String,
    after: String,
}

impl Spelling {
    fn new(before: &str, secret: &str, after: &str) -> Self {
        let [before, secret, after] = [before, secret, after].map(str::to_owned);
        Self { before, secret, after }
    }

    fn text(&self) -> String {
        format!("{}{}{}", self.before, self.secret, self.after)
    }

    /// Returns whether `shown` has redactions in place of the secret and is otherwise unchanged. A
    /// secret over two lines has a redaction on each.
    fn is_redacted_in(&self, shown: &str) -> bool {
        let inside = shown.strip_prefix(&self.before).and_then(|it| it.strip_suffix(&self.after));
        let Some(mut rest) = inside else { return false };
        let lines = self.secret.lines().count();
        let mut marks = 0;
        while let Some((_, more)) =
            rest.strip_prefix("[redacted:").and_then(|mark| mark.split_once(']'))
        {
            marks += 1;
            rest = more.trim_start_matches('\n');
        }
        rest.is_empty() && (1..=lines).contains(&marks)
    }

    /// Returns whether `shown` contains nothing of the secret, but most of the text before it.
    fn is_hidden_in(&self, shown: &str) -> bool {
        let pieces = self.secret.as_bytes().windows(usize::min(self.secret.len(), 6));
        let is_left = |piece: &[u8]| shown.contains(std::str::from_utf8(piece).unwrap_or("\0"));
        let half = self.before.floor_char_boundary(self.before.len() / 2);
        shown.contains("[redacted:")
            && shown.starts_with(&self.before[..half])
            && !pieces.into_iter().any(is_left)
    }
}

/// Name of a variant, and its spelling function. `None` if the variant does not apply to the
/// sample.
type Variant = (&'static str, fn(&Sample) -> Option<Spelling>);

const VARIANTS: &[Variant] = &[
    ("plain", |sample| Some(Spelling::new(&sample.before, &sample.secret, &sample.after))),
    ("tab", |sample| replace_gap(sample, "\t")),
    ("spaces", |sample| replace_gap(sample, "    ")),
    ("no-break-space", |sample| replace_gap(sample, "\u{a0}")),
    ("em-space", |sample| replace_gap(sample, "\u{2003}")),
    ("ideographic-space", |sample| replace_gap(sample, "\u{3000}")),
    ("url-encoded", |sample| Some(percent_encode(sample, "%20"))),
    ("form-encoded", |sample| Some(percent_encode(sample, "+"))),
    ("next-line", |sample| replace_gap(sample, "\n  ")),
    ("wrapped-64", |sample| wrap_at(sample, 64)),
    ("wrapped-76", |sample| wrap_at(sample, 76)),
    ("wrapped-80", |sample| wrap_at(sample, 80)),
];

/// Replaces the spaces between the name and the value by `between`.
fn replace_gap(sample: &Sample, between: &str) -> Option<Spelling> {
    if sample.secret.contains('\n') || sample.before.contains('\n') {
        return None;
    }
    let name = sample.before.trim_end_matches(['"', '\'', '\\', '[', '(']);
    let opening = &sample.before[name.len()..];
    let name = name.trim_end();
    let is_apart = name.len() + opening.len() < sample.before.len() || name.ends_with(['=', ':']);
    is_apart
        .then(|| Spelling::new(&format!("{name}{between}{opening}"), &sample.secret, &sample.after))
}

/// Percent-encodes the sample like the query of a URL.
fn percent_encode(sample: &Sample, space: &str) -> Spelling {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b' ' => space.to_owned(),
                _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect::<String>()
    };
    Spelling::new(&encode(&sample.before), &encode(&sample.secret), &encode(&sample.after))
}

/// Wraps the sample at a column so that the first line break is in the middle of the secret.
fn wrap_at(sample: &Sample, width: usize) -> Option<Spelling> {
    let Sample { before, secret, after, .. } = sample;
    let is_ascii = before.is_ascii() && secret.is_ascii();
    let half = usize::min(secret.len() / 2, width - 20);
    if !is_ascii || before.contains('\n') || secret.contains('\n') || half < 8 {
        return None;
    }
    let indent = width.checked_sub(half + before.len())?;
    let before =
        format!("{}{before}", "-".repeat(indent.saturating_sub(1)) + &" "[..indent.min(1)]);
    let (first, rest) = secret.split_at(half);
    let rest: Vec<&str> =
        rest.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    Some(Spelling::new(&before, &format!("{first}\n{}", rest.join("\n")), after))
}

/// Returns the text sanitized line by line.
fn sanitize_line_by_line(text: &str) -> String {
    let mut lines = LineSanitizer::default();
    let shown = text.split('\n').map(|line| lines.sanitize_next(line).text.into_owned());
    shown.collect::<Vec<_>>().join("\n")
}

/// Counts the corpus rows that each variant applies to and collects those that are not recognised.
fn measure_variants() -> BTreeMap<&'static str, (usize, BTreeSet<&'static str>)> {
    let mut measured = BTreeMap::new();
    let mut dice = SampleGenerator(5);
    for row in SECRETS.lines().chain(SECRET_TEMPLATES.lines()) {
        let (_, shape) = row.split_once('\t').unwrap();
        let sample = Sample::parse("", &dice.fill(shape));
        for (variant, spell) in VARIANTS {
            let Some(spelling) = spell(&sample) else { continue };
            let text = spelling.text();
            let shown = redact(&text).text.into_owned();
            let (all, missed) = measured.entry(*variant).or_insert((0, BTreeSet::new()));
            *all += 1;
            // The end of an encoded secret can be ambiguous, so the redaction may cover more.
            let is_encoded = variant.ends_with("-encoded");
            if !(spelling.is_redacted_in(&shown) || (is_encoded && spelling.is_hidden_in(&shown))) {
                missed.insert(row);
            }
            if !shown.contains("[redacted:private-key]") {
                let sanitized = crate::sanitize::sanitize(&text).text.into_owned();
                assert_eq!(sanitize_line_by_line(&text), sanitized, "{variant}: {row}");
            }
        }
    }
    measured
}

#[test]
fn every_redacted_line_has_a_hint() {
    let mut dice = SampleGenerator(9);
    for row in SECRETS.lines().chain(SECRET_TEMPLATES.lines()) {
        let (_, shape) = row.split_once('\t').unwrap();
        let sample = Sample::parse("", &dice.fill(shape));
        let spellings = VARIANTS.iter().filter_map(|(_, spell)| spell(&sample));
        for text in spellings.map(|spelling| spelling.text()) {
            for line in text.lines().filter(|line| redact(line).total() > 0) {
                // The search sanitizes every line that is not plain ASCII, even without a hint.
                assert!(first_hint(line.as_bytes()).is_some() || !line.is_ascii(), "{line}");
            }
        }
    }
}

#[test]
fn every_variant_is_recognised_except_listed_limits() {
    let listed: BTreeSet<(&str, &str)> =
        LIMITS.lines().map(|line| line.split_once('\t').unwrap()).collect();
    let measured = measure_variants();
    let found: BTreeSet<(&str, &str)> = measured
        .iter()
        .flat_map(|(variant, (_, missed))| missed.iter().map(move |row| (*variant, *row)))
        .collect();
    let counts: Vec<String> = measured
        .iter()
        .map(|(variant, (all, missed))| format!("{variant}: {} of {all}", all - missed.len()))
        .collect();
    let line = |(variant, row): &(&str, &str)| format!("{variant}\t{row}");
    let new: Vec<_> = found.difference(&listed).map(line).collect();
    let closed: Vec<_> = listed.difference(&found).map(line).collect();
    assert!(
        new.is_empty() && closed.is_empty(),
        "{counts:#?}\nnot recognised and not listed:\n{}\nrecognised and still listed:\n{}",
        new.join("\n"),
        closed.join("\n")
    );
}
