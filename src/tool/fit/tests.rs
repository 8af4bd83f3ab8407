use proptest::prelude::*;

use super::*;

fn list(items: &[String]) -> Value {
    json!({ "items": items, "totalResults": items.len(), "skip": 0, "take": 100 })
}

#[test]
fn a_list_is_cut_between_items_and_says_how_to_go_on() {
    let items: Vec<String> = (0..100).map(|n| format!("item {n:03} {}", "x".repeat(90))).collect();
    let mut answer = list(&items);
    fit(&mut answer, 2048, None);
    let kept = answer["items"].as_array().unwrap().len();
    assert!(kept > 5 && kept < 30);
    assert_eq!(answer["nextSkip"], kept);
    assert_eq!(answer["items"][kept - 1], items[kept - 1].as_str());
    assert!(size(&answer) <= 2048);
    assert!(answer["truncated"]["fullBytes"].as_u64().unwrap() > 10_000);
}

#[test]
fn a_page_of_octopus_is_cut_between_items_too() {
    let items: Vec<String> = (0..100).map(|n| format!("{n:0100}")).collect();
    let mut answer = json!({ "skip": 30, "response": { "Items": items, "TotalResults": 400 } });
    fit(&mut answer, 2048, Some(9000));
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
fn the_first_item_stays_though_it_does_not_fit_and_the_others_are_not_lost() {
    let large = |id: u32| json!({ "id": id, "log": "x".repeat(9000), "lines": [1, 2] });
    let items: Vec<Value> = (0..3).map(large).collect();
    let mut answer = page(&items, 0, 3);
    fit(&mut answer, 2048, Some(9000));
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);
    assert_eq!((&answer["items"][0]["id"], &answer["nextSkip"]), (&json!(0), &json!(1)));
    assert_eq!(answer["items"][0]["lines"], json!([1, 2]));
    assert!(size(&answer) <= 2048 && answer["items"][0].to_string().len() > 1000);
    let how = answer["truncated"]["how"].as_str().unwrap();
    assert!(how.contains("skip 1") && how.contains("maxBytes, 9000"), "{how}");
    let mut last = page(&items, 2, 3);
    fit(&mut last, 2048, None);
    assert_eq!((&last["items"][0]["id"], last.get("nextSkip")), (&json!(2), None));
}

#[test]
fn what_fits_is_not_touched() {
    let mut answer = list(&["a".to_owned()]);
    let before = answer.clone();
    fit(&mut answer, 1024, None);
    assert_eq!(answer, before);
}

#[test]
fn where_more_can_be_asked_for_it_says_so() {
    for (most, words) in [(Some(9000), "maxBytes, 9000"), (Some(2048), "less"), (None, "less")] {
        let mut answer = json!({ "things": vec!["x".repeat(200); 50] });
        fit(&mut answer, 2048, most);
        let how = answer["truncated"]["how"].as_str().unwrap();
        assert!(how.contains(words), "{how}");
        assert!(size(&answer) <= 2048);
    }
}

#[test]
fn a_long_text_is_cut_at_a_line_and_says_how_to_go_on() {
    let text = "one \"line\"\n".repeat(1000);
    let cut = fit_text(&text, 1000, "grep it");
    assert!(size(&json!(cut)) <= 1000 && cut.len() > 500);
    assert!(cut.contains("one \"line\"\n\n[cut: ") && cut.ends_with("grep it]\n"), "{cut}");
    assert_eq!(fit_text("short", 1000, ""), "short");
}

#[test]
fn escapes_do_not_cost_more_than_they_weigh() {
    let mut answer = json!({ "text": "a\n".repeat(20_000) });
    fit(&mut answer, 20_480, None);
    assert!((15_000..=20_480).contains(&size(&answer)), "{}", size(&answer));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_text_comes_within_its_size(text in "(?s).{0,4000}", limit in 256usize..3000) {
        let cut = fit_text(&text, limit, "grep it");
        prop_assert!(size(&json!(cut)) <= limit);
        prop_assert!(cut == text || cut.ends_with("grep it]\n"));
    }

    #[test]
    fn every_answer_comes_within_its_size(
        texts in prop::collection::vec("\\PC{0,3000}", 0..20),
        note in "\\PC{0,5000}",
        limit in 4096usize..30_000,
    ) {
        let mut answer = list(&texts);
        answer["note"] = json!(note);
        answer["deep"] = json!({ "a/b~c": texts });
        fit(&mut answer, limit, None);
        prop_assert!(size(&answer) <= limit, "{} > {limit}", size(&answer));
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
            fit(&mut answer, limit, None);
            prop_assert!(size(&answer) <= limit, "{} > {limit}", size(&answer));
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
