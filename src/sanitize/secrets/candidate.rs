//! Distinguishes secrets from ordinary text in the same position.
//!
//! Deployment logs are full of `token: expired`, `Password = $(DbPassword)` and `PublicKeyToken=…`.
//! A log without these texts is useless. So every rule that matches by name has an `accept`
//! function from this module, which checks the match.

use std::ops::Range;

use super::{
    redaction::REDACTION_PREFIX,
    value::{
        is_count, is_description, is_guid, is_identifier, is_location, is_mixed, is_path,
        is_state_word, is_word_like,
    },
};

/// A match of a rule with its surrounding text.
pub(super) struct Candidate<'t> {
    /// All text before the match; the name may begin there.
    before: &'t str,
    /// The match up to the value: the name and the assignment sign.
    lead: &'t str,
    /// The value.
    pub(super) value: &'t str,
    /// All text after the value.
    after: &'t str,
}

impl<'t> Candidate<'t> {
    pub(super) fn from_match(
        text: &'t str,
        whole: &Range<usize>,
        at: &Range<usize>,
    ) -> Option<Self> {
        Some(Self {
            before: text.get(..whole.start)?,
            lead: text.get(whole.start..at.start)?,
            value: text.get(at.clone())?,
            after: text.get(at.end..)?,
        })
    }

    fn is_quoted(&self) -> bool {
        self.lead.ends_with(['"', '\''])
    }

    fn is_quoted_word(&self) -> bool {
        self.is_quoted() && !self.value.contains(' ')
    }

    /// Returns whether the form is `NAME=value` without spaces, as in settings and command lines,
    /// but not in prose.
    fn is_tight(&self) -> bool {
        self.lead.ends_with('=') && !self.lead.contains([' ', '\t'])
    }

    /// Returns whether words follow on the same line, as in `password: must be longer`.
    fn is_prose(&self) -> bool {
        let is_word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphabetic);
        let next = self.after.strip_prefix(' ').and_then(|after| after.split([' ', '\n']).next());
        is_word(self.value) && next.is_some_and(is_word)
    }

    /// Returns the name in lower case without separators, including its part before the match.
    fn name(&self) -> String {
        let is_outside = |c: char| !(c.is_alphanumeric() || "_-.".contains(c));
        let beginning = self.before.rsplit(is_outside).next().unwrap_or_default();
        let letters = beginning.chars().chain(self.lead.chars()).filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    }
}

/// Returns whether the value of a password field is a password.
pub(super) fn is_password(found: &Candidate<'_>) -> bool {
    if is_description(found.value) || is_location(found.value) || is_count(found.value) {
        return false;
    }
    // In a shell, `PWD` is the working directory.
    if is_path(found.value) && found.name().ends_with("pwd") {
        return false;
    }
    // Octopus itself masks no value shorter than four characters.
    found.is_tight()
        || found.is_quoted()
        || (found.value.chars().count() >= 4 && !found.is_prose() && !is_code(found))
}

/// Returns whether a value after a `;` is a password. It may contain spaces if its end is marked.
pub(super) fn is_connection_string_password(found: &Candidate<'_>) -> bool {
    let has_end = found.after.starts_with([';', '"', '\'', '\\']);
    (has_end || !found.value.contains(' ')) && !is_description(found.value)
}

/// Returns whether the value of a key field is a key.
pub(super) fn is_key(found: &Candidate<'_>) -> bool {
    is_not_public(found)
        && is_password(found)
        && found.value.chars().count() >= 8
        && (found.is_tight() || found.is_quoted_word() || is_generated(found))
}

/// Returns whether the value after `token`, `secret` or `credential` is a secret. These words are
/// common, so the value must look generated, except in the assignment of an environment variable.
pub(super) fn is_token(found: &Candidate<'_>) -> bool {
    let is_environment = found.is_tight() && !found.lead.contains(char::is_lowercase);
    is_not_public(found)
        && is_password(found)
        && ((is_environment && found.value.chars().count() >= 6) || is_generated(found))
}

