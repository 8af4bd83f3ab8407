//! Ranges of a text that are secrets.

use std::ops::Range;

/// Range of a text that is a secret.
#[derive(Debug, Clone)]
pub(super) struct SecretMatch {
    pub(super) at: Range<usize>,
    /// Index of the rule in the table. If two secrets overlap, the earlier rule determines the
    /// kind.
    pub(super) rule: usize,
    pub(super) kind: &'static str,
}

/// Sorts secrets and merges overlapping ones.
pub(super) fn merge_overlapping(mut found: Vec<SecretMatch>) -> Vec<SecretMatch> {
    found.sort_by_key(|secret| (secret.at.start, secret.rule));
    let mut apart: Vec<SecretMatch> = Vec::with_capacity(found.len());
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
