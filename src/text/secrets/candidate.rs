//! Telling a secret from what only stands where a secret could stand.
//!
//! Deployment logs are full of `token: expired`, `Password = $(DbPassword)` and
//! `PublicKeyToken=…`. A log that hides those is of no use, so every rule that goes by names asks
//! here what it found.

use std::ops::Range;

use super::{
    REPLACEMENT,
    value::{
        is_count, is_guid, is_identifier, is_mixed, is_ordinary, is_path, is_place, is_state,
        is_wordy,
    },
};

/// Something that a rule found, with what stands around it.
pub(super) struct Candidate<'t> {
    /// All text before the match, for what a name begins with.
    before: &'t str,
    /// The match up to the value: the name and what assigns it.
    lead: &'t str,
    /// The value.
    pub(super) value: &'t str,
    /// All text after the value.
    after: &'t str,
}

impl<'t> Candidate<'t> {
    pub(super) fn read(text: &'t str, whole: &Range<usize>, at: &Range<usize>) -> Option<Self> {
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

    /// `NAME=value` with no space, as settings and command lines write it and prose does not.
    fn is_tight(&self) -> bool {
        self.lead.ends_with('=') && !self.lead.contains([' ', '\t'])
    }

    /// Whether words follow on the same line, as in `password: must be longer`.
    fn is_prose(&self) -> bool {
        let is_word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphabetic);
        let next = self.after.strip_prefix(' ').and_then(|after| after.split([' ', '\n']).next());
        is_word(self.value) && next.is_some_and(is_word)
    }

    /// The name in lower case and without what parts its words, with what stands before the match.
    fn name(&self) -> String {
        let is_outside = |c: char| !(c.is_alphanumeric() || "_-.".contains(c));
        let beginning = self.before.rsplit(is_outside).next().unwrap_or_default();
        let letters = beginning.chars().chain(self.lead.chars()).filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    }
}

/// Whether the value of a password's name is a password.
pub(super) fn is_password(found: &Candidate<'_>) -> bool {
    if is_ordinary(found.value) || is_place(found.value) || is_count(found.value) {
        return false;
    }
    // `PWD` is the folder that a shell is in, too.
    if is_path(found.value) && found.name().ends_with("pwd") {
        return false;
    }
    // Octopus masks nothing shorter than four characters either.
    found.is_tight()
        || found.is_quoted()
        || (found.value.chars().count() >= 4 && !found.is_prose() && !is_code(found))
}

/// Whether a value behind a `;` is a password. It can hold spaces where its end is marked.
pub(super) fn is_in_connection_string(found: &Candidate<'_>) -> bool {
    let has_end = found.after.starts_with([';', '"', '\'', '\\']);
    (has_end || !found.value.contains(' ')) && !is_ordinary(found.value)
}

/// Whether the value of a key's name is a key.
pub(super) fn is_key(found: &Candidate<'_>) -> bool {
    is_not_named(found)
        && is_password(found)
        && found.value.chars().count() >= 8
        && (found.is_tight() || found.is_quoted_word() || is_generated(found))
}

/// Whether the value after `token`, `secret` or `credential` is one. The words are common, so the
/// value has to look generated, except where a variable of the environment is set.
pub(super) fn is_token(found: &Candidate<'_>) -> bool {
    let is_environment = found.is_tight() && !found.lead.contains(char::is_lowercase);
    is_not_named(found)
        && is_password(found)
        && ((is_environment && found.value.chars().count() >= 6) || is_generated(found))
}

/// Whether a value in an `Authorization` header is a credential.
pub(super) fn is_header_value(found: &Candidate<'_>) -> bool {
    let is_word = found.value.len() < 20 && found.value.chars().skip(1).all(char::is_lowercase);
    found.value.len() >= 8 && !is_word && !is_ordinary(found.value)
}

/// Whether a value in quotes or tags of its own is a secret.
pub(super) fn is_quoted_value(found: &Candidate<'_>) -> bool {
    !is_ordinary(found.value) && !is_place(found.value)
}

/// Whether a value looks generated.
pub(super) fn is_generated(found: &Candidate<'_>) -> bool {
    !is_wordy(found.value) || is_guid(found.value)
}

/// Whether a value looks like a name and a password in base64.
pub(super) fn is_encoded(found: &Candidate<'_>) -> bool {
    is_generated(found) || found.value.ends_with('=')
}

/// Whether what stands before the `@` of an address is a password, and no tag of an image before
/// its digest.
pub(super) fn is_url_password(found: &Candidate<'_>) -> bool {
    !found.after.starts_with("@sha256:")
        && !found.lead.ends_with(REPLACEMENT)
        && !is_ordinary(found.value)
}

/// Whether what stands before the `@` of an address is a token, and no name in camel case.
pub(super) fn is_url_token(found: &Candidate<'_>) -> bool {
    is_generated(found) && found.value.bytes().filter(u8::is_ascii_digit).count() > 1
}

/// Whether a value alone on the line below its name is a password.
pub(super) fn is_password_below(found: &Candidate<'_>) -> bool {
    is_argument(found)
        && if found.is_quoted() {
            found.is_quoted_word() && found.value.len() >= 4 && !is_state(found.value)
        } else {
            is_alone(found.value) && found.value.len() >= 6 && is_mixed(found.value)
        }
}

