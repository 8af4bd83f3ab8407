//! Letting an answer through the one door for text, and within its size.

use serde_json::{Map, Value};

use super::{Passed, fit::fit};
use crate::{
    audit::Bytes,
    text::{
        self,
        keys::{HIDDEN, Keys},
    },
};

/// Lets an answer through the door for text, and within its size.
pub(super) fn passed(mut value: Value, limit: usize, can_ask_for: Option<usize>) -> Passed {
    let bytes = Bytes::default();
    let mut passed = Passed { value: Value::Null, removed: 0, redacted: 0, bytes };
    pass(&mut value, &mut Keys::default(), &mut passed);
    passed.bytes = fit(&mut value, limit, can_ask_for);
    passed.value = value;
    passed
}

/// Lets every text of an answer through the door, names of fields too, and drops what has no value.
/// `keys` remembers a private key that stands line by line in the items of a list.
fn pass(value: &mut Value, keys: &mut Keys, outcome: &mut Passed) {
    match value {
        Value::String(text) => pass_text(text, keys, outcome),
        Value::Array(items) => {
            let mut keys = Keys::default();
            for item in items {
                pass(item, &mut keys, outcome);
            }
        }
        Value::Object(object) => {
            object.retain(|_, item| !item.is_null());
            hide_by_name(object, outcome);
            pass_names(object, outcome);
            object.values_mut().for_each(|item| pass(item, keys, outcome));
        }
        _ => {}
    }
}

fn pass_text(text: &mut String, keys: &mut Keys, outcome: &mut Passed) {
    if !keys.are_absent(text.as_bytes()) {
        let shown = text.lines().map(|line| if keys.hide(line.as_bytes()) { HIDDEN } else { line });
        let shown: Vec<&str> = shown.collect();
        let hidden = shown.iter().filter(|line| **line == HIDDEN).count();
        // A key that is here whole, or up to its end, the door knows.
        if hidden > 0 && text::door(text).redacted == 0 {
            *text = shown.join("\n");
            outcome.redacted += hidden;
        }
    }
    let passed = text::door(text);
    outcome.removed += passed.removed;
    outcome.redacted += passed.redacted;
    if let std::borrow::Cow::Owned(changed) = passed.text {
        *text = changed;
    }
}

/// Lets the names of fields through the door: those of a map were written by somebody as well. Two
/// that become the same are told apart.
fn pass_names(object: &mut Map<String, Value>, outcome: &mut Passed) {
    let is_plain = |name: &String| matches!(text::door(name).text, std::borrow::Cow::Borrowed(_));
    if object.keys().all(is_plain) {
        return;
    }
    for (name, item) in std::mem::take(object) {
        let passed = text::door(&name);
        outcome.removed += passed.removed;
        outcome.redacted += passed.redacted;
        let mut name = passed.text.into_owned();
        while object.contains_key(&name) {
            name.push('_');
        }
        object.insert(name, item);
    }
}

/// Hides values that are secrets by their names: those of fields, and those of an entry with its
/// name beside it.
fn hide_by_name(object: &mut Map<String, Value>, outcome: &mut Passed) {
    for (name, value) in [("name", "value"), ("Name", "Value")] {
        if let (Some(Value::String(name)), Some(Value::String(text))) =
            (object.get(name), object.get(value))
            && let Some(shown) = text::named(name, text)
        {
            outcome.redacted += 1;
            object.insert(value.to_owned(), Value::String(shown));
        }
    }
    for (name, item) in object.iter_mut() {
        if let Value::String(text) = item
            && let Some(shown) = text::named(name, text)
        {
            outcome.redacted += 1;
            *text = shown;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_names_and_lists_pass_and_are_counted() {
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
                json!({ "lines": ["a", begin, line, { "text": line }, end, line] }),
                json!({ "lines": ["a", "[redacted:private-key]", "[redacted:private-key]",
                    { "text": "[redacted:private-key]" }, end, line] }),
                0,
                3,
            ),
        ] {
            let passed = passed(value, 10_000, None);
            assert_eq!(passed.value, shown);
            assert_eq!((passed.removed, passed.redacted), (removed, redacted), "{shown}");
        }
    }
}
