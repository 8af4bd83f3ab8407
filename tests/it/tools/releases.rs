//! `get_release_by_id`, `list_releases` and `list_releases_for_project`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

#[tokio::test]
async fn returns_one_complete_release() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "releaseId": "Releases-9002" });
    let release = server.call_ok("get_release_by_id", arguments).await;
    assert_eq!(
        (&release["version"], &release["projectName"]),
        (&json!("1.12.0"), &json!("Parcel Tracking API"))
    );
    assert_eq!(release["channelName"], "Default");
    let build = &release["buildInformation"][0];
    assert_eq!(build["workItems"][0]["id"], "TRK-418");
    assert!(build["commits"][0]["linkUrl"].as_str().unwrap().starts_with("https://git."));
    assert_eq!(release["selectedPackages"][0]["version"], "1.12.0");
    assert_snapshot("get_release_by_id", &release);
}

#[tokio::test]
async fn git_release_shows_its_commit() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Spaces-1", "releaseId": " releases-9003 " });
    let release = server.call_ok("get_release_by_id", arguments).await;
    assert_eq!(release["versionControlReference"]["gitRef"], "refs/heads/main");
    assert_eq!(release["versionControlReference"]["gitCommit"].as_str().unwrap().len(), 40);
}

#[tokio::test]
async fn rejects_malformed_release_ids_without_upstream_requests() {
    let server = CheckedServer::start().await;
    for id in ["7", "1.12.0", "Projects-1", "Releases-", "Releases-1/../../users", "Releases-1?x"] {
        let expected = ["is not a release ID", "Releases-123", "list_releases"];
        server
            .assert_error_contains(
                "get_release_by_id",
                json!({ "space": "Default", "releaseId": id }),
                &expected,
            )
            .await;
    }
    assert_eq!(server.take_requests(), Vec::<String>::new());
    let expected = ["release 'Releases-7' not found in space 'Default'", "list_releases"];
    server
        .assert_error_contains(
            "get_release_by_id",
            json!({ "space": "Default", "releaseId": "Releases-7" }),
            &expected,
        )
        .await;
    // The release exists in the other space.
    let expected = ["release 'Releases-9021' not found in space 'Default'"];
    server
        .assert_error_contains(
            "get_release_by_id",
            json!({ "space": "Default", "releaseId": "Releases-9021" }),
            &expected,
        )
        .await;
}

#[tokio::test]
async fn lists_releases_of_a_space_newest_first() {
    let server = CheckedServer::start().await;
    let list = server.call_ok("list_releases", json!({ "space": "Default", "take": 4 })).await;
    assert_eq!(list["totalResults"], 287);
    let newest = ["Releases-9010", "Releases-9004", "Releases-9009", "Releases-9005"];
    assert_eq!(column(&list, "id"), newest);
    assert_eq!(list["nextSkip"], 4);
    let other = server.call_ok("list_releases", json!({ "space": "Spaces-22", "take": 1 })).await;
    assert_eq!(column(&other, "projectName"), ["Pick and Pack"]);
    assert_snapshot(
        "list_releases",
        &server.call_ok("list_releases", json!({ "space": "Default", "take": 1 })).await,
    );
}

#[tokio::test]
async fn searches_releases_of_a_project_by_version() {
    let server = CheckedServer::start().await;
    for project in ["Billing Engine", "billing engine", "billing-engine", "Projects-5"] {
        for name in ["projectId", "project", "projectName"] {
            let arguments = json!({ "space": "Default", name: project, "searchByVersion": "5.7" });
            let list = server.call_ok("list_releases_for_project", arguments).await;
            assert_eq!(column(&list, "id"), ["Releases-9007"]);
        }
    }
    let arguments =
        json!({ "space": "Default", "project": "Billing Engine", "searchByVersion": "99" });
    let none = server.call_ok("list_releases_for_project", arguments).await;
    assert!(none["hint"].as_str().unwrap().contains("'99'"));
    let arguments = json!({ "space": "Default", "project": "Carrier Onboarding" });
    let none = server.call_ok("list_releases_for_project", arguments).await;
    assert!(none["hint"].as_str().unwrap().contains("'Carrier Onboarding' has no release"));
    let expected = ["project 'Biling Engine' not found", "'Billing Engine'", "list_projects"];
    let arguments = json!({ "space": "Default", "project": "Biling Engine" });
    server.assert_error_contains("list_releases_for_project", arguments, &expected).await;
}

#[tokio::test]
async fn list_abbreviates_large_releases() {
    let server = CheckedServer::start().await;
    let commits: Vec<Value> = (0..40)
        .map(|n| json!({ "Id": format!("{n:040}"), "LinkUrl": "https://git.example/x", "Comment": "More" }))
        .collect();
    let release = json!({
        "Id": "Releases-9002", "Version": "1", "ProjectId": "Projects-1", "Links": { "Self": "x" },
        "ReleaseNotes": "A line of notes.\n".repeat(100),
        "BuildInformation": [{ "PackageId": "Web", "VcsRoot": "x", "Commits": commits }],
    });
    server.mock_response("/releases/Releases-9002", &release);
    server.mock_response("/releases", &list_response(&json!([release])));
    let list = server.call_ok("list_releases", json!({ "space": "Default" })).await;
    let build = &list["items"][0]["buildInformation"][0];
    assert_eq!(
        (build["commits"].as_array().unwrap().len(), &build["commitCount"]),
        (3, &json!(40))
    );
    assert!(list["items"][0]["releaseNotes"].as_str().unwrap().len() < 410);
    let arguments = json!({ "space": "Default", "releaseId": "Releases-9002" });
    let by_id = server.call_ok("get_release_by_id", arguments).await;
    assert_eq!(by_id["buildInformation"][0]["commits"].as_array().unwrap().len(), 40);
    assert_eq!(by_id["releaseNotes"].as_str().unwrap().lines().count(), 100);
}
