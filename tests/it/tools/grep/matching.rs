//! Matching lines of a log, for all options and log formats.

use serde_json::json;

use super::{
    CheckedServer, arguments, assert_snapshot, grep, line_numbers, matches, mock_log, totals,
};

#[tokio::test]
async fn returns_matches_with_context_lines() {
    let server = CheckedServer::start().await;
    let found =
        grep(&server, json!({ "pattern": "exit code", "beforeContext": 2, "afterContext": 1 }))
            .await;
    assert_eq!(found["spaceName"], "Default");
    assert_eq!(
        found["taskDetailsResourceUri"],
        "octopus://spaces/Default/tasks/ServerTasks-90004/details"
    );
    assert_eq!((found["truncated"].as_bool(), found.get("nextOffset")), (Some(false), None));
    assert_snapshot("grep_task_log", &found);
    let complete = server.call_ok("get_task_raw", arguments(&json!({}))).await;
    let lines: Vec<&str> = complete["text"].as_str().unwrap().split('\n').collect();
    for (number, line) in matches(&found) {
        assert_eq!(lines[usize::try_from(number).unwrap() - 1], line);
    }
    assert_eq!(totals(&found).0, lines.len() as u64);
}

#[tokio::test]
async fn options_behave_like_grep() {
    let server = CheckedServer::start().await;
    mock_log(&server, b"one\nTWO\nthree.\nfour\n\nsix+\n");
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
        assert_eq!(line_numbers(&grep(&server, options.clone()).await), lines, "{options}");
    }
}

#[tokio::test]
async fn context_is_merged_and_clipped_at_log_ends() {
    let server = CheckedServer::start().await;
    mock_log(&server, b"1\n2\nx\n4\nx\nx\n7\n8\n9\nx\n");
    let found =
        grep(&server, json!({ "pattern": "x", "beforeContext": 2, "afterContext": 2 })).await;
    assert_eq!(line_numbers(&found), (1..=10).collect::<Vec<_>>());
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
async fn searches_unusual_logs() {
    let server = CheckedServer::start().await;
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
        mock_log(&server, body);
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
async fn strips_prefixes_before_the_search() {
    let server = CheckedServer::start().await;
    mock_log(&server, b"08:10:02   Info     | Start here\n                    | == Info ==\n");
    let found = grep(&server, json!({ "pattern": "^Start", "stripPrefixes": true })).await;
    assert_eq!(matches(&found), [(1, "Start here")]);
    assert_eq!(totals(&grep(&server, json!({ "pattern": "^Start" })).await).1, 0);
    let found = grep(&server, json!({ "pattern": "Info", "stripPrefixes": true })).await;
    assert_eq!(line_numbers(&found), [2]);
}
