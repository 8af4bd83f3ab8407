//! Tests with answers of hostile shapes: each is cut to its limit in linear time.

use proptest::prelude::*;

use super::*;
use crate::text::step_counter;

/// An answer of this shape with about `count` nodes.
fn shape(kind: usize, count: usize, long: usize) -> Value {
    let text = "x".repeat(long);
    let numbered = |n: usize| format!("{text}{n}");
    let deep = |levels: usize| {
        (0..levels).fold(json!(text), |inner, n| json!({ "a": [n, inner], "b": numbered(n) }))
    };
    match kind {
        0 => (0..count).map(numbered).collect(),
        1 => (0..count).map(|n| (format!("key{n}"), json!(numbered(n)))).collect(),
        2 => (0..=count / 8).map(|n| ("k".repeat(long * 8) + &n.to_string(), json!(n))).collect(),
        3 => (0..count).collect(),
        4 => (0..=count / 50).map(|_| deep(25)).collect(),
        5 => json!({ "text": text.repeat(count / 8), "other": text }),
        6 => (0..count).map(|n| json!({ "id": n, "list": [[], {}, [n]], "text": text })).collect(),
        7 => {
            let inner = |n: usize| -> Value {
                (0..40).map(|m| (format!("f{m}"), json!(numbered(n)))).collect()
            };
            (0..=count / 40).map(|n| (format!("o{n}"), inner(n))).collect()
        }
        8 => {
            (0..count)
                .fold((json!(null), 0), |(list, n), _| {
                    if n % 50 == 0 { (json!([[list.clone()], n]), n + 1) } else { (list, n + 1) }
                })
                .0
        }
        _ => json!("\u{1}\"é\n".repeat(count)),
    }
}
const SHAPES: usize = 10;

/// Places a shape in an answer, at one of the positions that tools use.
fn place_shape(position: usize, shape: Value) -> Value {
    match position {
        0 => shape,
        1 => json!({ "success": true, "method": "GET", "path": "/api/x", "response": shape }),
        2 => json!({ "items": shape, "totalResults": 9000, "skip": 7 }),
        3 => json!({ "skip": u64::MAX, "response": { "Items": [shape.clone(), shape] } }),
        _ => json!({ "truncated": false, "one": { "two": { "three": shape } }, "four": [[1, 2]] }),
    }
}
const POSITIONS: usize = 5;

/// Any small JSON value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(?s).{0,400}".prop_map(Value::from),
        "[a-z\n]{0,900}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 120, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec(("(?s).{0,40}", inner), 0..12).prop_map(Value::from_iter),
        ]
    })
}

#[test]
fn truncates_maps_to_their_first_entries() {
    let mut answer = place_shape(1, shape(1, 30_000, 300));
    truncate(&mut answer, 20_480, Some(102_400), None);
    assert!(json_size(&answer) <= 20_480, "{} bytes", json_size(&answer));
    let entries = answer["response"].as_object().unwrap();
    assert!(entries.len() > 50 && entries.keys().next().unwrap() == "key0");
    assert_eq!(answer["path"], "/api/x");
    let how = answer["truncated"]["how"].as_str().unwrap();
    assert!(how.contains(&format!("omitted object entries: {}", 30_000 - entries.len())), "{how}");
}

#[test]
fn truncates_lists_to_their_first_texts() {
    let mut answer = place_shape(1, shape(0, 8000, 300));
    truncate(&mut answer, 20_480, None, None);
    let texts = answer["response"].as_array().unwrap();
    assert!((60..90).contains(&texts.len()) && json_size(&answer) <= 20_480);
    let how = answer["truncated"]["how"].as_str().unwrap();
    assert!(how.contains(&format!("shortened texts: {}", texts.len())), "{how}");
    assert!(how.contains(&format!("omitted list items: {}", 8000 - texts.len())), "{how}");
}

#[test]
fn truncates_in_linear_time() {
    for kind in 0..SHAPES {
        for position in 0..POSITIONS {
            let count = |count: usize| {
                let mut answer = place_shape(position, shape(kind, count, 300));
                step_counter::count(|| truncate(&mut answer, MIN_LIMIT, None, None)).1
            };
            let (few, many) = (count(400), count(1600));
            assert!(many <= few * 5 + 2000, "shape {kind} in {position}: {few} steps, then {many}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn truncates_every_shape_to_the_limit(
        (kind, position) in (0..SHAPES, 0..POSITIONS),
        (count, long) in (0usize..1000, 0usize..400),
        limit in MIN_LIMIT..30_000,
    ) {
        let mut answer = place_shape(position, shape(kind, count, long));
        let before = answer.clone();
        let bytes = truncate(&mut answer, limit, Some(102_400), None);
        prop_assert!(json_size(&answer) <= limit, "{} > {limit}", json_size(&answer));
        prop_assert_eq!((bytes.before, bytes.after), (json_size(&before), json_size(&answer)));
        prop_assert!(answer.is_object() == before.is_object());
        let once = answer.clone();
        truncate(&mut answer, limit, Some(102_400), None);
        prop_assert_eq!(answer, once);
    }

    #[test]
    fn truncates_any_json_to_the_limit(value in any_json(), position in 0..POSITIONS, limit in MIN_LIMIT..9000) {
        let mut answer = place_shape(position, value);
        let before = answer.clone();
        let (_, steps) = step_counter::count(|| truncate(&mut answer, limit, None, None));
        prop_assert!(json_size(&answer) <= limit, "{} > {limit}", json_size(&answer));
        prop_assert!(steps <= 20 * json_size(&before) + 1000, "{steps} steps");
        prop_assert!(json_size(&before) > limit || answer == before);
    }

    #[test]
    fn keeps_fields_of_small_objects(
        sizes in prop::collection::vec((0usize..2000, 0usize..60), 1..12),
        limit in 2048usize..20_000,
    ) {
        let item = |(n, (text, list)): (usize, &(usize, usize))| {
            json!({ "id": n, "name": "é".repeat(*text), "list": vec!["y".repeat(90); *list] })
        };
        let fields: Value = sizes
            .iter()
            .enumerate()
            .map(|(n, sizes)| (format!("field{n}"), item((n, sizes))))
            .collect();
        let mut answer = fields.clone();
        truncate(&mut answer, limit, None, None);
        prop_assert!(json_size(&answer) <= limit);
        for (name, field) in fields.as_object().unwrap() {
            prop_assert_eq!(&answer[name]["id"], &field["id"]);
            prop_assert!(answer[name]["name"].is_string() && answer[name]["list"].is_array());
        }
    }
}
