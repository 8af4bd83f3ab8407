//! How long text in arguments may be.
//!
//! One limit holds for every argument of every tool, because most are names, IDs and words to search for
//! that become parts of a URL. Arguments with legitimately long text are listed by name. What becomes a
//! URL has a limit of its own beside these (`octopus/path.rs`), and all of a call fits into
//! `http.body_limit`.

use serde_json::Value;

use super::Error;

/// The most characters of a text. Names in Octopus have 200 at most.
const MAX_TEXT: usize = 1_000;
/// Arguments that may be longer, and how many characters each text in them may have.
const LONGER: &[(&str, usize)] = &[
    // Become a body, and are bounded with it.
    ("body", usize::MAX),
    // Markdown, reasons and descriptions that people write.
    ("releaseNotes", 100_000),
    ("notes", 100_000),
    ("description", 10_000),
    ("deploymentFreezeOverrideReason", 10_000),
    // Values of variables and custom fields: certificates and scripts among them.
    ("variables", 100_000),
    ("promptedVariableValues", 100_000),
    ("customFields", 100_000),
    // A sealed code.
    ("confirm", 16_000),
    // Have limits of their own, with words of their own.
    ("path", 10_000),
    ("query", 10_000),
    ("pattern", 10_000),
    ("url", 10_000),
    ("uri", 10_000),
    // One text may be a list with commas.
    ("tags", 10_000),
    ("tenantTags", 10_000),
];
/// How many characters of an unknown name are repeated.
const MAX_SHOWN: usize = 80;

/// Checks every text in the value of an argument.
///
/// # Errors
///
/// [`Error::Argument`] with the length and the limit where a text is longer than its argument allows.
pub(super) fn check(name: &str, value: &Value) -> Result<(), Error> {
    let longer = LONGER.iter().find(|(argument, _)| *argument == name);
    let limit = longer.map_or(MAX_TEXT, |(_, limit)| *limit);
    let Some(length) = longest(value, limit) else { return Ok(()) };
    let reason = format!(
        "this has {length} characters, and {limit} is the limit; send the name or the ID alone, or less \
         text"
    );
    Err(Error::Argument { field: name.to_owned(), reason })
}

/// The length of the first text that is longer than the limit.
fn longest(value: &Value, limit: usize) -> Option<usize> {
    let over = |text: &str| {
        // A character has a byte at least.
        let length = if text.len() > limit { text.chars().count() } else { 0 };
        (length > limit).then_some(length)
    };
    match value {
        Value::String(text) => over(text),
        Value::Array(values) => values.iter().find_map(|value| longest(value, limit)),
        Value::Object(object) => {
            object.iter().find_map(|(key, value)| over(key).or_else(|| longest(value, limit)))
        }
        _ => None,
    }
}

/// The name of an argument that no tool takes, as far as a message repeats it.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(MAX_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(name: &str, value: &Value) -> Result<(), String> {
        check(name, value).map_err(|error| error.to_string())
    }

    #[test]
    fn text_is_limited_wherever_it_stands() {
        let (fits, long) = ("\u{e9}".repeat(MAX_TEXT), "x".repeat(MAX_TEXT + 1));
        for value in [json!(fits), json!([fits]), json!({ "a": [{ "b": fits }] }), json!(7)] {
            assert_eq!(checked("space", &value), Ok(()));
        }
        for value in [json!(long), json!(["a", long]), json!({ "a": [long] }), json!({ (long): 1 })]
        {
            let said = checked("space", &value).unwrap_err();
            assert!(
                said.contains("space: this has 1001 characters, and 1000 is the limit"),
                "{said}"
            );
        }
    }

    #[test]
    fn long_text_is_accepted_where_it_belongs() {
        let notes = "x".repeat(100_000);
        for name in ["releaseNotes", "body", "variables"] {
            assert_eq!(checked(name, &json!({ "a": notes })), Ok(()), "{name}");
        }
        let said = checked("releaseNotes", &json!(format!("{notes}x"))).unwrap_err();
        assert!(said.contains("100000 is the limit"), "{said}");
        assert!(shown(&notes).len() < 200);
    }
}
