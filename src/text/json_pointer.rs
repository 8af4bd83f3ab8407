//! JSON pointers (RFC 6901): `/Phases/2/Name` is the field `Name` of the third item of `Phases`.

/// Appends a field name or index to a pointer, with `~` and `/` escaped.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for letter in token.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            letter => pointer.push(letter),
        }
    }
}

/// Returns the rest of a pointer below `base`; `None` if it is not `base` or below it.
pub fn rest_below<'p>(pointer: &'p str, base: &str) -> Option<&'p str> {
    let rest = pointer.strip_prefix(base)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Splits the first token, which must be an index, from a pointer.
pub fn split_index(pointer: &str) -> Option<(usize, &str)> {
    let tokens = pointer.strip_prefix('/')?;
    let end = tokens.find('/').unwrap_or(tokens.len());
    let (token, rest) = tokens.split_at(end);
    Some((token.parse().ok()?, rest))
}

/// Returns the pointer without its last token; `None` for the pointer to the whole document.
pub fn parent(pointer: &str) -> Option<&str> {
    pointer.rfind('/').map(|end| pointer.split_at(end).0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn splits_pointers_at_tokens() {
        assert_eq!(rest_below("/a/b", "/a"), Some("/b"));
        assert_eq!(rest_below("/a", "/a"), Some(""));
        assert_eq!(rest_below("/ab", "/a"), None);
        assert_eq!(split_index("/12/x"), Some((12, "/x")));
        assert_eq!(split_index("/x/1"), None);
        assert_eq!(split_index(""), None);
        assert_eq!(parent("/a/b"), Some("/a"));
        assert_eq!(parent("/a"), Some(""));
        assert_eq!(parent(""), None);
    }

    proptest! {
        /// `serde_json` resolves every pointer that is written here.
        #[test]
        fn written_pointers_are_resolved(tokens in prop::collection::vec("[a~/0-9 ]{0,4}", 0..4)) {
            let (mut pointer, mut document) = (String::new(), json!("end"));
            for token in &tokens {
                push_token(&mut pointer, token);
            }
            for token in tokens.iter().rev() {
                document = json!({ (token.as_str()): document });
            }
            prop_assert_eq!(document.pointer(&pointer), Some(&Value::from("end")));
        }
    }
}
