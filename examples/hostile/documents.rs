//! Shapes of JSON documents that are expensive to read, to sanitize, to fit or to write.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// A hostile shape of a document. Its existing fields are unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each list repeats its items.
    ManyItems,
    /// An object with as many keys as fit.
    ManyKeys,
    /// Keys that are different secrets, and equal after redaction.
    CollidingKeys,
    /// Texts of 300 bytes.
    ManyTexts,
    /// Lists within lists, as deep as JSON parsers allow.
    Deep,
    /// Texts of 100 KB each in fields that users write.
    LongTexts,
    /// The same, full of secrets.
    Secrets,
    /// The same, full of invisible characters.
    Invisible,
    /// Numbers in one list.
    Numbers,
}

/// Placeholder for text that is inserted into a serialized document.
const PLACEHOLDER: &str = "placeholder for nested lists";

impl Shape {
    pub const ALL: [Self; 9] = [
        Self::ManyItems,
        Self::ManyKeys,
        Self::CollidingKeys,
        Self::ManyTexts,
        Self::Deep,
        Self::LongTexts,
        Self::Secrets,
        Self::Invisible,
        Self::Numbers,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ManyItems => "many items",
            Self::ManyKeys => "many keys",
            Self::CollidingKeys => "colliding keys",
            Self::ManyTexts => "many texts",
            Self::Deep => "deep nesting",
            Self::LongTexts => "long texts",
            Self::Secrets => "texts of secrets",
            Self::Invisible => "invisible texts",
            Self::Numbers => "numbers",
        }
    }

    /// Gives a document this shape and about `size` bytes.
    pub fn apply(self, mut document: Value, size: usize) -> Bytes {
        match self {
            Self::ManyItems => {
                let mut budget = size;
                repeat_items(&mut document, &mut budget, 0);
            }
            Self::ManyKeys => {
                let keys = (0..size / 24).map(|n| (format!("Key{n:012}"), json!(n)));
                add(&mut document, "Wide", keys.collect::<Map<_, _>>().into());
            }
            Self::CollidingKeys => {
                let key = |n: usize| format!("API-{n:0>28}").replace('0', "A");
                let keys = (0..(size / 40).min(8_000)).map(|n| (key(n), json!(n)));
                add(&mut document, "Colliding", keys.collect::<Map<_, _>>().into());
            }
            Self::ManyTexts => {
                let text = "a word or two ".repeat(22);
                let texts = (0..size / 310).map(|n| json!(format!("{text:.292}{n:08}")));
                add(&mut document, "Texts", texts.collect());
            }
            // Written as text, because the values of all documents of the attack needed 4.9 GB. The
            // pings then waited for this program and not for the server.
            Self::Deep => {
                add(&mut document, "Deep", json!(PLACEHOLDER));
                let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
                let deep = format!("[{}]", vec![deep; size / 202].join(","));
                let document = document.to_string();
                return document.replace(&json!(PLACEHOLDER).to_string(), &deep).into();
            }
            Self::LongTexts => lengthen(&mut document, "some words of a note, ", size),
            Self::Secrets => lengthen(&mut document, "password=hunter2 API-ABCDEFGH\n", size),
            Self::Invisible => lengthen(&mut document, "a\u{200b}\u{202e}\u{e0041}b ", size),
            Self::Numbers => {
                add(
                    &mut document,
                    "Numbers",
                    (0..size / 8).map(|n| json!(n % 10_000_000)).collect(),
                );
            }
        }
        Bytes::from(document.to_string())
    }
}

/// Adds a field to the document and to the first item of a page.
fn add(document: &mut Value, key: &str, value: Value) {
    if let Some(Value::Object(item)) = document.pointer_mut("/Items/0") {
        item.insert(key.to_owned(), value);
    } else if let Value::Object(object) = document {
        object.insert(key.to_owned(), value);
    }
}

/// Repeats the items of each list down to a small depth, within `budget` bytes.
fn repeat_items(value: &mut Value, budget: &mut usize, depth: usize) {
    if depth > 4 {
        return;
    }
    match value {
        Value::Array(items) => {
            let bytes = items.iter().map(|item| item.to_string().len() + 1).sum::<usize>();
            if bytes > 20 {
                let times = *budget / bytes;
                *budget -= times * bytes;
                let originals = items.clone();
                for copy in 0..times {
                    items.extend(originals.iter().map(|item| renamed(item.clone(), copy)));
                }
            }
        }
        Value::Object(object) => {
            object.values_mut().for_each(|value| repeat_items(value, budget, depth + 1));
        }
        _ => {}
    }
}

/// Renames a copy, so that look-ups by name still find one item.
fn renamed(mut item: Value, copy: usize) -> Value {
    if let Some(Value::String(name)) = item.get_mut("Name") {
        let _ = write!(name, " {copy}");
    }
    if let Some(Value::String(slug)) = item.get_mut("Slug") {
        let _ = write!(slug, "-{copy}");
    }
    item
}

/// Lengthens texts that users write, by `budget` bytes in total.
fn lengthen(document: &mut Value, sentence: &str, budget: usize) {
    let text = sentence.repeat(100_000 / sentence.len());
    let mut budget = budget;
    lengthen_in(document, &text, &mut budget);
    let rest = vec![json!(text); budget / text.len()];
    add(document, "Notes", rest.into());
}

const WRITTEN_BY_PEOPLE: [&str; 9] = [
    "Description",
    "ReleaseNotes",
    "Message",
    "MessageText",
    "Value",
    "ErrorMessage",
    "Notes",
    "Comments",
    "CommitMessage",
];

fn lengthen_in(value: &mut Value, text: &str, budget: &mut usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| lengthen_in(item, text, budget)),
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(written)
                        if WRITTEN_BY_PEOPLE.contains(&key.as_str()) && *budget > text.len() =>
                    {
                        *budget -= text.len();
                        text.clone_into(written);
                    }
                    value => lengthen_in(value, text, budget),
                }
            }
        }
        _ => {}
    }
}