/// Returns whether a value in an `Authorization` header is a credential.
pub(super) fn is_header_value(found: &Candidate<'_>) -> bool {
    let is_word = found.value.len() < 20 && found.value.chars().skip(1).all(char::is_lowercase);
    found.value.len() >= 8 && !is_word && !is_description(found.value)
}

/// Returns whether a value in its own quotes or tags is a secret.
pub(super) fn is_quoted_value(found: &Candidate<'_>) -> bool {
    !is_description(found.value) && !is_location(found.value)
}

/// Returns whether a value looks generated.
pub(super) fn is_generated(found: &Candidate<'_>) -> bool {
    !is_word_like(found.value) || is_guid(found.value)
}

/// Returns whether a value looks like base64 of a user name and password.
pub(super) fn is_base64_credentials(found: &Candidate<'_>) -> bool {
    is_generated(found) || found.value.ends_with('=')
}

/// Returns whether the text before the `@` of a URL is a password, and not an image tag before its
/// digest.
pub(super) fn is_url_password(found: &Candidate<'_>) -> bool {
    !found.after.starts_with("@sha256:")
        && !found.lead.ends_with(REDACTION_PREFIX)
        && !is_description(found.value)
}

/// Returns whether the text before the `@` of a URL is a token, and not a name in camel case.
pub(super) fn is_url_token(found: &Candidate<'_>) -> bool {
    is_generated(found) && found.value.bytes().filter(u8::is_ascii_digit).count() > 1
}

/// Returns whether a value alone on the line below its name is a password.
pub(super) fn is_password_on_next_line(found: &Candidate<'_>) -> bool {
    is_argument_value(found)
        && if found.is_quoted() {
            found.is_quoted_word() && found.value.len() >= 4 && !is_state_word(found.value)
        } else {
            is_single_word_line(found.value) && found.value.len() >= 6 && is_mixed(found.value)
        }
}

/// Returns whether a value alone on the line below its name is a key or token.
pub(super) fn is_key_on_next_line(found: &Candidate<'_>) -> bool {
    is_not_public(found)
        && is_argument_value(found)
        && is_generated(found)
        && (found.is_quoted_word() || is_single_word_line(found.value))
}

/// Returns whether a one-word line is not a setting, list item, comment or path.
fn is_single_word_line(value: &str) -> bool {
    !value.starts_with(|c: char| "-[#.(*+|{~".contains(c))
        && !value.trim_end_matches('=').contains([':', '='])
        && !is_path(value)
}

/// Returns whether a value after `/pass:` is a password, and not a part of a route.
pub(super) fn is_switch_password(found: &Candidate<'_>) -> bool {
    is_argument_value(found) && is_mixed(found.value) && !found.value.contains('/')
}

/// Returns whether the word after the user in `net user` is a password, and not a switch or prose.
pub(super) fn is_positional_password(found: &Candidate<'_>) -> bool {
    is_argument_value(found)
        && !found.value.starts_with(['/', '[', '|', '*'])
        && (is_mixed(found.value) || found.after.trim_start_matches('"').starts_with(" /"))
}

/// Returns whether the last field of a line in `.pgpass` form is a password.
pub(super) fn is_pgpass_password(found: &Candidate<'_>) -> bool {
    is_quoted_value(found)
        && found.value.chars().count() >= 4
        && (is_mixed(found.value) || (found.lead.contains(":*:") && !is_state_word(found.value)))
}

/// Returns whether the word after the name of a setting is its value, and not a description.
pub(super) fn is_setting_value(found: &Candidate<'_>) -> bool {
    let is_last = found.after.is_empty() || found.after.starts_with(['\n', '\r', '"', '\'']);
    is_argument_value(found)
        && !found.is_prose()
        && (is_mixed(found.value)
            || found.is_quoted()
            || found.lead.contains([':', '='])
            || (is_last && !is_state_word(found.value)))
}

