//! `grep_llms_txt` searches the API catalog, which is cached for each caller.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{CheckedServer, assert_snapshot, line_numbers};
use crate::support::Era;

const CATALOG: &str = "# API\n\n### Releases\n- `GET /api/{spaceId}/releases{?skip,take}` List\n\
    - `POST /api/{spaceId}/releases` Create\n\n### Tasks\n- `POST /api/tasks/rerun/{id}` Rerun\n";

#[tokio::test]
async fn searches_the_api_catalog() {
    let server = CheckedServer::start().await;
    server.server.sample.faults().add(
        Fault::on("/api/experimental/llms.txt")
            .header("Content-Type", "text/markdown")
            .body(CATALOG),
    );
    let search = async |more: Value| server.call_ok("grep_llms_txt", more).await;
    let found = search(json!({ "pattern": "POST .*/releases", "beforeContext": 2 })).await;
    assert_eq!(line_numbers(&found), [3, 4, 5]);
    assert_eq!(found["catalogResourceUri"], "octopus://api/llms.txt");
    let found = search(json!({ "pattern": "/{spaceId}/RELEASES", "caseInsensitive": true })).await;
    assert_eq!(line_numbers(&found), [4, 5], "a brace matches literally");
    let found = search(json!({ "pattern": "### ", "maxCount": 1 })).await;
    assert_eq!((line_numbers(&found), &found["nextOffset"]), (vec![3], &json!(1)));
    assert_snapshot("grep_llms_txt", &found);
}

#[tokio::test]
async fn caches_the_api_catalog_per_caller() {
    let server = CheckedServer::start().await;
    let search = json!({ "pattern": "API" });
    let at_once = (0..8)
        .map(|_| server.server.call_in(Era::Modern, keys::ADMIN, "grep_llms_txt", search.clone()));
    futures::future::join_all(at_once).await;
    let downloads = |server: &CheckedServer| {
        server.take_requests().iter().filter(|path| path.contains("llms.txt")).count()
    };
    assert_eq!(downloads(&server), 1, "concurrent calls share one download");
    server.server.call_as(keys::ADMIN, "grep_llms_txt", search.clone()).await;
    assert_eq!(downloads(&server), 0);
    server.server.call_as(keys::DEFAULT_SPACE_ONLY, "grep_llms_txt", search.clone()).await;
    assert_eq!(downloads(&server), 1, "another caller downloads its own copy");
    let rejected = server.server.call_as("API-NOBODY", "grep_llms_txt", search).await;
    let reason = "check that the API key or token exists";
    assert!(rejected.is_error && rejected.text.contains(reason), "{}", rejected.text);
}

#[tokio::test]
async fn reports_a_missing_api_catalog() {
    let server = CheckedServer::start().await;
    let search = json!({ "pattern": "x" });
    let fault = Fault::on("/experimental/").header("Content-Type", "text/html; charset=utf-8");
    server.server.sample.faults().add(fault.body("<html>"));
    server.assert_error_contains("grep_llms_txt", search.clone(), &["returned an HTML page"]).await;
    server.server.sample.faults().clear();
    server.server.sample.faults().add(Fault::on("/experimental/").status(404));
    server
        .assert_error_contains(
            "grep_llms_txt",
            search.clone(),
            &["API catalog 'llms.txt' not found"],
        )
        .await;
    server.server.sample.faults().clear();
    // Failures are not cached.
    server.call_ok("grep_llms_txt", search).await;
}
