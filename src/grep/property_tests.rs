//! Property tests: results must not depend on how the text is split into chunks.

use std::borrow::Cow;

use proptest::prelude::*;
use regex::bytes::{Regex, RegexBuilder};

use super::*;
use crate::sanitize::{line_sanitizer::LineSanitizer, sanitize};

fn options() -> GrepOptions {
    GrepOptions {
        invert: false,
        strip_prefixes: false,
        before: 0,
        after: 0,
        max_count: 500,
        offset: 0,
        max_bytes: usize::MAX,
    }
}

fn find(pattern: &str, options: &GrepOptions, text: &[u8], piece: usize) -> GrepResult {
    let pattern = Pattern::new(pattern, false, false).unwrap();
    let mut grep = Grep::new(pattern, options.clone());
    text.chunks(piece).for_each(|piece| grep.push(piece));
    GrepResult { searched_line_bytes: 0, ..grep.finish() }
}

/// Reference implementation that searches the whole text in memory, line by line.
fn reference_search(regex: &Regex, options: &GrepOptions, text: &[u8]) -> GrepResult {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let strip: fn(&[u8]) -> &[u8] =
        if options.strip_prefixes { log_prefix::strip_log_prefix } else { |line| line };
    let lines: Vec<&[u8]> =
        lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    // Secrets that depend on earlier lines are redacted first. Here all lines are read.
    let mut before = LineSanitizer::default();
    let lines: Vec<Vec<u8>> = lines
        .into_iter()
        .map(|line| {
            before.redact_with_context(line).map_or_else(|| line.to_owned(), String::into_bytes)
        })
        .collect();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let is_in = |line: &&[u8]| match sanitize(&String::from_utf8_lossy(line)).text {
        Cow::Owned(shown) => regex.is_match(strip(shown.as_bytes())),
        Cow::Borrowed(_) => regex.is_match(strip(line)),
    };
    let is_match: Vec<bool> = lines.iter().map(|line| is_in(line) != options.invert).collect();
    let lines: Vec<&[u8]> = lines.into_iter().map(strip).collect();
    let places: Vec<usize> = (0..lines.len()).filter(|place| is_match[*place]).collect();
    let line = |place: usize| Line {
        line_number: place as u64 + 1,
        line: String::from_utf8_lossy(lines[place]).into_owned(),
    };
    let after = |place: usize| {
        let next = (place + 1..lines.len()).find(|next| is_match[*next]).unwrap_or(lines.len());
        place + 1..next.min(place + 1 + options.after)
    };
    let first = usize::try_from(options.offset).unwrap();
    let matches = (first..places.len()).take(options.max_count).map(|index| {
        let place = places[index];
        let free = if index == 0 { 0 } else { after(places[index - 1]).end };
        Match {
            line_number: place as u64 + 1,
            line: line(place).line,
            before: (options.before > 0).then(|| {
                (free.max(place.saturating_sub(options.before))..place).map(line).collect()
            }),
            after: (options.after > 0).then(|| after(place).map(line).collect()),
        }
    });
    GrepResult {
        total_lines: lines.len() as u64,
        total_matches: places.len() as u64,
        matches: matches.collect(),
        long_lines: 0,
        searched_line_bytes: 0,
        is_ascii: false,
        context_cut: false,
    }
}

fn regex(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).multi_line(true).crlf(true).build().unwrap()
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 26] = [
        b"a",
        b"b",
        b"ab",
        b"Error",
        b" ",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\xff",
        b"\xc3\xa4",
        b"08:10:02   Info     | ",
        b"2026-06-18T08:10:02 Error| ",
        b"\n\n",
        b"x\ny",
        b"password=a1b2a1b2",
        b"\x1b[1m",
        b"token ",
        b"password%3D%20a1b2a1b2",
        b"\npassword:\n",
        b"\na1b2a1b2\n",
        b"--password \\\n",
        b"password\xc2\xa0:\xe3\x80\x80",
        b"\nnet user a a1b2a1b2",
        concat!("\n----------------------------------------- gh", "p_FAKEfake0FAKEfake1\n")
            .as_bytes(),
        b"FAKEfake2",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..80).prop_map(|p| p.concat())
}

