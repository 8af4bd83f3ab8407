//! Table of secret kinds.
//!
//! To add a kind, add a row, a sample to the corpus, and ordinary lines that look similar. Rules
//! for a distinctive form come first: if two rules overlap, the earlier one determines the kind.

#[macro_use]
mod patterns;

mod commands;
mod forms;
mod named;

use super::candidate::Candidate;

pub(super) use commands::FOREIGN_PASSWORD_WORDS;
pub(super) use forms::TOKEN_PREFIXES;
pub(super) use named::CONTINUATIONS;

/// A kind of secret and how it is recognised.
pub(super) struct Rule {
    /// Kind in the redaction: `[redacted:KIND]`.
    pub kind: &'static str,
    /// The pattern runs only on text that contains one of these hints, ignoring case.
    pub hints: &'static [&'static str],
    /// The groups of the pattern are the secrets; without a group the whole match is the secret.
    pub pattern: &'static str,
    /// Decides whether a match is a secret.
    pub accept: fn(&Candidate<'_>) -> bool,
}

/// Returns all rules by precedence.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    forms::RULES.iter().chain(named::RULES).chain(commands::RULES)
}

const fn unconditional(
    kind: &'static str,
    hints: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule { kind, hints, pattern, accept: |_| true }
}
