//! `grep_llms_txt`: the API catalog is searched, and read once by each caller.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{Held, numbers, snapshot};
use crate::support::Era;

const CATALOG: &str = "# API\n\n### Releases\n- `GET /api/{spaceId}/releases{?skip,take}` List\n\
    - `POST /api/{spaceId}/releases` Create\n\n### Tasks\n- `POST /api/tasks/rerun/{id}` Rerun\n";

#[tokio::test]
async fn the_api_catalog_is_searched() {
    let server = Held::start().await;
    server.server.sample.faults().add(
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
    server.server.sample.faults().add(fault.body("<html>"));
    server.refuses("grep_llms_txt", search.clone(), &["a page for browsers"]).await;
    server.server.sample.faults().clear();
    server.server.sample.faults().add(Fault::on("/experimental/").status(404));
    server.refuses("grep_llms_txt", search.clone(), &["no API catalog"]).await;
    server.server.sample.faults().clear();
    // A failure is not remembered.
    server.answer("grep_llms_txt", search).await;
}
