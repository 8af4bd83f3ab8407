//! Checks which records have a verified key, and compares a chain with heads kept elsewhere.

use super::{ExpectedChain, KeyRun, Verification};

/// Returns the problems with the keys of the records.
///
/// An attacker without the key can write a chain without a key. So records without a key are
/// accepted only before the chain had a key, up to `unkeyed_until`. The keyed records after them
/// protect them from then on.
pub(super) fn check_keys(found: &Verification, expected: &ExpectedChain) -> Vec<String> {
    let is_keyed = expected.is_keyed || !expected.keys.is_empty();
    let mut problems = Vec::new();
    let mut has_key = false;
    for KeyRun { first, last, key, is_checked } in &found.runs {
        match key {
            None if has_key => problems.push(format!(
                "records {first} to {last} have no key and follow records that have one: they were \
                 written without the key, or the key was removed"
            )),
            None if is_keyed && expected.unkeyed_until.is_none_or(|until| *last > until) => {
                problems.push(format!(
                    "records {first} to {last} have no key, so their integrity cannot be verified; \
                     if the chain had no key until record {last}, pass --unkeyed-until {last}"
                ));
            }
            Some(key) if !is_checked => problems.push(format!(
                "NOT VERIFIED: records {first} to {last} were written with the key {key}, which \
                 was not given; without it, changed records are not detected: pass its file with \
                 --key-file, and --output if these are not records of the file"
            )),
            None | Some(_) => {}
        }
        has_key |= key.is_some();
    }
    problems
}

/// Returns the problems with the heads, except for hashes, which
/// [`ChainVerifier`](super::verifier::ChainVerifier) has already compared.
pub(super) fn check_heads(found: &Verification, expected: &ExpectedChain) -> Vec<String> {
    // Invalid lines at the end are reported already. Each may be a record.
    let last = found.last.as_ref().map_or(0, |(seq, _)| *seq) + found.invalid_at_end;
    let is_keyed = expected.is_keyed || !expected.keys.is_empty();
    let mut problems = Vec::new();
    if let Some(head) = expected.heads.iter().map(|head| head.count).max().filter(|n| *n > last) {
        problems.push(format!(
            "the end is missing: a head refers to record {head}, but the last record is {last}"
        ));
    }
    let mut unsigned = Vec::new();
    let mut forged = Vec::new();
    for head in &expected.heads {
        let before_key = expected.unkeyed_until.is_some_and(|until| head.count <= until);
        match &head.signature {
            None if is_keyed && !before_key => unsigned.push(head.count),
            None => {}
            Some((id, _)) => match expected.keys.find(id) {
                Some(key) if !head.is_signed_by(key) => forged.push(head.count),
                None if !expected.keys.is_empty() => forged.push(head.count),
                _ => {}
            },
        }
    }
    for (heads, problem) in [
        (unsigned, "is not signed, so it may be forged"),
        (forged, "is not signed with a key that was given: it was changed or forged"),
    ] {
        if let Some(first) = heads.first() {
            let more = match heads.len() {
                1 => String::new(),
                many => format!(" (and {} more heads)", many - 1),
            };
            problems.push(format!("the head of record {first} {problem}{more}"));
        }
    }
    problems
}