/// Returns whether a value after `user=a pass=` is a password, and not a test count or outcome.
pub(super) fn is_password_after_user(found: &Candidate<'_>) -> bool {
    is_quoted_value(found)
        && (is_mixed(found.value)
            || ((found.is_tight() || found.is_quoted())
                && found.value.chars().count() >= 4
                && found.value.contains(char::is_alphabetic)
                && !is_state_word(found.value)))
}

/// Returns whether a value looks like a password in a position where words are equally likely.
pub(super) fn is_mixed_value(found: &Candidate<'_>) -> bool {
    is_quoted_value(found) && is_mixed(found.value)
}

/// Returns whether a value after a foreign word for "password" is a password. Descriptive words of
/// other languages are not listed, so a plain word is accepted only in a tight or quoted
/// assignment.
pub(super) fn is_foreign_password(found: &Candidate<'_>) -> bool {
    let is_set = found.is_tight() || found.is_quoted_word();
    is_mixed_value(found)
        || (is_set && is_quoted_value(found) && found.value.len() >= 4 && !is_count(found.value))
}

/// Returns whether the argument of a command is a password, and not another flag.
pub(super) fn is_argument_value(found: &Candidate<'_>) -> bool {
    !found.value.starts_with('-') && is_quoted_value(found) && !is_count(found.value)
}

/// Returns whether the text after `the password is` is a password, and not a description.
pub(super) fn is_stated_password(found: &Candidate<'_>) -> bool {
    let value = found.value.trim_end_matches(['.', '!', '?']);
    if is_description(value) || is_location(value) || is_count(value) || value.chars().count() < 4 {
        return false;
    }
    if found.is_quoted() {
        return !value.contains(' ');
    }
    let has = |is: fn(char) -> bool| value.contains(is);
    if has(|c| c.is_ascii_digit()) && has(char::is_alphabetic) {
        return !value.ends_with("ed") && !value.starts_with(|c: char| c.is_ascii_digit());
    }
    let is_last = found.after.is_empty() || found.after.starts_with(['\n', '"', '\'']);
    let is_introduced = found.lead.trim_end().ends_with(':');
    has(|c| "@#$%^&*+=".contains(c))
        || (value.chars().all(char::is_alphabetic)
            && (is_introduced || (is_last && !is_state_word(value)))
            && !found.is_prose())
}

/// Returns whether the name does not mark the key or token as public or short-lived.
pub(super) fn is_not_public(found: &Candidate<'_>) -> bool {
    let mut name = found.name();
    // Also the preceding words that only a space separates: `page token`, `public key token`.
    let mut before = found.before;
    for _ in 0..2 {
        let Some(rest) = before.strip_suffix(' ') else { break };
        let word = rest.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        name.insert_str(0, &word.to_lowercase());
        before = rest.strip_suffix(word).unwrap_or_default();
    }
    !PUBLIC_NAMES.iter().any(|public| name.contains(public)) && !is_description(found.value)
}

/// Names of public tokens, without separators.
#[rustfmt::skip] // a list to read, not a column
const PUBLIC_NAMES: &[&str] = &[
    "publickey", "cancellationtoken", "canceltoken", "concurrencytoken", "pagetoken",
    "pagingtoken", "nexttoken", "continuationtoken", "continuetoken", "synctoken",
    "correlationtoken", "tracetoken", "tracingtoken", "trackingtoken",
];

/// Returns whether a value is a call or a cmdlet, as in `token = getToken(scope)` or
/// `password = Read-Host`.
fn is_code(found: &Candidate<'_>) -> bool {
    let name = found.value.split(['(', '{']).next().unwrap_or_default();
    let is_call = name.len() < found.value.len() && is_identifier(name);
    let is_cmdlet = found.value.split_once('-').is_some_and(|(verb, noun)| {
        ["Read", "Get", "New", "ConvertTo", "ConvertFrom"].contains(&verb)
            && noun.starts_with(char::is_uppercase)
    });
    is_call || is_cmdlet
}
