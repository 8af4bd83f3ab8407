//! Sanitizes answers and truncates them to their maximum size.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{depth::limit_depth, part::DocumentPart, truncate::truncate};
use crate::{
    audit::ResponseBytes,
    compute::{ComputeError, ComputeScope, INLINE_BYTES},
    sanitize::{line_sanitizer::LineSanitizer, redact_named_value, sanitize},
    text::step_counter,
    tool::SanitizedAnswer,
};

/// Sanitizes and truncates an answer, in the compute pool if it is large. `part` is the part of its
/// document that the call requests, if the tool can return parts.
pub(in crate::tool) async fn sanitize_in_pool(
    compute: &ComputeScope,
    value: Value,
    limit: usize,
    max_limit: Option<usize>,
    part: Option<DocumentPart>,
) -> Result<SanitizedAnswer, ComputeError> {
    let size = size_up_to(&value, INLINE_BYTES + 1);
    let sanitize = move || sanitize_and_truncate(value, limit, max_limit, part.as_ref());
    compute.run_sized(size, sanitize).await
}

/// Estimates the size of a value as JSON in bytes. Stops at `most` bytes, so the time is bounded
/// for larger values.
fn size_up_to(value: &Value, max: usize) -> usize {
    /// Minimum size of a value with its separator.
    const MIN_SIZE: usize = 4;
    let mut left = max;
    let mut values = vec![value];
    while let Some(value) = values.pop()
        && left > 0
    {
        left = left.saturating_sub(MIN_SIZE);
        match value {
            Value::String(text) => left = left.saturating_sub(text.len()),
            Value::Array(items) => values.extend(items.iter().take(left / MIN_SIZE + 1)),
            Value::Object(object) => {
                for (name, item) in object.iter().take(left / MIN_SIZE + 1) {
                    left = left.saturating_sub(name.len());
                    values.push(item);
                }
            }
            _ => {}
        }
    }
    max - left
}

/// Sanitizes and truncates an answer.
fn sanitize_and_truncate(
    mut value: Value,
    limit: usize,
    max_limit: Option<usize>,
    part: Option<&DocumentPart>,
) -> SanitizedAnswer {
    let bytes = ResponseBytes::default();
    let mut sanitized = SanitizedAnswer { value: Value::Null, removed: 0, redacted: 0, bytes };
    limit_depth(&mut value);
    sanitize_value(&mut value, "", &mut TextStates::default(), &mut sanitized);
    if let Some(part) = part {
        part.select(&mut value);
    }
    sanitized.bytes = truncate(&mut value, limit, max_limit, part);
    sanitized.value = value;
    sanitized
}

/// Sanitizer state of the texts of a list, by field name. Texts in fields of the same name continue
/// one another, like the messages of a log.
type TextStates = BTreeMap<String, LineSanitizer>;

/// Sanitizes every text of a value, including names of fields, and removes null fields. `fields`
/// carries the state from one item of a list to the next. `field` is the field that holds the
/// value.
fn sanitize_value(
    value: &mut Value,
    field: &str,
    fields: &mut TextStates,
    answer: &mut SanitizedAnswer,
) {
    match value {
        Value::String(text) => {
            if !fields.contains_key(field) {
                fields.insert(field.to_owned(), LineSanitizer::default());
            }
            if let Some(lines) = fields.get_mut(field) {
                sanitize_text(text, lines, answer);
            }
        }
        Value::Array(items) => {
            let mut fields = TextStates::default();
            for item in items {
                sanitize_value(item, "", &mut fields, answer);
            }
        }
        Value::Object(object) => {
            object.retain(|_, item| !item.is_null());
            redact_by_name(object, answer);
            sanitize_names(object, answer);
            object.iter_mut().for_each(|(field, item)| sanitize_value(item, field, fields, answer));
        }
        _ => {}
    }
}

fn sanitize_text(text: &mut String, lines: &mut LineSanitizer, answer: &mut SanitizedAnswer) {
    let sanitized = lines.sanitize_next(text);
    answer.removed += sanitized.removed;
    answer.redacted += sanitized.redactions;
    if let std::borrow::Cow::Owned(changed) = sanitized.text {
        *text = changed;
    }
}

/// Sanitizes the names of fields, because names in a map are user-written too. Adds a number to
/// names that become equal.
fn sanitize_names(object: &mut Map<String, Value>, answer: &mut SanitizedAnswer) {
    let is_plain = |name: &String| matches!(sanitize(name).text, std::borrow::Cow::Borrowed(_));
    if object.keys().all(is_plain) {
        return;
    }
    let mut numbers = HashMap::new();
    for (name, item) in std::mem::take(object) {
        let sanitized = sanitize(&name);
        answer.removed += sanitized.removed;
        answer.redacted += sanitized.redactions;
        let name = free_name(sanitized.text.into_owned(), object, &mut numbers);
        object.insert(name, item);
    }
}

/// Returns the name if it is free, otherwise `name_`, then `name_3`, `name_4` and so on.
///
/// `numbers` holds the last number that was tried for each name, and no number is tried twice for
/// one name. A key of `object` is tried for at most one name, because the name and the number can
/// be parsed from it. So all calls together try at most twice as many names as there are keys.
fn free_name(
    name: String,
    object: &Map<String, Value>,
    numbers: &mut HashMap<String, usize>,
) -> String {
    step_counter::add(1);
    if !object.contains_key(&name) {
        return name;
    }
    let number = numbers.entry(name.clone()).or_insert(1);
    loop {
        step_counter::add(1);
        *number += 1;
        let tried = match *number {
            2 => format!("{name}_"),
            number => format!("{name}_{number}"),
        };
        if !object.contains_key(&tried) {
            return tried;
        }
    }
}