/// Whether a value alone on the line below its name is a key or token.
pub(super) fn is_key_below(found: &Candidate<'_>) -> bool {
    is_not_named(found)
        && is_argument(found)
        && is_generated(found)
        && (found.is_quoted_word() || is_alone(found.value))
}

/// Whether a line that is one word is no setting, item, comment or path.
fn is_alone(value: &str) -> bool {
    !value.starts_with(|c: char| "-[#.(*+|{~".contains(c))
        && !value.trim_end_matches('=').contains([':', '='])
        && !is_path(value)
}

/// Whether a value after `/pass:` is a password, and no part of a route.
pub(super) fn is_switch(found: &Candidate<'_>) -> bool {
    is_argument(found) && is_mixed(found.value) && !found.value.contains('/')
}

/// Whether the word after the user of `net user` is a password: no switch, and no prose.
pub(super) fn is_positional(found: &Candidate<'_>) -> bool {
    is_argument(found)
        && !found.value.starts_with(['/', '[', '|', '*'])
        && (is_mixed(found.value) || found.after.trim_start_matches('"').starts_with(" /"))
}

/// Whether the last field of a line with the form of `.pgpass` is a password.
pub(super) fn is_in_pgpass(found: &Candidate<'_>) -> bool {
    is_quoted_value(found)
        && found.value.chars().count() >= 4
        && (is_mixed(found.value) || (found.lead.contains(":*:") && !is_state(found.value)))
}

/// Whether the word after the name of a setting is its value, and not what is said of it.
pub(super) fn is_setting(found: &Candidate<'_>) -> bool {
    let is_last = found.after.is_empty() || found.after.starts_with(['\n', '\r', '"', '\'']);
    is_argument(found)
        && !found.is_prose()
        && (is_mixed(found.value)
            || found.is_quoted()
            || found.lead.contains([':', '='])
            || (is_last && !is_state(found.value)))
}

/// Whether a value after `user=a pass=` is a password, and no count or outcome of tests.
pub(super) fn is_beside_user(found: &Candidate<'_>) -> bool {
    is_quoted_value(found)
        && (is_mixed(found.value)
            || ((found.is_tight() || found.is_quoted())
                && found.value.chars().count() >= 4
                && found.value.contains(char::is_alphabetic)
                && !is_state(found.value)))
}

/// Whether a value has the look of a password, where words are as likely.
pub(super) fn is_random(found: &Candidate<'_>) -> bool {
    is_quoted_value(found) && is_mixed(found.value)
}

/// Whether a value after the word for a password in another language is one. What is said of a
/// password in that language is not known here, so a plain word has to be set as a value is.
pub(super) fn is_foreign(found: &Candidate<'_>) -> bool {
    let is_set = found.is_tight() || found.is_quoted_word();
    is_random(found)
        || (is_set && is_quoted_value(found) && found.value.len() >= 4 && !is_count(found.value))
}

/// Whether the argument of a command is a password, and no further flag.
pub(super) fn is_argument(found: &Candidate<'_>) -> bool {
    !found.value.starts_with('-') && is_quoted_value(found) && !is_count(found.value)
}

/// Whether what follows `the password is` is one, and not what is said of it.
pub(super) fn is_told(found: &Candidate<'_>) -> bool {
    let value = found.value.trim_end_matches(['.', '!', '?']);
    if is_ordinary(value) || is_place(value) || is_count(value) || value.chars().count() < 4 {
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
            && (is_introduced || (is_last && !is_state(value)))
            && !found.is_prose())
}

/// Whether the name is free of what makes a key or token public or passing.
pub(super) fn is_not_named(found: &Candidate<'_>) -> bool {
    let mut name = found.name();
    // The words before, where a space alone parts them: `page token`, `public key token`.
    let mut before = found.before;
    for _ in 0..2 {
        let Some(rest) = before.strip_suffix(' ') else { break };
        let word = rest.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        name.insert_str(0, &word.to_lowercase());
        before = rest.strip_suffix(word).unwrap_or_default();
    }
    !PUBLIC_NAMES.iter().any(|public| name.contains(public)) && !is_ordinary(found.value)
}

/// Names of tokens that anybody may see, without what parts their words.
#[rustfmt::skip] // a list to read, not a column
const PUBLIC_NAMES: &[&str] = &[
    "publickey", "cancellationtoken", "canceltoken", "concurrencytoken", "pagetoken",
    "pagingtoken", "nexttoken", "continuationtoken", "continuetoken", "synctoken",
    "correlationtoken", "tracetoken", "tracingtoken", "trackingtoken",
];

/// A call or a type, as in `password = Read-Host` or `token = getToken(scope)`.
fn is_code(found: &Candidate<'_>) -> bool {
    let name = found.value.split(['(', '{']).next().unwrap_or_default();
    let is_call = name.len() < found.value.len() && is_identifier(name);
    let is_cmdlet = found.value.split_once('-').is_some_and(|(verb, noun)| {
        ["Read", "Get", "New", "ConvertTo", "ConvertFrom"].contains(&verb)
            && noun.starts_with(char::is_uppercase)
    });
    is_call || is_cmdlet
}
