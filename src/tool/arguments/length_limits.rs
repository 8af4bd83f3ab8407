//! Maximum length of text in arguments.
//!
//! One limit applies to every argument of every tool, because most are names, IDs and search words
//! that become parts of a URL. Arguments that take long text are listed by name. URLs have their
//! own limit (`octopus/path.rs`), and `http.body_limit` bounds the whole call.

use serde_json::Value;

use crate::tool::Error;

/// Maximum number of characters of a text. Names in Octopus have at most 200.
const MAX_CHARACTERS: usize = 1_000;
/// Arguments with a higher limit, and the maximum number of characters of each text in them.
const LONG_ARGUMENTS: &[(&str, usize)] = &[
    // Request bodies: `http.body_limit` bounds them.
    ("body", usize::MAX),
    // Markdown, reasons and descriptions that people write.
    ("releaseNotes", 100_000),
    ("notes", 100_000),
    ("description", 10_000),
    ("deploymentFreezeOverrideReason", 10_000),
    // Values of variables and custom fields, e.g. certificates and scripts.
    ("variables", 100_000),
    ("promptedVariableValues", 100_000),
    ("customFields", 100_000),
    // A sealed approval code.
    ("confirm", 16_000),
    // Arguments that check their own limits, with specific error messages.
    ("path", 10_000),
    ("query", 10_000),
    ("pattern", 10_000),
    ("url", 10_000),
    ("uri", 10_000),
    // One text may be a comma-separated list.
    ("tags", 10_000),
    ("tenantTags", 10_000),
];
/// Maximum number of characters of an unknown argument name in an error message.
const MAX_NAME_IN_MESSAGE: usize = 80;

/// Checks the length of every text in the value of an argument.
///
/// # Errors
///
/// Returns [`Error::Argument`] with the length and the limit if a text is too long.
pub(in crate::tool) fn check_length(name: &str, value: &Value) -> Result<(), Error> {
    let own_limit = LONG_ARGUMENTS.iter().find(|(argument, _)| *argument == name);
    let limit = own_limit.map_or(MAX_CHARACTERS, |(_, limit)| *limit);
    let Some(length) = first_too_long(value, limit) else { return Ok(()) };
    let reason = format!(
        "{length} characters are too many; the limit is {limit}. Send only the name or ID, or a \
         shorter text"
    );
    Err(Error::Argument { field: name.to_owned(), reason })
}

/// Returns the length of the first text that exceeds the limit.
fn first_too_long(value: &Value, limit: usize) -> Option<usize> {
    let too_long = |text: &str| {
        // A character takes at least one byte, so short texts need no counting.
        let length = if text.len() > limit { text.chars().count() } else { 0 };
        (length > limit).then_some(length)
    };
    match value {
        Value::String(text) => too_long(text),
        Value::Array(values) => values.iter().find_map(|value| first_too_long(value, limit)),
        Value::Object(object) => object
            .iter()
            .find_map(|(key, value)| too_long(key).or_else(|| first_too_long(value, limit))),
        _ => None,
    }
}

/// Returns the name of an unknown argument, shortened for an error message.
pub(in crate::tool) fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME_IN_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(name: &str, value: &Value) -> Result<(), String> {
        check_length(name, value).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_text_at_any_depth() {
        let (fits, long) = ("\u{e9}".repeat(MAX_CHARACTERS), "x".repeat(MAX_CHARACTERS + 1));
        for value in [json!(fits), json!([fits]), json!({ "a": [{ "b": fits }] }), json!(7)] {
            assert_eq!(checked("space", &value), Ok(()));
        }
        for value in [json!(long), json!(["a", long]), json!({ "a": [long] }), json!({ (long): 1 })]
        {
            let message = checked("space", &value).unwrap_err();
            assert!(
                message.contains("space: 1001 characters are too many; the limit is 1000"),
                "{message}"
            );
        }
    }

    #[test]
    fn accepts_long_text_in_listed_arguments() {
        let notes = "x".repeat(100_000);
        for name in ["releaseNotes", "body", "variables"] {
            assert_eq!(checked(name, &json!({ "a": notes })), Ok(()), "{name}");
        }
        let message = checked("releaseNotes", &json!(format!("{notes}x"))).unwrap_err();
        assert!(message.contains("the limit is 100000"), "{message}");
        assert!(shortened(&notes).len() < 200);
    }
}
