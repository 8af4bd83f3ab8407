#[path = "recomputed.rs"]
mod recomputed;

use proptest::prelude::*;

use std::sync::Arc;

use super::*;
use crate::audit::{
    ChainKey,
    chain::{Chain, parse_link},
};

/// Returns a file with the first notice and this many records.
fn file(records: usize) -> (Vec<u8>, ExpectedChain) {
    keyed_file(None, records)
}

/// Returns a [`file`] that is written with this key or without one.
fn keyed_file(key: Option<Arc<ChainKey>>, records: usize) -> (Vec<u8>, ExpectedChain) {
    let (mut text, mut chain) = Chain::new(key).append_notice("first", 0, 0);
    for number in 0..records {
        let (line, next) = chain.append(&format!("{{\"kind\":\"call\",\"tool\":\"t{number}\"}}"));
        text.push_str(&line);
        chain = next;
    }
    let expected = ExpectedChain {
        count: Some(chain.seq),
        last: Some(chain.hash),
        ..ExpectedChain::default()
    };
    (text.into_bytes(), expected)
}

/// Returns the chain that continues after a line of a file.
fn chain_after(line: &[u8]) -> Chain {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Chain::resume_after(parse_link(line, &KeyRing::default()).unwrap(), None)
}

fn findings(files: &[&[u8]], expected: &ExpectedChain) -> Vec<Finding> {
    verify(files.iter().map(|file| Ok(*file)), expected).unwrap().findings
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_single_changed_byte_is_found(records in 1..6_usize, place: prop::sample::Index, byte: u8) {
        let (mut text, expected) = file(records);
        let place = place.index(text.len());
        prop_assume!(text[place] != byte);
        text[place] = byte;
        prop_assert!(!findings(&[&text], &ExpectedChain::default()).is_empty());
        prop_assert!(!findings(&[&text], &expected).is_empty());
    }

    #[test]
    fn any_removed_line_is_found(records in 1..8_usize, place: prop::sample::Index) {
        let (text, expected) = file(records);
        let mut lines = lines(&text);
        let place = place.index(lines.len());
        lines.remove(place);
        // The file alone does not reveal that its last record is missing.
        let known = if place == records { expected } else { ExpectedChain::default() };
        prop_assert!(!findings(&[&lines.concat()], &known).is_empty());
    }

    #[test]
    fn any_two_swapped_lines_are_found(
        records in 1..8_usize,
        one: prop::sample::Index,
        other: prop::sample::Index,
    ) {
        let (text, _) = file(records);
        let mut lines = lines(&text);
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        prop_assume!(one != other);
        lines.swap(one, other);
        prop_assert!(!findings(&[&lines.concat()], &ExpectedChain::default()).is_empty());
    }

    #[test]
    fn any_inserted_line_is_found(
        records in 1..8_usize,
        from: prop::sample::Index,
        to: prop::sample::Index,
    ) {
        let (text, _) = file(records);
        let mut lines = lines(&text);
        let copy = lines[from.index(lines.len())].clone();
        lines.insert(to.index(lines.len() + 1), copy);
        prop_assert!(!findings(&[&lines.concat()], &ExpectedChain::default()).is_empty());
    }

    #[test]
    fn any_truncation_is_found_if_the_end_is_known(records in 1..6_usize, at: prop::sample::Index) {
        let (text, expected) = file(records);
        let cut = &text[..at.index(text.len())];
        prop_assert!(!findings(&[cut], &expected).is_empty());
    }
}

#[test]
fn valid_chain_has_no_findings_and_reports_its_end() {
    let (text, expected) = file(3);
    let found = verify([Ok(text.as_slice())], &expected).unwrap();
    assert_eq!(found.findings, []);
    assert_eq!((found.records, found.after), (4, 0));
    assert_eq!(found.last.unwrap().1, expected.last.unwrap());
    assert_eq!(findings(&[b""], &ExpectedChain::default())[0].message, "no records found");
}

