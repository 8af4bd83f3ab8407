//! Rewrites error messages of serde for callers, because they contain names of Rust types.

/// Serde's names of types, and the names shown to callers.
const TYPES: [(&str, &str); 10] = [
    ("u32", "a whole number from 0"),
    ("u64", "a whole number from 0"),
    ("usize", "a whole number from 0"),
    ("i64", "a whole number"),
    ("f64", "a number"),
    ("a string", "a text"),
    ("a boolean", "true or false"),
    ("a sequence", "a list"),
    ("a map", "an object"),
    ("variant identifier", "one of its words"),
];

/// Returns the message of serde with the names of Rust types replaced.
pub(in crate::tool) fn without_rust_types(reason: &str) -> String {
    if let Some(rest) = reason.strip_prefix("unknown variant") {
        return format!("unknown word{rest}");
    }
    let Some((given, expected)) = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| reason.strip_prefix(start)?.split_once(", expected "))
    else {
        return reason.to_owned();
    };
    let expected = match TYPES.iter().find(|(serde_name, _)| *serde_name == expected) {
        Some((_, shown)) => shown,
        None if expected.starts_with("struct ") => "an object",
        None => expected,
    };
    format!("expected {expected}, not {}", given_type(given))
}

/// Returns the type of the rejected value. Omits the value that serde quotes, because the caller
/// sent it.
fn given_type(given: &str) -> &str {
    let kind = given.split([' ', '`', '"']).next().unwrap_or(given);
    match kind {
        "string" => "a text",
        "integer" if given.contains("`-") => "a number below 0",
        "integer" => "this whole number",
        "floating" => "a number with a fraction",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "an object",
        "null" => "null",
        _ => given,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    enum Word {
        A,
        B,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "the test only checks the error of parsing it")]
    struct Inner {
        text: String,
    }

    fn message_of<T: serde::de::DeserializeOwned + std::fmt::Debug>(value: Value) -> String {
        without_rust_types(&serde_json::from_value::<T>(value).unwrap_err().to_string())
    }

    #[test]
    fn names_no_rust_types() {
        for (message, expected) in [
            (message_of::<u32>(json!("5")), "expected a whole number from 0, not a text"),
            (message_of::<u32>(json!(-1)), "expected a whole number from 0, not a number below 0"),
            (
                message_of::<u32>(json!(1.5)),
                "expected a whole number from 0, not a number with a fraction",
            ),
            (
                message_of::<u32>(json!(5_000_000_000_u64)),
                "expected a whole number from 0, not this whole number",
            ),
            (message_of::<String>(json!([1])), "expected a text, not a list"),
            (message_of::<bool>(json!("yes")), "expected true or false, not a text"),
            (message_of::<Vec<String>>(json!({})), "expected a list, not an object"),
            (message_of::<Inner>(json!("x")), "expected an object, not a text"),
            (message_of::<Word>(json!("C")), "unknown word `C`, expected `A` or `B`"),
        ] {
            assert_eq!(message, expected);
        }
        let both = [json!("A"), json!("B")].map(serde_json::from_value::<Word>);
        assert!(matches!(both, [Ok(Word::A), Ok(Word::B)]));
    }
}
