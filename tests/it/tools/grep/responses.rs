//! Contents of search answers: redacted secrets and resource URIs.

use serde_json::json;

use super::{CheckedServer, grep, matches, mock_log, totals};

#[tokio::test]
async fn redacts_secrets_in_matches() {
    let server = CheckedServer::start().await;
    let key = "-----BEGIN PRIVATE KEY-----\nRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtF\n-----END PRIVATE KEY-----\n";
    mock_log(&server, format!("password=hunter2hunter2\n{key}RkFL again\n").as_bytes());
    let found = grep(&server, json!({ "pattern": "password|RkFL", "afterContext": 9 })).await;
    assert!(
        !found.to_string().contains("hunter2") && !found.to_string().contains("RkFLRU"),
        "{found}"
    );
    assert_eq!(matches(&found).len(), 2);
    // With redaction marks, the matches exceed one answer.
    let many: String =
        (0..400).fold(String::new(), |log, n| log + &format!("{n} password=a1B2c\n"));
    mock_log(&server, many.as_bytes());
    let found = grep(&server, json!({ "pattern": "password", "maxCount": 500 })).await;
    let shown = totals(&found).2;
    assert_eq!((found["nextOffset"].as_u64(), &found["truncated"]), (Some(shown), &json!(true)));
    assert!(shown > 150 && shown < 400, "{shown}");
}

#[tokio::test]
async fn encodes_space_names_in_resource_uris() {
    let server = CheckedServer::start().await;
    mock_log(&server, b"x\n");
    let found = grep(&server, json!({ "space": "warehouse-systems", "pattern": "x" })).await;
    assert_eq!(
        found["taskDetailsResourceUri"],
        "octopus://spaces/Warehouse%20Systems/tasks/ServerTasks-90004/details"
    );
    server.mock_response("/api/spaces/", &json!({ "Id": "Spaces-1", "Name": "It's (ours)!" }));
    let found = grep(&server, json!({ "space": "Spaces-1", "pattern": "x" })).await;
    assert_eq!(
        found["taskDetailsResourceUri"],
        "octopus://spaces/It%27s%20%28ours%29%21/tasks/ServerTasks-90004/details"
    );
}