/// The forged record replaces another one, so the next record refers to a missing hash.
#[test]
fn forged_record_is_found_by_the_next_record() {
    let (text, _) = file(3);
    let mut lines = lines(&text);
    let (forged, _) = chain_after(&lines[1]).append("{\"kind\":\"call\",\"tool\":\"forged\"}");
    lines[2] = forged.into_bytes();
    let found = findings(&[&lines.concat()], &ExpectedChain::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].line, &*found[0].message),
        (4, "record 4 does not refer to the record before it")
    );
}

#[test]
fn truncated_record_is_a_note_only_if_the_next_record_reports_it() {
    let (mut text, _) = file(2);
    let chain = chain_after(&lines(&text).pop().unwrap());
    text.extend_from_slice(b"{\"v\":1,\"se\n");
    let (notice, _) = chain.append_notice("restarted", 0, 10);
    let (silent, _) = chain.append_notice("restarted", 0, 0);
    let found = |end: &str| {
        verify([Ok([&text, end.as_bytes()].concat().as_slice())], &ExpectedChain::default())
            .unwrap()
    };
    assert_eq!(found(&notice).findings, []);
    assert_eq!(found(&notice).notes.len(), 1);
    assert_eq!(found(&silent).findings.len(), 1);
    assert_eq!(found("").findings.len(), 1);
}

/// With and without a key, and whatever else is known about the chain.
#[test]
fn one_edited_record_is_one_finding() {
    for key in [None, Some(Arc::new(ChainKey::new(&"k".repeat(32)).unwrap()))] {
        let (text, end) = keyed_file(key.clone(), 4);
        let keys: KeyRing = key.clone().into();
        let all = lines(&text);
        let heads = all.iter().map(|line| {
            let link = parse_link(line.strip_suffix(b"\n").unwrap(), &keys).unwrap();
            ChainHead::new(link.seq, &link.hash, key.as_deref())
        });
        let heads: Vec<ChainHead> = heads.collect();
        let plain = ExpectedChain { keys, ..ExpectedChain::default() };
        let with_end = ExpectedChain { count: end.count, last: end.last, ..plain.clone() };
        let with_heads = ExpectedChain { heads, ..with_end.clone() };
        for (line, expected) in (0..5)
            .flat_map(|line| [&plain, &with_end, &with_heads].map(|expected| (line, expected)))
        {
            assert_eq!(findings(&[&text], expected), []);
            let mut lines = lines(&text);
            let edited = String::from_utf8(lines[line].clone()).unwrap();
            lines[line] = edited.replacen("\"kind\":\"", "\"kind\":\"x", 1).into_bytes();
            let found = findings(&[&lines.concat()], expected);
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            assert_eq!(found[0].line, line as u64 + 1);
            lines[line] = b"{}\n".to_vec();
            let found = findings(&[&lines.concat()], expected);
            assert_eq!(found.len(), 1, "{line}: {found:?}");
        }
    }
}

#[test]
fn only_record_that_is_edited_is_one_finding() {
    let (text, expected) = file(0);
    let edited = String::from_utf8(text).unwrap().replacen("\"kind\":\"", "\"kind\":\"x", 1);
    assert_eq!(findings(&[edited.as_bytes()], &expected).len(), 1);
}

/// A record that is replaced with a valid hash differs from its head, and the next record does not
/// refer to it.
#[test]
fn replaced_record_with_a_head_is_one_finding() {
    let (text, expected) = file(3);
    let mut lines = lines(&text);
    let head = chain_after(&lines[2]);
    let heads = vec![ChainHead::new(head.seq, &head.hash, None)];
    let (forged, _) = chain_after(&lines[1]).append("{\"kind\":\"call\",\"tool\":\"forged\"}");
    lines[2] = forged.into_bytes();
    let found = findings(&[&lines.concat()], &ExpectedChain { heads, ..expected });
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].line, 3);
}
