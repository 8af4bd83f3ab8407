use proptest::prelude::*;

use super::*;

fn list(items: &[String]) -> Value {
    json!({ "items": items, "totalResults": items.len(), "skip": 0, "take": 100 })
}

#[test]
fn truncates_pages_between_items() {
    let items: Vec<String> = (0..100).map(|n| format!("item {n:03} {}", "x".repeat(90))).collect();
    let mut answer = list(&items);
    truncate(&mut answer, 2048, None, None);
    let kept = answer["items"].as_array().unwrap().len();
    assert!(kept > 5 && kept < 30);
    assert_eq!(answer["nextSkip"], kept);
    assert_eq!(answer["items"][kept - 1], items[kept - 1].as_str());
    assert!(json_size(&answer) <= 2048);
    assert!(answer["truncated"]["fullBytes"].as_u64().unwrap() > 10_000);
}

#[test]
fn truncates_pages_of_octopus_between_items() {
    let items: Vec<String> = (0..100).map(|n| format!("{n:0100}")).collect();
    let mut answer = json!({ "skip": 30, "response": { "Items": items, "TotalResults": 400 } });
    truncate(&mut answer, 2048, Some(9000), None);
    let kept = answer["response"]["Items"].as_array().unwrap().len();
    assert!(kept > 5 && kept < 30);
    assert_eq!(answer["nextSkip"], 30 + kept);
    let how = answer["truncated"]["how"].as_str().unwrap();
    assert!(how.ends_with(&format!("skip {} in `query`", 30 + kept)), "{how}");
}

/// A page of a list as tools return it.
fn page(items: &[Value], skip: usize, take: usize) -> Value {
    let here: Vec<&Value> = items.iter().skip(skip).take(take).collect();
    let next = skip + here.len();
    let mut page = json!({ "items": here, "totalResults": items.len(), "skip": skip });
    if next < items.len() {
        page["nextSkip"] = json!(next);
    }
    page
}

#[test]
fn keeps_the_first_item_and_continues_after_it() {
    let large = |id: u32| json!({ "id": id, "log": "x".repeat(9000), "lines": [1, 2] });
    let items: Vec<Value> = (0..3).map(large).collect();
    let mut answer = page(&items, 0, 3);
    truncate(&mut answer, 2048, Some(9000), None);
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);
    assert_eq!((&answer["items"][0]["id"], &answer["nextSkip"]), (&json!(0), &json!(1)));
    assert_eq!(answer["items"][0]["lines"], json!([1, 2]));
    assert!(json_size(&answer) <= 2048 && answer["items"][0].to_string().len() > 1000);
    let how = answer["truncated"]["how"].as_str().unwrap();
    assert!(how.contains("skip 1") && how.contains("maxBytes (max 9000)"), "{how}");
    let mut last = page(&items, 2, 3);
    truncate(&mut last, 2048, None, None);
    assert_eq!((&last["items"][0]["id"], last.get("nextSkip")), (&json!(2), None));
}

#[test]
fn leaves_small_answers_unchanged() {
    let mut answer = list(&["a".to_owned()]);
    let before = answer.clone();
    truncate(&mut answer, 1024, None, None);
    assert_eq!(answer, before);
}

#[test]
fn suggests_a_larger_max_bytes_if_possible() {
    let narrow = "; narrow the request, or request one item by ID";
    for (max, expected) in
        [(Some(9000), "maxBytes (max 9000)"), (Some(2048), narrow), (None, narrow)]
    {
        let mut answer = json!({ "things": vec!["x".repeat(200); 50] });
        truncate(&mut answer, 2048, max, None);
        let how = answer["truncated"]["how"].as_str().unwrap();
        assert!(how.contains(expected), "{how}");
        assert!(json_size(&answer) <= 2048);
    }
}

#[test]
fn truncates_long_text_with_a_hint() {
    let text = "one \"line\"\n".repeat(1000);
    let cut = truncate_text(&text, 1000, "grep it");
    assert!(json_size(&json!(cut)) <= 1000 && cut.len() > 500);
    assert!(cut.contains("one \"line\"\n\n[cut: ") && cut.ends_with("grep it]\n"), "{cut}");
    assert_eq!(truncate_text("short", 1000, ""), "short");
}

#[test]
fn counts_escapes_at_their_json_size() {
    let mut answer = json!({ "text": "a\n".repeat(20_000) });
    truncate(&mut answer, 20_480, None, None);
    assert!((15_000..=20_480).contains(&json_size(&answer)), "{}", json_size(&answer));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn truncates_every_text_to_the_limit(text in "(?s).{0,4000}", limit in 256usize..3000) {
        let cut = truncate_text(&text, limit, "grep it");
        prop_assert!(json_size(&json!(cut)) <= limit);
        prop_assert!(cut == text || cut.ends_with("grep it]\n"));
    }

    #[test]
    fn truncates_every_answer_to_the_limit(
        texts in prop::collection::vec("\\PC{0,3000}", 0..20),
        note in "\\PC{0,5000}",
        limit in 4096usize..30_000,
    ) {
        let mut answer = list(&texts);
        answer["note"] = json!(note);
        answer["deep"] = json!({ "a/b~c": texts });
        truncate(&mut answer, limit, None, None);
        prop_assert!(json_size(&answer) <= limit, "{} > {limit}", json_size(&answer));
    }

    #[test]
    fn following_next_skip_visits_every_item(
        sizes in prop::collection::vec((0usize..6000, 0usize..40), 1..40),
        take in 1usize..20,
        limit in 1024usize..8000,
    ) {
        let item = |(id, (text, list)): (usize, &(usize, usize))| {
            json!({ "id": id, "text": "x".repeat(*text), "list": vec!["y".repeat(100); *list] })
        };
        let items: Vec<Value> = sizes.iter().enumerate().map(item).collect();
        let (mut visited, mut skip) = (Vec::new(), 0);
        loop {
            let mut answer = page(&items, skip, take);
            truncate(&mut answer, limit, None, None);
            prop_assert!(json_size(&answer) <= limit, "{} > {limit}", json_size(&answer));
            for item in answer["items"].as_array().unwrap() {
                visited.push(item["id"].as_u64().unwrap());
            }
            match answer["nextSkip"].as_u64() {
                Some(next) => skip = usize::try_from(next).unwrap(),
                None => break,
            }
        }
        prop_assert_eq!(visited, (0..items.len() as u64).collect::<Vec<_>>());
    }
}
