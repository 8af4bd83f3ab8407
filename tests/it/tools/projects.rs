//! `list_projects`.

use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

#[tokio::test]
async fn lists_projects_with_names_of_references() {
    let server = CheckedServer::start().await;
    let list = server.call_ok("list_projects", json!({ "space": "default" })).await;
    assert_eq!(list["totalResults"], 11);
    assert!(column(&list, "name").is_sorted());
    let billing = &list["items"][0];
    assert_eq!(billing["id"], "Projects-5");
    assert_eq!(billing["lifecycleName"], "Default Lifecycle");
    assert_eq!(billing["projectGroupName"], "Back Office");
    assert_eq!(billing["deploymentProcessId"], "deploymentprocess-Projects-5");
    assert!(billing["url"].as_str().unwrap().ends_with("/projects/billing-engine"));
    let disabled: Vec<_> =
        list["items"].as_array().unwrap().iter().filter(|p| p["isDisabled"] == true).collect();
    assert_eq!((disabled.len(), &disabled[0]["id"]), (1, &json!("Projects-10")));
}

#[tokio::test]
async fn version_controlled_project_shows_its_repository() {
    let server = CheckedServer::start().await;
    let list = server
        .call_ok("list_projects", json!({ "space": "Default", "partialName": "route" }))
        .await;
    assert_eq!(column(&list, "id"), ["Projects-2"]);
    let planner = &list["items"][0];
    let repository = "https://git.larkspurfreight.example/platform/route-planner.git";
    assert_eq!(planner["repositoryUrl"], repository);
    assert_eq!(planner["defaultBranch"], "main");
    assert_eq!(planner["tenantedDeploymentMode"], "Tenanted");
    let plain = server.call_ok("list_projects", json!({ "space": "Default", "take": 1 })).await;
    assert!(plain["items"][0].get("repositoryUrl").is_none());
    assert_snapshot("list_projects", &list);
}

#[tokio::test]
async fn detects_version_control_from_either_field() {
    let server = CheckedServer::start().await;
    let settings = |kind: Value| json!({ "Type": kind, "Url": "https://git.example/x" });
    let project = |id: u32, kind: Value, is_in_git: bool| {
        json!({
            "Id": format!("Projects-{id}"), "Name": format!("Project {id}"),
            "IsVersionControlled": is_in_git, "PersistenceSettings": settings(kind),
        })
    };
    let projects = json!([
        project(1, json!("VersionControlled"), false),
        project(2, json!(null), true),
        project(3, json!("Database"), false),
    ]);
    server.mock_response("/projects", &list_response(&projects));
    let list = server.call_ok("list_projects", json!({ "space": "Default" })).await;
    let urls = column(&list, "repositoryUrl");
    assert_eq!(urls, ["https://git.example/x", "https://git.example/x", "-"]);
}

#[tokio::test]
async fn next_skip_visits_every_project_once() {
    let server = CheckedServer::start().await;
    let all = server.call_ok("list_projects", json!({ "space": "Default" })).await;
    let mut seen: Vec<String> = Vec::new();
    let mut skip = json!(0);
    while !skip.is_null() {
        let arguments = json!({ "space": "Default", "take": 4, "skip": skip });
        let page = server.call_ok("list_projects", arguments).await;
        seen.extend(column(&page, "id").into_iter().map(str::to_owned));
        skip = page["nextSkip"].clone();
    }
    assert_eq!(seen, column(&all, "id"));
}

#[tokio::test]
async fn lists_projects_of_the_requested_space() {
    let server = CheckedServer::start().await;
    let list = server.call_ok("list_projects", json!({ "spaceName": "Warehouse Systems" })).await;
    assert_eq!(column(&list, "id"), ["Projects-43", "Projects-41", "Projects-42", "Projects-44"]);
    assert_eq!(list["items"][1]["projectGroupName"], "Warehouse Floor");
}

#[tokio::test]
async fn hints_why_the_list_is_empty() {
    let server = CheckedServer::start().await;
    let none =
        server.call_ok("list_projects", json!({ "space": "Default", "partialName": "pick" })).await;
    let hint = none["hint"].as_str().unwrap();
    assert!(hint.contains("'pick'") && hint.contains("another space"), "{hint}");
    let past = server.call_ok("list_projects", json!({ "space": "Default", "skip": 11 })).await;
    assert!(past["hint"].as_str().unwrap().contains("the list has 11 items"));
}

/// An instance that ignores paging returns the whole collection in every response.
#[tokio::test]
async fn finds_names_when_octopus_ignores_paging() {
    let server = CheckedServer::start().await;
    let environment =
        |n: usize| json!({ "Id": format!("Environments-{n}"), "Name": format!("E{n}") });
    let items: Vec<Value> = (1_001..=2_200).map(environment).collect();
    server.mock_response("environments", &json!({ "Items": items, "TotalResults": 1_200 }));
    let arguments = json!({ "space": "Default", "environments": ["E1001", "E2200"] });
    let page = server.call_ok("list_deployments", arguments).await;
    assert_eq!(page["totalResults"], 0, "{page}");
}

#[tokio::test]
async fn counts_but_omits_excess_items() {
    let server = CheckedServer::start().await;
    let project = |n: usize| json!({ "Id": format!("Projects-{n}"), "Name": format!("P{n}") });
    let items: Vec<Value> = (1..=500).map(project).collect();
    server.mock_response("projects", &json!({ "Items": items, "TotalResults": 3 }));
    let page = server.call_ok("list_projects", json!({ "space": "Default", "take": 5 })).await;
    let count = page["items"].as_array().unwrap().len();
    assert_eq!((count, &page["totalResults"], &page["nextSkip"]), (5, &json!(500), &json!(5)));
}
