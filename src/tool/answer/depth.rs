//! Limits the nesting depth of answers.

use serde_json::Value;

/// Maximum number of nested arrays and objects in an answer. `System.Text.Json`, which .NET clients
/// use, reads 64 levels by default. The JSON-RPC envelope takes two of them.
const MAX_LEVELS: usize = 60;

/// Text that replaces arrays and objects beyond the limit.
const TOO_DEEP: &str = "[omitted: nested deeper than 60 levels]";

/// Replaces every array and object below [`MAX_LEVELS`] levels with [`TOO_DEEP`].
///
/// The recursion depth is bounded by the limit, also while replaced values are dropped. Later steps
/// may therefore recurse over the answer.
pub(super) fn limit_depth(value: &mut Value) {
    limit(value, MAX_LEVELS);
}

fn limit(value: &mut Value, levels: usize) {
    let is_empty = match &*value {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => true,
    };
    if is_empty {
        return;
    }
    let Some(remaining) = levels.checked_sub(1) else {
        drop_deep(std::mem::replace(value, Value::from(TOO_DEEP)));
        return;
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| limit(item, remaining)),
        Value::Object(entries) => entries.values_mut().for_each(|item| limit(item, remaining)),
        _ => {}
    }
}

/// Drops a value without recursion.
fn drop_deep(value: Value) {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(entries) => rest.extend(entries.into_iter().map(|(_, item)| item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!("core"), |inner, level| {
            if level % 2 == 0 {
                Value::Array(vec![inner])
            } else {
                Value::from_iter([("a", inner)])
            }
        })
    }

    #[test]
    fn replaces_values_that_are_nested_too_deep() {
        let mut shallow = nested(MAX_LEVELS);
        limit_depth(&mut shallow);
        assert_eq!(shallow, nested(MAX_LEVELS));
        for levels in [MAX_LEVELS + 1, 200_000] {
            let mut deep = nested(levels);
            limit_depth(&mut deep);
            let text = deep.to_string();
            assert!(text.contains("[omitted: nested deeper than 60 levels]"), "{text}");
            assert_eq!(text.bytes().filter(|byte| b"[{".contains(byte)).count(), MAX_LEVELS + 1);
        }
    }
}
