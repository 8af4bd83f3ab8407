//! Masks credentials in log lines, spans and audit records.
//!
//! [`mask`] recognises only credentials that have a distinctive form: Octopus API keys, caller
//! tokens of this server and JWTs. It replaces only characters that need no escaping, so masked
//! JSON is still valid JSON. Text from Octopus needs [`super::sanitize()`], which recognises more
//! forms and costs more.

use std::{borrow::Cow, ops::Range};

use memchr::memmem;

/// A credential format.
struct CredentialFormat {
    /// Prefix of every credential of this format.
    prefix: &'static str,
    /// Text that replaces the credential.
    replacement: &'static str,
    /// Returns the length of the credential after its prefix; 0 for no credential.
    length: fn(&[u8]) -> usize,
}

const API_KEY: &str = "[redacted:octopus-api-key]";

const CREDENTIAL_FORMATS: [CredentialFormat; 4] = [
    CredentialFormat { prefix: "API-", replacement: API_KEY, length: api_key_len },
    // An API key in a percent-encoded path.
    CredentialFormat { prefix: "API%2", replacement: API_KEY, length: encoded_api_key_len },
    CredentialFormat {
        prefix: "omcp_",
        replacement: "[redacted:caller-token]",
        length: caller_token_len,
    },
    CredentialFormat { prefix: "eyJ", replacement: "[redacted:jwt]", length: jwt_len },
];

/// Minimum length of an API key after its prefix. Octopus creates keys of 25 characters and more.
const MIN_API_KEY_LEN: usize = 20;
/// Minimum length of a caller token after its prefix. Complete tokens have 64 characters.
const MIN_TOKEN_LEN: usize = 20;
/// Minimum length of the first part of a JWT after its prefix.
const MIN_JWT_HEADER_LEN: usize = 8;

/// Replaces each credential in `text` by `[redacted:KIND]`. Borrows `text` if it contains none.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut found: Vec<(Range<usize>, &str)> = CREDENTIAL_FORMATS
        .iter()
        .flat_map(|form| find(text.as_bytes(), form).map(|range| (range, form.replacement)))
        .collect();
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for (range, replacement) in found {
        // Matches of different formats can overlap; then the text between them is empty.
        masked.push_str(text.get(end..range.start).unwrap_or_default());
        masked.push_str(replacement);
        end = end.max(range.end);
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Finds the credentials of one format, in order.
fn find<'t>(text: &'t [u8], form: &CredentialFormat) -> impl Iterator<Item = Range<usize>> + 't {
    let (prefix, length) = (form.prefix.as_bytes(), form.length);
    let mut end = 0;
    memmem::find_iter(text, prefix).filter_map(move |start| {
        if start < end {
            return None;
        }
        let length = length(text.get(start + prefix.len()..).unwrap_or_default());
        end = start + prefix.len() + length;
        (length > 0).then_some(start..end)
    })
}

fn api_key_len(rest: &[u8]) -> usize {
    let length = run_len(rest, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if length >= MIN_API_KEY_LEN { length } else { 0 }
}

fn encoded_api_key_len(rest: &[u8]) -> usize {
    match rest.split_first() {
        Some((b'd' | b'D', rest)) => match api_key_len(rest) {
            0 => 0,
            length => length + 1,
        },
        _ => 0,
    }
}

fn caller_token_len(rest: &[u8]) -> usize {
    let length = run_len(rest, |byte| byte.is_ascii_alphanumeric());
    if length >= MIN_TOKEN_LEN { length } else { 0 }
}

/// Returns the length of a JWT after its prefix. A JWT has two dots (JWS compact form) or four
/// (JWE); a truncated JWT may lack the last part.
fn jwt_len(rest: &[u8]) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let first = run_len(rest, is_part);
    let is_dot = rest.get(first) == Some(&b'.');
    if first < MIN_JWT_HEADER_LEN || !is_dot {
        return 0;
    }
    let length = run_len(rest, |byte| is_part(byte) || byte == b'.');
    // Trailing dots can be the end of a sentence.
    let dots = rest.get(..length).unwrap_or_default().iter().rev().take_while(|b| **b == b'.');
    length - dots.count()
}

fn run_len(bytes: &[u8], is_of_it: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_of_it(**byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "API-ABCDEFGHIJKLMNOPQRSTUVWXY01";
    const TOKEN: &str = "omcp_1111111111111111111111111111111111111111111111111111111111111111";
    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl-_";

    #[test]
    fn masks_credentials_and_nothing_else() {
        for (text, masked) in [
            (format!("path=/mcp/{KEY}/x"), "path=/mcp/[redacted:octopus-api-key]/x"),
            (KEY.replace('-', "%2D"), "[redacted:octopus-api-key]"),
            (KEY.replace('-', "%2d"), "[redacted:octopus-api-key]"),
            (format!("x{TOKEN}"), "x[redacted:caller-token]"),
            (format!("{{\"a\":\"{JWT}.\"}}"), "{\"a\":\"[redacted:jwt].\"}"),
            (
                format!("{KEY}{TOKEN} {KEY}"),
                "[redacted:octopus-api-key][redacted:caller-token] [redacted:octopus-api-key]",
            ),
        ] {
            assert_eq!(mask(&text), masked, "{text}");
        }
        for text in [
            "",
            "API-GATEWAY",
            "API-",
            "API%2F",
            "api-abcdefghijklmnopqrstuvwxyz",
            "omcp_short",
            "eyJhbGciOiJSUzI1NiJ9",
            "key: Zugangsschlüssel",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_credential_remains_in_any_text(
            before in "[ -~]{0,40}",
            after in "(?s).{0,40}",
            secret in prop::sample::select(vec![KEY, TOKEN, JWT]),
        ) {
            let text = format!("{before}{secret}{after}");
            let masked = mask(&text);
            prop_assert!(!masked.contains(&secret[5..20]), "{masked}");
            prop_assert_eq!(mask(&masked), &*masked);
        }

        #[test]
        fn masked_json_stays_valid_json(value in "[ -~\n\"\\\\]{0,40}") {
            let line = serde_json::json!({ "a": format!("{value}{KEY}{value}{JWT}") }).to_string();
            prop_assert!(serde_json::from_str::<serde_json::Value>(&mask(&line)).is_ok());
        }
    }
}
