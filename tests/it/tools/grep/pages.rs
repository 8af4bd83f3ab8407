//! Paging of matches: pages omit and repeat no match.

use std::collections::BTreeSet;

use serde_json::json;

use super::{BIG_LOG_LINES, CheckedServer, grep, grep_big_log, line_numbers, matches, totals};

#[tokio::test]
async fn paging_visits_every_match_once() {
    let server = CheckedServer::start().await;
    let pattern = r"answered 200 in (?:98|12) ms";
    let total = totals(&grep_big_log(&server, json!({ "pattern": pattern, "maxCount": 1 })).await);
    assert_eq!(total.0, BIG_LOG_LINES);
    let (mut seen, mut pages, mut offset) = (BTreeSet::new(), 0, json!(0));
    while !offset.is_null() && pages < 3 {
        let more = json!({ "pattern": pattern, "maxCount": 500, "offset": offset });
        let page = grep_big_log(&server, more).await;
        assert_eq!((totals(&page).1, &page["truncated"]), (total.1, &json!(true)));
        assert!(page.to_string().len() > 16_000, "the answer fills most of its budget");
        for (number, line) in matches(&page) {
            assert!(seen.insert(number), "line {number} was returned twice");
            assert!(line.ends_with(" ms"));
        }
        offset = page["nextOffset"].clone();
        pages += 1;
        assert_eq!(offset, seen.len());
    }
    // No match is missing between two pages.
    let last = *seen.last().unwrap();
    let again = grep_big_log(
        &server,
        json!({ "pattern": pattern, "maxCount": 1, "offset": seen.len() - 1 }),
    )
    .await;
    assert_eq!(line_numbers(&again), [last]);
    let past = grep_big_log(&server, json!({ "pattern": pattern, "offset": total.1 })).await;
    assert!(past["hint"].as_str().unwrap().contains("past the last of"), "{past}");
    assert_eq!((totals(&past).2, &past["truncated"]), (0, &json!(false)));
}

#[tokio::test]
async fn pages_of_a_small_log_join_without_gaps() {
    let server = CheckedServer::start().await;
    let search = json!({ "pattern": "o", "beforeContext": 1, "afterContext": 1 });
    let total = grep(&server, search.clone()).await;
    let mut joined = Vec::new();
    let mut offset = json!(0);
    while !offset.is_null() {
        let mut page = search.clone();
        page["maxCount"] = json!(3);
        page["offset"] = offset;
        let page = grep(&server, page).await;
        joined.extend(page["matches"].as_array().unwrap().clone());
        offset = page["nextOffset"].clone();
    }
    assert_eq!(json!(joined), total["matches"]);
}
