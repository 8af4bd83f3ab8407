//! The table of what counts as a secret.
//!
//! To add a kind, add a row, a sample to the corpus, and ordinary lines that look like it. Rows
//! with a form of their own stand first: where two overlap, the earlier one gives the name.

#[macro_use]
mod patterns;

mod commands;
mod forms;
mod named;

use super::candidate::Candidate;

pub(super) use commands::FOREIGN;
pub(super) use forms::STARTS;
pub(super) use named::GOES_ON;

/// One kind of secret and how it is recognised.
pub(super) struct Rule {
    /// What is written in place of the secret.
    pub kind: &'static str,
    /// The pattern is tried only on text that has one of these in it, in any case.
    pub hints: &'static [&'static str],
    /// The groups of the pattern are the secrets; without a group all of it is the secret.
    pub pattern: &'static str,
    /// Decides whether what was found is meant as a secret.
    pub accept: fn(&Candidate<'_>) -> bool,
}

/// Every rule, in the order of their claims to a name.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    forms::RULES.iter().chain(named::RULES).chain(commands::RULES)
}

const fn always(kind: &'static str, hints: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { kind, hints, pattern, accept: |_| true }
}
