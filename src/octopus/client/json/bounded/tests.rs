use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::octopus::client::json::forms::without_sensitive;

const WHOLE: JsonBounds =
    JsonBounds { json: usize::MAX / 2, text: usize::MAX / 2, values: usize::MAX / 2 };

fn bounded(body: &str, bounds: JsonBounds) -> BoundedJson {
    BoundedJson::parse(body.as_bytes(), bounds).unwrap()
}

fn count_values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count_values).sum(),
        Value::Object(fields) => fields.values().map(count_values).sum(),
        _ => 0,
    }
}

#[test]
fn page_keeps_first_items_and_later_scalars() {
    let items: Vec<_> = (0..1000).map(|n| json!({ "Id": format!("Releases-{n}") })).collect();
    let page = json!({ "ItemType": "Release", "Items": items, "TotalResults": 4000, "Links": {},
        "Other": { "Large": 1 } });
    let bounds = JsonBounds { json: 2000, text: 500, values: 1000 };
    let read = bounded(&page.to_string(), bounds);
    let kept = read.value["Items"].as_array().unwrap();
    assert!((50..100).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.as_slice(), &items[..kept.len()]);
    assert_eq!(read.value["TotalResults"], 4000);
    assert_eq!(read.value.get("Links").or(read.value.get("Other")), None);
    let omitted = OmittedCounts { items: 1000 - kept.len() as u64, fields: 1, texts: 0 };
    assert_eq!(read.omitted, omitted);
}

#[test]
fn omits_values_whose_sensitivity_flag_was_omitted() {
    let long = "x ".repeat(300);
    let item = json!({ "Value": "hunter2", "Notes": long, "IsSensitive": true });
    for document in [
        json!({ "Items": [item], "Value": "hunter2" }),
        json!({ "Values": { "a": "hunter2" }, "Form": { "Elements": [long, long] } }),
        item.clone(),
    ] {
        let read = bounded(&document.to_string(), JsonBounds { json: 300, ..WHOLE });
        assert!(!read.value.to_string().contains("hunter2"), "{}", read.value);
        assert!(read.omitted.fields > 0);
    }
}

#[test]
fn truncates_texts_at_word_boundary() {
    let key = "API-FAKEFAKEFAKEFAKEFAKE1";
    let bounds = JsonBounds { text: 110, ..WHOLE };
    let text = format!("{}{key} end", "word ".repeat(20));
    let read = bounded(&json!({ "Notes": text, "Next": "x" }).to_string(), bounds);
    let notes = read.value["Notes"].as_str().unwrap();
    assert!(notes.ends_with("word ...") && !notes.contains("API"), "{notes}");
    assert_eq!(read.value["Next"], "x");
    assert_eq!(read.omitted, OmittedCounts { texts: 1, ..OmittedCounts::default() });
    // Without a word boundary, no part of a possible secret may remain.
    let read = bounded(&json!("x".repeat(200)).to_string(), bounds);
    assert_eq!(read.value, " ...");
}

#[test]
fn rejects_invalid_json() {
    for body in ["", "{", "[1,", "<html>", "{\"a\":1", &"[".repeat(200)] {
        assert!(BoundedJson::parse(body.as_bytes(), JsonBounds::DOCUMENT).is_err(), "{body}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}|[\\x00-\\x1f\"\\\\ ]{0,8}".prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 200, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec(("[a-c]{0,3}|Links|\\PC{0,5}", inner), 0..12)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn keeps_documents_within_the_bounds(value in any_json()) {
        let text = value.to_string();
        // Writing and reading a 64-bit float can change its value, so compare with the reparsed
        // document.
        let full: Value = serde_json::from_str(&text).unwrap();
        let read = bounded(&text, WHOLE);
        prop_assert_eq!(read.value, without_sensitive(full));
        prop_assert!(read.omitted.is_empty());
    }

    #[test]
    fn kept_part_is_within_the_bounds(
        value in any_json(), json in 0_usize..400, text in 0_usize..40, count in 0_usize..60,
    ) {
        let read = bounded(&value.to_string(), JsonBounds { json, text, values: count });
        prop_assert!(read.value.to_string().len() <= json + 8 * 1024);
        prop_assert!(count_values(&read.value) <= count.max(1) + 256);
    }

    #[test]
    fn large_lists_and_texts_are_kept_within_the_bounds(
        items in 300_usize..3000, long in 1024_usize..20_000, nested in any::<bool>(),
    ) {
        let list: Vec<Value> = (0..items).map(Value::from).collect();
        let texts: Vec<Value> = (0..20).map(|_| "x".repeat(long).into()).collect();
        let list = if nested { serde_json::json!([[list]]) } else { list.into() };
        let value = serde_json::json!({ "Numbers": list, "Texts": texts });
        let read = bounded(&value.to_string(), JsonBounds { json: 4096, text: 200, values: 100 });
        prop_assert!(read.value.to_string().len() <= 4096 + 8 * 1024);
        prop_assert!(count_values(&read.value) <= 100 + 256);
        prop_assert!(!read.omitted.is_empty());
    }

    #[test]
    fn kept_and_omitted_items_are_all_items(
        items in prop::collection::vec("\\PC{0,30}", 0..60), json in 2_usize..2000,
    ) {
        let read = bounded(&Value::from(items.clone()).to_string(), JsonBounds { json, ..WHOLE });
        let kept = read.value.as_array().unwrap();
        prop_assert!(kept.iter().eq(items.iter().take(kept.len())));
        prop_assert_eq!(kept.len() as u64 + read.omitted.items, items.len() as u64);
    }
}
