//! `grep_task_log` and `grep_llms_txt`.

use std::collections::BTreeSet;

use octopus_mcp::sample::{Fault, keys};
use serde_json::{Value, json};

use super::held::{Held, snapshot};
use crate::support::{ERAS, Era};

/// The task whose log has 13.6 MB.
const BIG: &str = "ServerTasks-90032";
const LINES: u64 = 118_044;

fn arguments(more: &Value) -> Value {
    let mut arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

async fn grep(server: &Held, more: Value) -> Value {
    server.answer("grep_task_log", arguments(&more)).await
}

/// The same once, on the big log.
async fn big(server: &Held, more: Value) -> Value {
    let mut arguments = arguments(&more);
    arguments["taskId"] = json!(BIG);
    server.answer_once("grep_task_log", arguments).await
}

/// Octopus has this log for every task.
fn log(server: &Held, log: &[u8]) {
    server.server.sample.trouble().clear();
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").bytes(log);
    server.server.sample.trouble().add(fault);
}

fn matches(answer: &Value) -> Vec<(u64, &str)> {
    let number = |found: &Value| found["lineNumber"].as_u64().unwrap();
    let matches = answer["matches"].as_array().unwrap();
    matches.iter().map(|found| (number(found), found["line"].as_str().unwrap())).collect()
}

/// The numbers of all lines that are shown, in the order in which they stand.
fn numbers(answer: &Value) -> Vec<u64> {
    let mut numbers = Vec::new();
    for found in answer["matches"].as_array().unwrap() {
        let around = |key: &str| found[key].as_array().cloned().unwrap_or_default();
        let lines = around("before").into_iter().chain([found.clone()]).chain(around("after"));
        numbers.extend(lines.map(|line| line["lineNumber"].as_u64().unwrap()));
    }
    numbers
}

fn totals(answer: &Value) -> (u64, u64, u64) {
    let number = |key: &str| answer[key].as_u64().unwrap();
    (number("totalLines"), number("totalMatches"), number("returnedMatches"))
}

#[tokio::test]
async fn a_log_is_searched_with_the_lines_around() {
    let server = Held::start().await;
    let found =
        grep(&server, json!({ "pattern": "exit code", "beforeContext": 2, "afterContext": 1 }))
            .await;
    assert_eq!(found["spaceName"], "Default");
    assert_eq!(
        found["taskDetailsResourceUri"],
        "octopus://spaces/Default/tasks/ServerTasks-90004/details"
    );
    assert_eq!((found["truncated"].as_bool(), found.get("nextOffset")), (Some(false), None));
    snapshot("grep_task_log", &found);
    let whole = server.answer("get_task_raw", arguments(&json!({}))).await;
    let lines: Vec<&str> = whole["text"].as_str().unwrap().split('\n').collect();
    for (number, line) in matches(&found) {
        assert_eq!(lines[usize::try_from(number).unwrap() - 1], line);
    }
    assert_eq!(totals(&found).0, lines.len() as u64);
}

#[tokio::test]
async fn the_options_are_those_of_grep() {
    let server = Held::start().await;
    log(&server, b"one\nTWO\nthree.\nfour\n\nsix+\n");
    for (options, lines) in [
        (json!({ "pattern": "two" }), &[][..]),
        (json!({ "pattern": "two", "caseInsensitive": true }), &[2]),
        (json!({ "pattern": "[et]$" }), &[1]),
        (json!({ "pattern": "e." }), &[3]),
        (json!({ "pattern": "e.", "fixedString": true }), &[3]),
        (json!({ "pattern": "x+", "fixedString": true }), &[6]),
        (json!({ "pattern": "E", "fixedString": true, "caseInsensitive": true }), &[1, 3]),
        (json!({ "pattern": "[a-z]", "invertMatch": true }), &[2, 5]),
        (json!({ "pattern": "[a-z]", "invertMatch": true, "caseInsensitive": true }), &[5]),
        (json!({ "pattern": "^$" }), &[5]),
        (json!({ "pattern": "four", "beforeContext": 1, "afterContext": 50 }), &[3, 4, 5, 6]),
        (json!({ "pattern": "o|r", "beforeContext": 1, "afterContext": 1 }), &[1, 2, 3, 4, 5]),
        (json!({ "pattern": ".", "maxCount": 2, "offset": 3 }), &[4, 6]),
    ] {
        assert_eq!(numbers(&grep(&server, options.clone()).await), lines, "{options}");
    }
}

#[tokio::test]
async fn context_is_merged_and_clipped() {
    let server = Held::start().await;
    log(&server, b"1\n2\nx\n4\nx\nx\n7\n8\n9\nx\n");
    let found =
        grep(&server, json!({ "pattern": "x", "beforeContext": 2, "afterContext": 2 })).await;
    assert_eq!(numbers(&found), (1..=10).collect::<Vec<_>>());
    assert_eq!(
        (&found["matches"][3]["after"], &found["matches"][1]["before"]),
        (&json!([]), &json!([]))
    );
    let plain = grep(&server, json!({ "pattern": "x" })).await;
    assert!(
        plain["matches"][0].get("before").is_none() && plain["matches"][0].get("after").is_none()
    );
}

#[tokio::test]
async fn odd_logs_are_searched() {
    let server = Held::start().await;
    for (body, pattern, found, lines) in [
        (&b"42"[..], "4", Some((1, "42")), 1),
        (b"{\"a\":1}", "\"a\"", Some((1, "{\"a\":1}")), 1),
        (b"null", "^null$", Some((1, "null")), 1),
        (b"one end\r\ntwo\r\n", "end$", Some((1, "one end")), 2),
        (b"a\r\n\r\n\nb", "^b$", Some((4, "b")), 4),
        (b"caf\xe9 x\nok\n", "x", Some((1, "caf\u{fffd} x")), 2),
        (b"caf\xe9 x\n\xff\xfe\nok\n", "^ok$", Some((3, "ok")), 3),
        ("h\u{202e}i\n".as_bytes(), "i", Some((1, "hi")), 1),
        (b"", "x", None, 0),
        (b"\n", "x", None, 1),
    ] {
        log(&server, body);
        let answer = grep(&server, json!({ "pattern": pattern })).await;
        assert_eq!(matches(&answer).first().copied(), found, "{pattern}");
        assert_eq!(
            totals(&answer),
            (lines, u64::from(found.is_some()), u64::from(found.is_some()))
        );
        assert_eq!(answer.get("hint").is_some(), found.is_none());
    }
}

#[tokio::test]
async fn prefixes_are_taken_off_before_the_search() {
    let server = Held::start().await;
    log(&server, b"08:10:02   Info     | Start here\n                    | == Info ==\n");
    let found = grep(&server, json!({ "pattern": "^Start", "stripPrefixes": true })).await;
    assert_eq!(matches(&found), [(1, "Start here")]);
    assert_eq!(totals(&grep(&server, json!({ "pattern": "^Start" })).await).1, 0);
    let found = grep(&server, json!({ "pattern": "Info", "stripPrefixes": true })).await;
    assert_eq!(numbers(&found), [2]);
}

#[tokio::test]
async fn pages_visit_every_match_once() {
    let server = Held::start().await;
    let pattern = r"answered 200 in (?:98|12) ms";
    let whole = totals(&big(&server, json!({ "pattern": pattern, "maxCount": 1 })).await);
    assert_eq!(whole.0, LINES);
    let (mut seen, mut pages, mut offset) = (BTreeSet::new(), 0, json!(0));
    while !offset.is_null() && pages < 3 {
        let more = json!({ "pattern": pattern, "maxCount": 500, "offset": offset });
        let page = big(&server, more).await;
        assert_eq!((totals(&page).1, &page["truncated"]), (whole.1, &json!(true)));
        assert!(page.to_string().len() > 16_000, "the answer is used well");
        for (number, line) in matches(&page) {
            assert!(seen.insert(number), "line {number} came twice");
            assert!(line.ends_with(" ms"));
        }
        offset = page["nextOffset"].clone();
        pages += 1;
        assert_eq!(offset, seen.len());
    }
    // Where the pages join, nothing is missing between them.
    let last = *seen.last().unwrap();
    let again =
        big(&server, json!({ "pattern": pattern, "maxCount": 1, "offset": seen.len() - 1 })).await;
    assert_eq!(numbers(&again), [last]);
    let past = big(&server, json!({ "pattern": pattern, "offset": whole.1 })).await;
    assert!(past["hint"].as_str().unwrap().contains("past the end"), "{past}");
    assert_eq!((totals(&past).2, &past["truncated"]), (0, &json!(false)));
}

#[tokio::test]
async fn pages_of_a_small_log_join_without_a_gap() {
    let server = Held::start().await;
    let search = json!({ "pattern": "o", "beforeContext": 1, "afterContext": 1 });
    let whole = grep(&server, search.clone()).await;
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
    assert_eq!(json!(joined), whole["matches"]);
}

#[tokio::test]
async fn needles_are_found_among_118_000_lines() {
    let server = Held::start().await;
    let found = big(&server, json!({ "pattern": r"quota .* 92 %|429 Too Many" })).await;
    assert_eq!(numbers(&found), [41_245, 90_049]);
    let found =
        big(&server, json!({ "pattern": "PUT /v1", "beforeContext": 50, "afterContext": 50 }))
            .await;
    assert_eq!(numbers(&found), (73_538..=73_638).collect::<Vec<_>>());
    let found =
        big(&server, json!({ "pattern": "TRACE", "invertMatch": true, "maxCount": 1 })).await;
    assert!(totals(&found).1 < 1_000);
}

#[tokio::test]
async fn a_pattern_that_hangs_others_is_answered() {
    let server = Held::start().await;
    let line = format!("{}!\n", "a".repeat(100_000));
    log(&server, line.as_bytes());
    let found = grep(&server, json!({ "pattern": "^(a+)+$" })).await;
    assert_eq!(totals(&found), (1, 0, 0));
    let found = grep(&server, json!({ "pattern": "(a|aa)+!" })).await;
    let line = found["matches"][0]["line"].as_str().unwrap();
    assert!(line.len() < 2_100 && line.ends_with(" ..."), "{}", line.len());
}

#[tokio::test]
async fn one_line_of_100_mb_is_searched_as_far_as_it_is_told() {
    let server = Held::start().await;
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").huge(100_000_000);
    server.server.sample.trouble().add(fault);
    let found = big(&server, json!({ "pattern": r"^\s+$", "beforeContext": 50 })).await;
    assert_eq!(totals(&found), (1, 1, 1));
    assert!(found["hint"].as_str().unwrap().contains("1 lines have more than"), "{found}");
}

#[tokio::test]
async fn mistakes_are_told_before_octopus_is_asked() {
    let server = Held::start().await;
    for (more, words) in [
        (json!({ "pattern": "" }), &["pattern: ", "empty"][..]),
        (json!({ "pattern": "(a" }), &["pattern: unclosed group", "fixedString"]),
        (json!({ "pattern": "(?<=a)b" }), &["pattern: ", "no look-around"]),
        (json!({ "pattern": r"(a)\1" }), &["pattern: ", "no back-references"]),
        (json!({ "pattern": "a\nb" }), &["pattern: ", "line break"]),
        (json!({ "pattern": "x".repeat(2_000) }), &["pattern: ", "2000 characters"]),
        (json!({ "pattern": "x", "maxCount": 0 }), &["maxCount: 0 is not between 1 and 500"]),
        (json!({ "pattern": "x", "maxCount": 501 }), &["maxCount: 501 is not"]),
        (
            json!({ "pattern": "x", "beforeContext": 51 }),
            &["beforeContext: 51 is not between 0 and 50"],
        ),
        (json!({ "pattern": "x", "afterContext": 51 }), &["afterContext: 51 is not"]),
        (json!({ "pattern": "x", "offset": -1 }), &["offset: "]),
        (json!({ "pattern": "x", "taskId": "Deployments-1" }), &["is not a task ID"]),
        (json!({}), &["pattern: this argument is required"]),
    ] {
        server.refuses("grep_task_log", arguments(&more), words).await;
        if more.get("taskId").is_none() && more != json!({}) {
            let said = server.failure("grep_llms_txt", more).await;
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }
    let asked = server.requests();
    assert!(asked.iter().all(|path| path == "/api?"), "{asked:?}");
}

#[tokio::test]
async fn what_octopus_refuses_is_told() {
    let server = Held::start().await;
    let missing = arguments(&json!({ "pattern": "x", "taskId": "ServerTasks-1" }));
    server.refuses("grep_task_log", missing, &["no task 'ServerTasks-1' in space 'Default'"]).await;
    let said = server.server.call_as(
        keys::WITHOUT_TASK_VIEW,
        "grep_task_log",
        arguments(&json!({ "pattern": "x" })),
    );
    assert!(said.await.is_error);
    server.server.sample.trouble().add(Fault::on("/raw").cut_off());
    server
        .refuses("grep_task_log", arguments(&json!({ "pattern": "x" })), &["cannot be reached"])
        .await;
}

#[tokio::test]
async fn secrets_are_taken_out_of_what_is_found() {
    let server = Held::start().await;
    let key = "-----BEGIN PRIVATE KEY-----\nRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtF\n-----END PRIVATE KEY-----\n";
    log(&server, format!("password=hunter2hunter2\n{key}RkFL again\n").as_bytes());
    let found = grep(&server, json!({ "pattern": "password|RkFL", "afterContext": 9 })).await;
    assert!(
        !found.to_string().contains("hunter2") && !found.to_string().contains("RkFLRU"),
        "{found}"
    );
    assert_eq!(matches(&found).len(), 2);
    // With the marks of the secrets it would be too much for one answer.
    let many: String =
        (0..400).fold(String::new(), |log, n| log + &format!("{n} password=a1B2c\n"));
    log(&server, many.as_bytes());
    let found = grep(&server, json!({ "pattern": "password", "maxCount": 500 })).await;
    let shown = totals(&found).2;
    assert_eq!((found["nextOffset"].as_u64(), &found["truncated"]), (Some(shown), &json!(true)));
    assert!(shown > 150 && shown < 400, "{shown}");
}

#[tokio::test]
async fn a_long_search_tells_how_far_it_is() {
    let server = Held::start().await;
    for era in ERAS {
        let mut arguments = arguments(&json!({ "pattern": "x" }));
        arguments["taskId"] = json!(BIG);
        let params = json!({ "name": "grep_task_log", "arguments": arguments,
            "_meta": { "progressToken": "p" } });
        let reply = server.server.ask(era, "tools/call", params).await;
        assert!(reply.text.contains("MiB of the log searched"));
    }
}

#[tokio::test]
async fn a_name_of_a_space_is_encoded_in_the_address_of_a_resource() {
    let server = Held::start().await;
    log(&server, b"x\n");
    let found = grep(&server, json!({ "space": "warehouse-systems", "pattern": "x" })).await;
    assert_eq!(
        found["taskDetailsResourceUri"],
        "octopus://spaces/Warehouse%20Systems/tasks/ServerTasks-90004/details"
    );
    server.says("/api/spaces/", &json!({ "Id": "Spaces-1", "Name": "It's (ours)!" }));
    let found = grep(&server, json!({ "space": "Spaces-1", "pattern": "x" })).await;
    assert_eq!(
        found["taskDetailsResourceUri"],
        "octopus://spaces/It%27s%20%28ours%29%21/tasks/ServerTasks-90004/details"
    );
}

const CATALOG: &str = "# API\n\n### Releases\n- `GET /api/{spaceId}/releases{?skip,take}` List\n\
    - `POST /api/{spaceId}/releases` Create\n\n### Tasks\n- `POST /api/tasks/rerun/{id}` Rerun\n";

#[tokio::test]
async fn the_api_catalog_is_searched() {
    let server = Held::start().await;
    server.server.sample.trouble().add(
        Fault::on("/api/experimental/llms.txt")
            .header("Content-Type", "text/markdown")
            .body(CATALOG),
    );
    let search = async |more: Value| server.answer("grep_llms_txt", more).await;
    let found = search(json!({ "pattern": "POST .*/releases", "beforeContext": 2 })).await;
    assert_eq!(numbers(&found), [3, 4, 5]);
    assert_eq!(found["catalogResourceUri"], "octopus://api/llms.txt");
    let found = search(json!({ "pattern": "/{spaceId}/RELEASES", "caseInsensitive": true })).await;
    assert_eq!(numbers(&found), [4, 5], "a brace stands for itself");
    let found = search(json!({ "pattern": "### ", "maxCount": 1 })).await;
    assert_eq!((numbers(&found), &found["nextOffset"]), (vec![3], &json!(1)));
    snapshot("grep_llms_txt", &found);
}

#[tokio::test]
async fn the_api_catalog_is_read_once_by_each_caller() {
    let server = Held::start().await;
    let search = json!({ "pattern": "API" });
    let at_once = (0..8)
        .map(|_| server.server.call_in(Era::Modern, keys::ADMIN, "grep_llms_txt", search.clone()));
    futures::future::join_all(at_once).await;
    let downloads =
        |server: &Held| server.requests().iter().filter(|path| path.contains("llms.txt")).count();
    assert_eq!(downloads(&server), 1, "calls at the same moment share one");
    server.server.call_as(keys::ADMIN, "grep_llms_txt", search.clone()).await;
    assert_eq!(downloads(&server), 0);
    server.server.call_as(keys::DEFAULT_SPACE_ONLY, "grep_llms_txt", search.clone()).await;
    assert_eq!(downloads(&server), 1, "another caller asks for themselves");
    let refused = server.server.call_as("API-NOBODY", "grep_llms_txt", search).await;
    assert!(refused.is_error);
}

#[tokio::test]
async fn an_api_catalog_that_is_not_there_is_told() {
    let server = Held::start().await;
    let search = json!({ "pattern": "x" });
    let fault = Fault::on("/experimental/").header("Content-Type", "text/html; charset=utf-8");
    server.server.sample.trouble().add(fault.body("<html>"));
    server.refuses("grep_llms_txt", search.clone(), &["a page for browsers"]).await;
    server.server.sample.trouble().clear();
    server.server.sample.trouble().add(Fault::on("/experimental/").status(404));
    server.refuses("grep_llms_txt", search.clone(), &["no API catalog"]).await;
    server.server.sample.trouble().clear();
    // A failure is not remembered.
    server.answer("grep_llms_txt", search).await;
}
