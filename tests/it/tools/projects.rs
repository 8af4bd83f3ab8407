//! `list_projects`.

use serde_json::{Value, json};

use super::held::{Held, column, page, snapshot};

#[tokio::test]
async fn projects_come_by_name_with_the_names_of_what_they_refer_to() {
    let server = Held::start().await;
    let list = server.answer("list_projects", json!({ "space": "default" })).await;
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
async fn a_version_controlled_project_says_where_its_process_lives() {
    let server = Held::start().await;
    let list =
        server.answer("list_projects", json!({ "space": "Default", "partialName": "route" })).await;
    assert_eq!(column(&list, "id"), ["Projects-2"]);
    let planner = &list["items"][0];
    let repository = "https://git.larkspurfreight.example/platform/route-planner.git";
    assert_eq!(planner["repositoryUrl"], repository);
    assert_eq!(planner["defaultBranch"], "main");
    assert_eq!(planner["tenantedDeploymentMode"], "Tenanted");
    let plain = server.answer("list_projects", json!({ "space": "Default", "take": 1 })).await;
    assert!(plain["items"][0].get("repositoryUrl").is_none());
    snapshot("list_projects", &list);
}

#[tokio::test]
async fn a_project_is_in_git_where_octopus_says_so_in_either_way() {
    let server = Held::start().await;
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
    server.says("/projects", &page(&projects));
    let list = server.answer("list_projects", json!({ "space": "Default" })).await;
    let urls = column(&list, "repositoryUrl");
    assert_eq!(urls, ["https://git.example/x", "https://git.example/x", "-"]);
}

#[tokio::test]
async fn following_next_skip_visits_every_project_once() {
    let server = Held::start().await;
    let all = server.answer("list_projects", json!({ "space": "Default" })).await;
    let mut seen: Vec<String> = Vec::new();
    let mut skip = json!(0);
    while !skip.is_null() {
        let arguments = json!({ "space": "Default", "take": 4, "skip": skip });
        let page = server.answer("list_projects", arguments).await;
        seen.extend(column(&page, "id").into_iter().map(str::to_owned));
        skip = page["nextSkip"].clone();
    }
    assert_eq!(seen, column(&all, "id"));
}

#[tokio::test]
async fn each_space_has_its_own_projects() {
    let server = Held::start().await;
    let list = server.answer("list_projects", json!({ "spaceName": "Warehouse Systems" })).await;
    assert_eq!(column(&list, "id"), ["Projects-43", "Projects-41", "Projects-42", "Projects-44"]);
    assert_eq!(list["items"][1]["projectGroupName"], "Warehouse Floor");
}

#[tokio::test]
async fn an_empty_list_says_why() {
    let server = Held::start().await;
    let none =
        server.answer("list_projects", json!({ "space": "Default", "partialName": "pick" })).await;
    let hint = none["hint"].as_str().unwrap();
    assert!(hint.contains("'pick'") && hint.contains("another space"), "{hint}");
    let past = server.answer("list_projects", json!({ "space": "Default", "skip": 11 })).await;
    assert!(past["hint"].as_str().unwrap().contains("the list has 11 items"));
}

/// An instance that ignores paging returns the whole collection in every response.
#[tokio::test]
async fn every_name_is_found_though_octopus_ignores_paging() {
    let server = Held::start().await;
    let environment =
        |n: usize| json!({ "Id": format!("Environments-{n}"), "Name": format!("E{n}") });
    let items: Vec<Value> = (1_001..=2_200).map(environment).collect();
    server.says("environments", &json!({ "Items": items, "TotalResults": 1_200 }));
    let arguments = json!({ "space": "Default", "environments": ["E1001", "E2200"] });
    let page = server.answer("list_deployments", arguments).await;
    assert_eq!(page["totalResults"], 0, "{page}");
}

#[tokio::test]
async fn what_octopus_sends_beyond_the_requested_items_is_only_counted() {
    let server = Held::start().await;
    let project = |n: usize| json!({ "Id": format!("Projects-{n}"), "Name": format!("P{n}") });
    let items: Vec<Value> = (1..=500).map(project).collect();
    server.says("projects", &json!({ "Items": items, "TotalResults": 3 }));
    let page = server.answer("list_projects", json!({ "space": "Default", "take": 5 })).await;
    let count = page["items"].as_array().unwrap().len();
    assert_eq!((count, &page["totalResults"], &page["nextSkip"]), (5, &json!(500), &json!(5)));
}
