//! What Octopus answered to any request, as far as it can be read.

use serde_json::Value;

use crate::{
    octopus::{Answer, Path, document},
    text::sanitize::sanitize,
    tool::Error,
};

/// What to do with an answer that cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Refuse it.
    Refuse,
    /// Say what it is: the change has been made, and a failure would hide it.
    Describe,
}

/// JSON without `Links`, or text.
pub(super) fn read(answer: &Answer, path: &Path, strictness: Strictness) -> Result<Value, Error> {
    let kind = answer.content_type.as_str();
    if answer.body.is_empty() {
        return Ok(Value::String(String::new()));
    }
    let is_json = kind.ends_with("/json") || kind.ends_with("+json");
    // A page of HTML is no answer of the API: a sign-in page, or a proxy's.
    if is_json || kind == "text/html" {
        match (answer.json::<Value>(&path.route()), strictness) {
            (Ok(value), _) => return Ok(document::raw(value)),
            (Err(error), Strictness::Refuse) => return Err(error.into()),
            (Err(_), Strictness::Describe) => {}
        }
    }
    let is_text = kind.starts_with("text/")
        || ["xml", "yaml", "json"].iter().any(|ending| kind.ends_with(ending));
    match std::str::from_utf8(&answer.body) {
        Ok(text) if is_text => Ok(Value::String(text.to_owned())),
        _ => {
            let kind = if kind.is_empty() { "of no type" } else { kind };
            let what = format!("{} bytes ({kind}), which are no text", answer.body.len());
            match strictness {
                Strictness::Describe => Ok(Value::String(format!("[{what}]"))),
                Strictness::Refuse => Err(Error::Invalid(format!(
                    "Octopus answers with {what}; download it in the portal"
                ))),
            }
        }
    }
}

/// Whether it holds a word that stands for a secret which was taken out.
pub(super) fn holds_redacted(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("[redacted"),
        Value::Array(items) => items.iter().any(holds_redacted),
        Value::Object(object) => object.values().any(holds_redacted),
        _ => false,
    }
}

/// A body as a person can see it: what is invisible is written as an escape.
pub(super) fn visible(body: &Value) -> String {
    let mut seen = String::new();
    for letter in body.to_string().chars() {
        let mut bytes = [0; 4];
        let one: &str = letter.encode_utf8(&mut bytes);
        if letter.is_ascii() || sanitize(one).text == one {
            seen.push(letter);
        } else {
            seen.extend(one.encode_utf16().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    seen
}
