//! Attacks with write access to the file but without the key: records are changed, and all later
//! hashes are recomputed.

use super::*;

fn key(letter: &str) -> Arc<ChainKey> {
    Arc::new(ChainKey::new(&letter.repeat(32)).unwrap())
}

fn other_key() -> Arc<ChainKey> {
    key("f")
}

/// Expects the chain to have this key.
fn expecting_key(key: &Arc<ChainKey>) -> ExpectedChain {
    ExpectedChain { keys: Some(Arc::clone(key)).into(), ..ExpectedChain::default() }
}

/// Returns the fields of each record without the fields of the chain.
fn members(file: &[u8]) -> Vec<String> {
    let record = |line: Vec<u8>| {
        let mut record: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let object = record.as_object_mut().unwrap();
        for added in ["v", "seq", "key", "prev", "hash"] {
            object.shift_remove(added);
        }
        record.to_string()
    };
    lines(file).into_iter().map(record).collect()
}

/// Rewrites the records from index `from` on, with this key or without one.
fn rewrite(
    file: &[u8],
    from: usize,
    records: &[String],
    key: Option<Arc<ChainKey>>,
    known: &KeyRing,
) -> Vec<u8> {
    let unchanged: Vec<Vec<u8>> = lines(file).into_iter().take(from).collect();
    let mut chain = match unchanged.last() {
        Some(line) => {
            Chain::resume_after(parse_link(line.strip_suffix(b"\n").unwrap(), known).unwrap(), key)
        }
        None => Chain::new(key),
    };
    let mut text = unchanged.concat();
    for record in records {
        let (line, next) = chain.append(record);
        text.extend_from_slice(line.as_bytes());
        chain = next;
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rewritten_records_are_found_only_with_the_key(
        records in 2..8_usize,
        place: prop::sample::Index,
        edit in 0..3_u8,
        forger in 0..3_u8,
    ) {
        let key = key("k");
        let from = 1 + place.index(records);
        // Dropping the last record truncates the chain, which only heads reveal.
        prop_assume!(edit != 1 || from < records);
        let forge = |file: &[u8], forger: Option<Arc<ChainKey>>, known: &KeyRing| {
            let mut members = members(file).split_off(from);
            match edit {
                0 => members[0] = "{\"kind\":\"call\",\"tool\":\"forged\"}".to_owned(),
                1 => drop(members.remove(0)),
                _ => members.insert(0, "{\"kind\":\"call\"}".to_owned()),
            }
            rewrite(file, from, &members, forger, known)
        };
        // Without a key, a rewritten chain is valid.
        let (plain, _) = keyed_file(None, records);
        let forged = forge(&plain, None, &KeyRing::default());
        prop_assert_eq!(findings(&[&forged], &ExpectedChain::default()), []);
        let (text, _) = keyed_file(Some(Arc::clone(&key)), records);
        let expected = expecting_key(&key);
        prop_assert_eq!(findings(&[&text], &expected), []);
        let other = other_key();
        let forged = match forger {
            0 => forge(&text, None, &expected.keys),
            1 => forge(&text, Some(other), &expected.keys),
            // An attacker can read the key ID in the file.
            _ => {
                let forged = forge(&text, Some(Arc::clone(&other)), &expected.keys);
                String::from_utf8(forged).unwrap().replace(other.id(), key.id()).into_bytes()
            }
        };
        prop_assert!(!findings(&[&forged], &expected).is_empty());
    }
}

#[test]
fn stripped_key_is_found_if_a_key_is_expected() {
    let key = key("k");
    let (text, _) = keyed_file(Some(Arc::clone(&key)), 4);
    let stripped = rewrite(&text, 0, &members(&text), None, &KeyRing::default());
    assert_eq!(
        findings(&[&stripped], &ExpectedChain::default()),
        [],
        "not detectable without a key"
    );
    let keyed = ExpectedChain { is_keyed: true, ..ExpectedChain::default() };
    for expected in [expecting_key(&key), keyed] {
        let found = findings(&[&stripped], &expected);
        assert!(found.len() == 1 && found[0].message.contains("have no key"), "{found:?}");
    }
    // Rewrites only the end, starting at each record. Found even without a known key.
    for from in 1..5 {
        let end = members(&text).split_off(from);
        let stripped = rewrite(&text, from, &end, None, &expecting_key(&key).keys);
        for expected in [expecting_key(&key), ExpectedChain::default()] {
            let found = findings(&[&stripped], &expected);
            assert!(
                found.iter().any(|f| f.message.contains("follow records that have")),
                "{found:?}"
            );
        }
    }
}

#[test]
fn another_key_verifies_nothing() {
    let (text, _) = keyed_file(Some(key("k")), 3);
    for expected in [ExpectedChain::default(), expecting_key(&key("o"))] {
        let found = findings(&[&text], &expected);
        assert!(found.len() == 1 && found[0].message.starts_with("NOT VERIFIED"), "{found:?}");
    }
}

#[test]
fn heads_reveal_truncated_and_replaced_chains() {
    let key = key("k");
    let (text, known) = keyed_file(Some(Arc::clone(&key)), 4);
    let (count, last) = (known.count.unwrap(), known.last.unwrap());
    let with = |head: ChainHead| ExpectedChain { heads: vec![head], ..expecting_key(&key) };
    let head = ChainHead::new(count, &last, Some(&key));
    assert_eq!(findings(&[&text], &with(head.clone())), []);
    let cut = lines(&text)[..4].concat();
    assert_eq!(findings(&[&cut], &expecting_key(&key)), [], "not detectable without a head");
    for (file, head, expected_text) in [
        (&cut, head.clone(), "the end is missing"),
        (
            &text,
            ChainHead::new(3, &last, Some(&key)),
            "the hash of record 3 differs from the hash in a recorded chain head",
        ),
        (&text, ChainHead::new(count, &last, None), "is not signed"),
        (&text, ChainHead { time: 1, ..head }, "not signed with a key that was given"),
    ] {
        let found = findings(&[file], &with(head));
        assert!(
            found.len() == 1 && found[0].message.contains(expected_text),
            "{expected_text}: {found:?}"
        );
    }
}

#[test]
fn chain_continues_with_first_and_with_changed_key() {
    let (one, two) = (key("k"), key("n"));
    let (mut text, _) = file(2);
    let mut append_with = |key: &Arc<ChainKey>, known: &KeyRing| {
        let last = lines(&text).pop().unwrap();
        let link = parse_link(last.strip_suffix(b"\n").unwrap(), known).unwrap();
        let (notice, chain) =
            Chain::resume_after(link, Some(Arc::clone(key))).append_notice("restarted", 0, 0);
        text.extend_from_slice(notice.as_bytes());
        text.extend_from_slice(chain.append("{\"kind\":\"call\"}").0.as_bytes());
    };
    append_with(&one, &KeyRing::default());
    append_with(&two, &expecting_key(&one).keys);
    let keys = KeyRing::new([(*one).clone(), (*two).clone()]);
    let expected = ExpectedChain { keys, unkeyed_until: Some(3), ..ExpectedChain::default() };
    let found = verify([Ok(text.as_slice())], &expected).unwrap();
    assert_eq!(found.findings, []);
    assert_eq!(found.notes.len(), 2, "{:?}", found.notes);
    assert_eq!(found.runs.len(), 3);
    // The first keyed record fixes the records before it.
    let edited = rewrite(&text, 2, &members(&text)[2..3], None, &KeyRing::default());
    let end = lines(&text).split_off(3).concat();
    assert_eq!(findings(&[&[edited, end.clone()].concat()], &expected), []);
    let forged =
        rewrite(&text, 2, &["{\"kind\":\"x\"}".to_owned()], None, &expecting_key(&one).keys);
    assert!(!findings(&[&[forged, end].concat()], &expected).is_empty());
    let unknown = ExpectedChain { unkeyed_until: None, ..expected };
    assert!(findings(&[&text], &unknown)[0].message.contains("--unkeyed-until 3"));
}
