//! Releases and users by ID, with and without the filter `ids` of their lists.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, column};

const FORMER: &str = "2023.1.9626";
const PRESENT: [&str; 2] = ["2023.4.8338", "2026.3.7314"];

async fn deployments(server: &CheckedServer, take: u32) -> Value {
    let arguments = json!({ "space": "Default", "take": take });
    server.call_ok_once("list_deployments", arguments).await
}

/// Returns the requests of this collection, and the number of those of single documents.
fn requests_of(server: &CheckedServer, collection: &str) -> (Vec<String>, usize) {
    let mut sent = server.take_requests();
    sent.retain(|path| path.contains(collection));
    let single = format!("{collection}/");
    let singles = sent.iter().filter(|path| path.contains(&single)).count();
    (sent, singles)
}

/// Makes Octopus return another document instead of the requested ones in a list, as an instance
/// does that ignores `ids`. Single documents are unchanged.
fn ignore_ids(server: &CheckedServer, collection: &str, other: &Value) {
    let single = Fault::on(&format!("{collection}/")).delay(std::time::Duration::ZERO);
    server.server.sample.faults().add(single);
    server.mock_response(collection, &json!({ "TotalResults": 5000, "Items": [other] }));
}

#[tokio::test]
async fn list_deployments_finds_all_versions_with_one_request() {
    for version in [FORMER].into_iter().chain(PRESENT) {
        let server = CheckedServer::with_version(version).await;
        server.take_requests();
        let found = deployments(&server, 60).await;
        assert!(!column(&found, "releaseVersion").contains(&"-"), "{version}");
        assert_eq!(found.get("incomplete"), None, "{version}");
        let (sent, _) = requests_of(&server, "/Spaces-1/releases");
        assert_eq!(sent.len(), 1, "{version}: {sent:?}");
        assert_eq!(sent[0].contains("ids="), version == FORMER, "{version}: {sent:?}");
    }
}

#[tokio::test]
async fn one_release_is_read_directly_without_the_filter() {
    let server = CheckedServer::start().await;
    let found = deployments(&server, 1).await;
    assert!(!column(&found, "releaseVersion").contains(&"-"));
    let (sent, singles) = requests_of(&server, "/Spaces-1/releases");
    assert_eq!((sent.len(), singles), (1, 1), "{sent:?}");
}

#[tokio::test]
async fn releases_missing_in_the_list_are_read_one_by_one() {
    let other = json!({ "Id": "Releases-1", "Version": "0.0.1", "ProjectId": "Projects-1" });
    for version in [FORMER, PRESENT[0], PRESENT[1]] {
        let server = CheckedServer::with_version(version).await;
        ignore_ids(&server, "/Spaces-1/releases", &other);
        let found = deployments(&server, 20).await;
        assert!(!column(&found, "releaseVersion").contains(&"-"), "{version}: {found}");
        assert_eq!(found.get("incomplete"), None, "{version}");
    }
}

#[tokio::test]
async fn at_most_thirty_releases_are_read_and_others_are_named() {
    let server = CheckedServer::start().await;
    let other = json!({ "Id": "Releases-1", "Version": "0.0.1", "ProjectId": "Projects-1" });
    ignore_ids(&server, "/Spaces-1/releases", &other);
    let arguments = json!({ "space": "Default", "take": 100, "projects": [
        "Projects-1", "Projects-2", "Projects-3", "Projects-4", "Projects-5", "Projects-6",
    ]});
    let found = server.call_ok_once("list_deployments", arguments).await;
    let (_, singles) = requests_of(&server, "/Spaces-1/releases");
    assert_eq!(singles, 30);
    let incomplete = found["incomplete"][0].as_str().unwrap();
    assert!(incomplete.starts_with("releaseVersion missing for release "), "{incomplete}");
    assert!(incomplete.contains("at most 30 are read one by one"), "{incomplete}");
}

#[tokio::test]
async fn failed_read_of_one_release_is_named() {
    let server = CheckedServer::start().await;
    let other = json!({ "Id": "Releases-1", "Version": "0.0.1", "ProjectId": "Projects-1" });
    let failing = Fault::on("/Spaces-1/releases/Releases-9003").status(500);
    server.server.sample.faults().add(failing);
    ignore_ids(&server, "/Spaces-1/releases", &other);
    let found = deployments(&server, 10).await;
    let incomplete = found["incomplete"][0].as_str().unwrap();
    assert!(incomplete.contains("for release Releases-9003: "), "{incomplete}");
    let without = column(&found, "releaseVersion").into_iter().filter(|one| *one == "-").count();
    let failed = column(&found, "releaseId").into_iter().filter(|id| *id == "Releases-9003");
    assert_eq!(without, failed.count());
}

#[tokio::test]
async fn missing_releases_of_a_complete_list_are_not_read_again() {
    let server = CheckedServer::with_version(FORMER).await;
    server.mock_response("/Spaces-1/releases", &json!({ "TotalResults": 0, "Items": [] }));
    let found = deployments(&server, 10).await;
    assert!(column(&found, "releaseVersion").iter().all(|one| *one == "-"));
    let (sent, singles) = requests_of(&server, "/Spaces-1/releases");
    assert_eq!((sent.len(), singles), (1, 0), "{sent:?}");
}

#[tokio::test]
async fn find_interruptions_names_users_in_every_version() {
    let arguments = json!({ "space": "Default", "pendingOnly": false });
    for version in [FORMER].into_iter().chain(PRESENT) {
        for ignores in [false, true] {
            let server = CheckedServer::with_version(version).await;
            if ignores {
                let other = json!({ "Id": "Users-999", "Username": "somebody" });
                ignore_ids(&server, "/api/users", &other);
            }
            let found = server.call_ok_once("find_interruptions", arguments.clone()).await;
            let people = found["items"].as_array().unwrap().iter().map(|one| &one["responsible"]);
            let taken: Vec<&Value> = people.filter(|one| one.get("userId").is_some()).collect();
            assert!(!taken.is_empty(), "{version}");
            let named = taken.iter().all(|one| one["userName"].is_string());
            assert!(named, "{version} {ignores}: {taken:?}");
            let (sent, _) = requests_of(&server, "/api/users");
            let filtered = sent.iter().any(|path| path.contains("ids="));
            assert_eq!(filtered, version == FORMER, "{version}: {sent:?}");
        }
    }
}
