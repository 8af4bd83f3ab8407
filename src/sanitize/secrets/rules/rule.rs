//! A row of the table of secret kinds.

use crate::sanitize::secrets::candidate::Candidate;

/// A kind of secret and how it is recognised.
pub(in crate::sanitize::secrets) struct Rule {
    /// Kind in the redaction: `[redacted:KIND]`.
    pub kind: &'static str,
    /// The pattern runs only on text that contains one of these hints, ignoring case.
    pub hints: &'static [&'static str],
    /// The groups of the pattern are the secrets; without a group the whole match is the secret.
    pub pattern: &'static str,
    /// Decides whether a match is a secret.
    pub accept: fn(&Candidate<'_>) -> bool,
}

/// Creates a rule that accepts every match of its pattern.
pub(super) const fn unconditional(
    kind: &'static str,
    hints: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule { kind, hints, pattern, accept: |_| true }
}
