//! Table of secret kinds.
//!
//! To add a kind, add a row, a sample to the corpus, and ordinary lines that look similar. Rules
//! for a distinctive form come first: if two rules overlap, the earlier one determines the kind.

#[macro_use]
mod patterns;

mod commands;
mod forms;
mod named;
mod rule;

pub(super) use commands::FOREIGN_PASSWORD_WORDS;
pub(super) use forms::TOKEN_PREFIXES;
pub(super) use named::CONTINUATIONS;
pub(super) use rule::Rule;

/// Returns all rules by precedence.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    forms::RULES.iter().chain(named::RULES).chain(commands::RULES)
}