/// Redacts values whose field name marks them as secret, and values of entries with a separate name
/// field.
fn redact_by_name(object: &mut Map<String, Value>, answer: &mut SanitizedAnswer) {
    for (name, value) in [("name", "value"), ("Name", "Value")] {
        if let (Some(Value::String(name)), Some(Value::String(text))) =
            (object.get(name), object.get(value))
            && let Some(shown) = redact_named_value(name, text)
        {
            answer.redacted += 1;
            object.insert(value.to_owned(), Value::String(shown));
        }
    }
    for (name, item) in object.iter_mut() {
        if let Value::String(text) = item
            && let Some(shown) = redact_named_value(name, text)
        {
            answer.redacted += 1;
            *text = shown;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An object whose names become equal when invisible characters are removed.
    fn colliding(names: usize) -> Value {
        let name = |n: usize| {
            let bits = (0..16).map(|bit| if n >> bit & 1 == 0 { '\u{200b}' } else { '\u{200c}' });
            format!("x{}", bits.collect::<String>())
        };
        (0..names).map(|n| (name(n), json!(n))).collect()
    }

    #[test]
    fn numbers_equal_names_in_linear_time() {
        let count = |names: usize| {
            step_counter::count(|| sanitize_and_truncate(colliding(names), 100_000_000, None, None))
                .1
        };
        let (few, many) = (count(250), count(1000));
        assert!(many <= few * 5, "{few} steps for 250 names, {many} for 1000");
        let shown = sanitize_and_truncate(colliding(1000), 1_000_000, None, None).value;
        let names: Vec<&String> = shown.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 1000);
        assert_eq!(names[..4], ["x", "x_", "x_3", "x_4"]);
        assert!(names.iter().all(|name| name.len() <= 6));
    }

    #[test]
    fn estimates_size_without_reading_large_answers() {
        let max = INLINE_BYTES + 1;
        let wide: Value = (0..100_000).map(|_| Value::Null).collect::<Vec<_>>().into();
        let keys: Map<String, Value> =
            (0..10_000).map(|n| (format!("key number {n}"), json!({}))).collect();
        let deep = (0..100).fold(json!("x".repeat(max)), |inner, _| json!([inner]));
        for large in [wide, keys.into(), deep, json!("x".repeat(max))] {
            assert_eq!(size_up_to(&large, max), max);
        }
        for (small, bytes) in [(json!({ "a": ["bc", 1] }), 19), (json!("x"), 5), (json!(null), 4)] {
            assert_eq!(size_up_to(&small, max), bytes, "{small}");
        }
    }

    #[test]
    fn sanitizes_values_names_and_lists() {
        let key = "API-FAKEFAKEFAKEFAKEFAKE1";
        let line = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";
        let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
        for (value, shown, removed, redacted) in [
            (
                json!({ "a": [key, "b\u{200b}"] }),
                json!({ "a": ["[redacted:octopus-api-key]", "b"] }),
                1,
                1,
            ),
            (
                json!({ key: 1, "x\u{202e}": 2, "x": 3 }),
                json!({ "[redacted:octopus-api-key]": 1, "x": 2, "x_": 3 }),
                1,
                1,
            ),
            (
                json!({ "name": "Db.Password", "value": "hunter2" }),
                json!({ "name": "Db.Password", "value": "[redacted:password]" }),
                0,
                1,
            ),
            (
                json!({ "Db.Password": "hunter2", "Db.Host": "hunter2" }),
                json!({ "Db.Password": "[redacted:password]", "Db.Host": "hunter2" }),
                0,
                1,
            ),
            (
                json!({ "password": "********", "nothing": null }),
                json!({ "password": "********" }),
                0,
                0,
            ),
            (
                json!({ "lines": ["a", begin, line, line, end, line] }),
                json!({ "lines": ["a", "[redacted:private-key]", "[redacted:private-key]",
                    "[redacted:private-key]", end, line] }),
                0,
                3,
            ),
            (
                json!({ "lines": [{ "of": "Info", "text": begin }, { "of": "Info", "text": line },
                    { "of": "Info", "text": "RkFLRQ==" }, { "of": "Info", "text": end }] }),
                json!({ "lines": [{ "of": "Info", "text": "[redacted:private-key]" },
                    { "of": "Info", "text": "[redacted:private-key]" },
                    { "of": "Info", "text": "[redacted:private-key]" },
                    { "of": "Info", "text": end }] }),
                0,
                3,
            ),
            (
                json!({ "lines": [{ "of": "Info", "text": "name: DB_PASSWORD" },
                    { "of": "Info", "text": "value: hunter2" }], "text": "value: hunter2" }),
                json!({ "lines": [{ "of": "Info", "text": "name: DB_PASSWORD" },
                    { "of": "Info", "text": "value: [redacted:password]" }],
                    "text": "value: hunter2" }),
                0,
                1,
            ),
            (
                json!({ "text": format!("{begin}\nProc-Type: 4\n{line}\npwd=hunter2") }),
                json!({ "text": "[redacted:private-key]\nProc-Type: 4\n[redacted:private-key]\n\
                    pwd=[redacted:password]" }),
                0,
                3,
            ),
        ] {
            let sanitized = sanitize_and_truncate(value, 10_000, None, None);
            assert_eq!(sanitized.value, shown);
            assert_eq!((sanitized.removed, sanitized.redacted), (removed, redacted), "{shown}");
        }
    }
}