const PATTERNS: [&str; 24] = [
    "a",
    "ab",
    "a+b",
    "^a",
    "b$",
    "^$",
    "^",
    "$",
    ".",
    r"\s",
    "[^a]",
    r"a\s+b",
    r"\bb",
    r"\Ba",
    r"\Aa",
    r"b\z",
    "(?-m)^a",
    "(?i)error",
    "(?s)a.b",
    r"x\W*y",
    "ä|Info",
    "(?-u)[\\xff]",
    "redacted",
    "=a1|=.r",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn result_is_independent_of_chunk_boundaries(
        text in text(),
        piece in 1usize..200,
        pattern in prop::sample::select(PATTERNS.to_vec()),
        (invert, strip_prefixes) in any::<(bool, bool)>(),
        (before, after) in (0usize..4, 0usize..4),
        (max_count, offset) in (1usize..6, 0u64..6),
    ) {
        let options =
            GrepOptions { invert, strip_prefixes, before, after, max_count, offset, ..options() };
        let found = find(pattern, &options, &text, piece);
        prop_assert_eq!(found, reference_search(&regex(pattern), &options, &text));
    }

    #[test]
    fn joined_pages_equal_one_large_page(
        text in text(),
        piece in 1usize..200,
        (before, after) in (0usize..4, 0usize..4),
        (max_count, max_bytes) in (1usize..6, 600usize..2_000),
    ) {
        let all = GrepOptions { before, after, ..options() };
        let whole = find("a", &all, &text, piece);
        let mut options = GrepOptions { max_count, max_bytes, ..all };
        let (mut joined, mut was_cut) = (Vec::new(), false);
        loop {
            let page = find("a", &options, &text, piece);
            prop_assert_eq!(page.total_matches, whole.total_matches);
            let size: usize = page.matches.iter().map(|m| serde_json::to_string(m).unwrap().len() + 1).sum();
            prop_assert!(page.context_cut || size <= max_bytes, "{} > {}", size, max_bytes);
            joined.extend(page.matches);
            options.offset = joined.len() as u64;
            was_cut |= page.context_cut;
            if was_cut || options.offset >= whole.total_matches {
                break;
            }
        }
        if !was_cut {
            prop_assert_eq!(joined, whole.matches);
        }
    }
}

#[test]
fn shows_each_line_once() {
    let text = "1\n2\nx3\n4\nx5\nx6\n7\n8\n9\n10\nx11\n";
    let found = find("x", &GrepOptions { before: 2, after: 2, ..options() }, text.as_bytes(), 7);
    let mut numbers = Vec::new();
    for found in &found.matches {
        numbers.extend(found.before.iter().flatten().map(|line| line.line_number));
        numbers.push(found.line_number);
        numbers.extend(found.after.iter().flatten().map(|line| line.line_number));
    }
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    assert_eq!(found.matches[1].before, Some(Vec::new()));
}

#[test]
fn endless_line_uses_bounded_memory() {
    let pattern = Pattern::new("y", false, false).unwrap();
    let mut grep = Grep::new(pattern, GrepOptions { before: 50, after: 50, ..options() });
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..1_600 {
        grep.push(&piece);
        assert!(grep.buffered_bytes() <= 3 * 256 * 1024);
    }
    grep.push(b"y\ny\n");
    let found = grep.finish();
    assert_eq!((found.total_lines, found.total_matches, found.long_lines), (2, 1, 1));
    let before = found.matches[0].before.as_ref().unwrap();
    assert!(before[0].line.len() < 2_100 && before[0].line.ends_with(" ..."));
}

#[test]
fn context_is_cut_to_fit_the_page() {
    let text = "y\n".repeat(40) + "x\n" + &"y\n".repeat(9);
    let options = GrepOptions { before: 50, after: 50, max_bytes: 600, ..options() };
    let found = find("x", &options, text.as_bytes(), 64);
    assert!(found.context_cut && found.matches.len() == 1);
    let before = found.matches[0].before.as_ref().unwrap();
    assert_eq!(before.last().unwrap().line_number, 40, "keeps the nearest lines");
    assert!((3..12).contains(&before.len()));
}

#[test]
fn secrets_cannot_be_found_by_searching() {
    let secret = "hunter2hunter2";
    let text = format!("one\ndb password={secret} is set\nk\u{200b}ey\r\nlast\n");
    for (pattern, invert, numbers) in [
        ("hunter", false, &[][..]),
        ("=h", false, &[]),
        ("=[g-i]|redacted", false, &[2]),
        ("password=\\[redacted", false, &[2]),
        ("hunter", true, &[1, 2, 3, 4]),
        ("redacted", true, &[1, 3, 4]),
        ("is set$", false, &[2]),
        ("^key$", false, &[3]),
    ] {
        for piece in [1, 7, 1_000] {
            let found = find(pattern, &GrepOptions { invert, ..options() }, text.as_bytes(), piece);
            let lines: Vec<u64> = found.matches.iter().map(|found| found.line_number).collect();
            assert_eq!(lines, numbers, "{pattern}");
            assert_eq!(found.total_matches, numbers.len() as u64);
        }
    }
}

#[test]
fn private_key_lines_are_not_shown() {
    let key = "-----BEGIN PRIVATE KEY-----\nRkFLRUZBS0VGQUtFRkFLRQ==\n-----END PRIVATE KEY-----\n";
    let text = format!("one\n{key}two\n").repeat(2);
    for (pattern, piece) in [("^RkFL", 9), ("one", 1_000), ("two", 50), (".", 3)] {
        let options = GrepOptions { before: 5, after: 5, ..options() };
        let found = find(pattern, &options, text.as_bytes(), piece);
        let shown = serde_json::to_string(&found.matches).unwrap();
        assert!(!shown.contains("RkFL"), "{pattern}: {shown}");
        assert_eq!(found.total_lines, 10);
    }
}
