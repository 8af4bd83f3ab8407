//! `find_interruptions`.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};
use crate::support::TestServer;

const TOOL: &str = "find_interruptions";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

/// Returns the IDs that the owner of this key finds, and the whole answer.
async fn found_by(server: &CheckedServer, key: &str, arguments: Value) -> (Vec<String>, Value) {
    let called = server.server.call_as(key, TOOL, arguments).await;
    assert!(!called.is_error, "{}", called.text);
    let ids = column(&called.structured, "id").into_iter().map(str::to_owned).collect();
    (ids, called.structured)
}

#[tokio::test]
async fn lists_pending_interruptions_with_context() {
    let server = CheckedServer::start().await;
    let found = find(&server, json!({})).await;
    assert_eq!(column(&found, "id"), ["Interruptions-9028", "Interruptions-9008"]);
    let waits = &found["items"][1];
    assert_eq!(waits["tenant"], json!({ "id": "Tenants-1", "name": "Brightwater Couriers" }));
    assert_eq!(waits["environment"]["name"], "Production");
    assert_eq!(waits["responsible"]["teamNames"], json!(["Release Engineers"]));
    assert_eq!(waits["formElementNames"], json!(["Instructions", "Notes", "Result"]));
    assert_eq!(waits["resourceUri"], "octopus://spaces/Default/interruptions/Interruptions-9008");
    assert_eq!(waits["taskResourceUri"], "octopus://spaces/Default/tasks/ServerTasks-90008");
    assert!(waits["url"].as_str().unwrap().ends_with("/tasks/ServerTasks-90008"));
    let one = find(&server, json!({ "interruptionId": "interruptions-9008" })).await;
    assert_eq!(&one, waits);
    assert_snapshot(TOOL, &one);
    let over = find(&server, json!({ "interruptionId": "Interruptions-9017" })).await;
    assert_eq!(over["isPending"], false);
    assert_eq!(over["responsible"]["userId"], "Users-41");
    assert!(over["responsible"]["userName"].is_string(), "{over}");
}

#[tokio::test]
async fn names_teams_of_space_and_instance() {
    let server = CheckedServer::start().await;
    let body = json!({
        "Id": "Interruptions-9008", "TaskId": "ServerTasks-90008",
        "ResponsibleTeamIds": ["teams-administrators", "Teams-21", "Teams-999"],
    });
    server.mock_response("/interruptions/Interruptions-9008", &body);
    server.take_requests();
    let one = json!({ "space": "Default", "interruptionId": "Interruptions-9008" });
    let found = server.call_ok_once(TOOL, one.clone()).await;
    let names = json!(["Octopus Administrators", "Release Engineers", "Teams-999"]);
    assert_eq!(found["responsible"]["teamNames"], names);
    let sent = server.take_requests();
    let teams: Vec<&String> = sent.iter().filter(|sent| sent.contains("/teams?")).collect();
    assert_eq!(teams.len(), 1, "{sent:#?}");
    assert!(teams[0].starts_with("/api/teams?spaces=Spaces-1&includeSystem=true&ids="));
    // A failed name lookup does not fail the call.
    server.server.sample.faults().add(Fault::on("/api/teams").status(403));
    let found = server.call_ok(TOOL, one).await;
    assert_eq!(found["responsible"]["teamNames"], found["responsible"]["teamIds"]);
}

#[tokio::test]
async fn omits_task_uri_without_the_tasks_toolset() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["interruptions".to_owned()];
    })
    .await;
    let server = CheckedServer { server };
    let found = find(&server, json!({})).await;
    assert_eq!(found["items"][0].get("taskResourceUri"), None);
    assert!(found["items"][0]["taskId"].is_string());
}

#[tokio::test]
async fn filters_limit_the_results() {
    let server = CheckedServer::start().await;
    let all = find(&server, json!({ "pendingOnly": false, "take": 2 })).await;
    assert!(all["totalResults"].as_u64().unwrap() >= 12);
    assert_eq!(all["nextSkip"], 2);
    for (regarding, expected) in [
        ("ServerTasks-90008", &["Interruptions-9008"][..]),
        ("Deployments-9028", &["Interruptions-9028"]),
        ("Tenants-1", &["Interruptions-9008"]),
        ("ServerTasks-1", &[]),
    ] {
        let found = find(&server, json!({ "regarding": regarding })).await;
        assert_eq!(column(&found, "id"), expected, "{regarding}");
    }
    let none = find(&server, json!({ "regarding": "ServerTasks-1" })).await;
    let hint = none["hint"].as_str().unwrap();
    assert!(
        hint.contains("interruption for ServerTasks-1") && hint.contains("pendingOnly=false"),
        "{hint}"
    );
}

#[tokio::test]
async fn assigned_to_me_includes_claimable_interruptions() {
    let server = CheckedServer::start().await;
    let mut arguments = json!({ "space": "Default", "assignedToMe": true });
    let (ids, found) = found_by(&server, keys::DEFAULT_SPACE_ONLY, arguments.clone()).await;
    assert_eq!(ids, ["Interruptions-9028", "Interruptions-9008"]);
    let filtered = &found["filteredAs"];
    assert_eq!(
        (&filtered["userId"], &filtered["scanComplete"]),
        (&json!("Users-41"), &json!(true))
    );
    // This user is not in a team that is responsible for the first interruption. Any user can take
    // the second.
    let (ids, _) = found_by(&server, keys::WITHOUT_TASK_VIEW, arguments.clone()).await;
    assert_eq!(ids, ["Interruptions-9028"]);
    // Interruptions that another user has taken are excluded, even for users with permission to
    // take them.
    arguments["pendingOnly"] = json!(false);
    let (ids, found) = found_by(&server, keys::ADMIN, arguments.clone()).await;
    assert!(!ids.contains(&"Interruptions-9017".to_owned()), "{ids:?}");
    assert_eq!(found["totalResults"], ids.len());
    assert!(found["filteredAs"]["serverTotalAvailable"].as_u64().unwrap() > ids.len() as u64);
    let (visible, _) = found_by(&server, keys::DEFAULT_SPACE_ONLY, arguments.clone()).await;
    assert!(visible.contains(&"Interruptions-9017".to_owned()), "{visible:?}");
    // Paging applies after the filter.
    arguments["take"] = json!(1);
    arguments["skip"] = json!(1);
    let (second, found) = found_by(&server, keys::DEFAULT_SPACE_ONLY, arguments).await;
    assert_eq!((&second[..], &found["nextSkip"]), (&visible[1..2], &json!(2)));
}

#[tokio::test]
async fn bounded_scan_reports_incompleteness() {
    let server = CheckedServer::start().await;
    let items: Vec<Value> = (0..100)
        .map(|n| json!({
            "Id": format!("Interruptions-{n}"), "ResponsibleUserId": if n == 0 { "Users-1" } else { "Users-9" },
            "CanTakeResponsibility": true, "Form": null, "RelatedDocumentIds": null, "TaskId": null,
        }))
        .collect();
    let many = json!({ "TotalResults": 700, "Items": items });
    server.mock_response("/interruptions", &many);
    let arguments = json!({ "space": "Default", "assignedToMe": true });
    let found = server.call_ok_once(TOOL, arguments).await;
    assert_eq!(found["totalResults"], 5);
    let filtered = &found["filteredAs"];
    assert_eq!(filtered["serverTotalScanned"], 500);
    assert_eq!(filtered["serverTotalAvailable"], 700);
    assert_eq!(filtered["scanComplete"], false);
    assert!(filtered["scanIncompleteHint"].as_str().unwrap().contains("regarding"));
    let pages = server.take_requests().into_iter().filter(|sent| sent.contains("/interruptions?"));
    assert_eq!(pages.count(), 5);
    server.server.sample.faults().clear();
    server.mock_response("/interruptions", &list_response(&json!([])));
    let none = find(&server, json!({ "assignedToMe": true })).await;
    assert!(none["hint"].as_str().unwrap().contains("that you have taken or can take"));
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = CheckedServer::start().await;
    for (arguments, parts) in [
        (
            json!({ "interruptionId": "Interruptions-9008", "pendingOnly": true }),
            &["`pendingOnly`"][..],
        ),
        (
            json!({ "interruptionId": "Interruptions-9008", "assignedToMe": false, "regarding": "ServerTasks-1", "skip": 0, "take": 1 }),
            &["`interruptionId` selects one item", "`assignedToMe`, `regarding`, `skip`, `take`"],
        ),
        (
            json!({ "interruptionId": "9008" }),
            &["interruption IDs look like 'Interruptions-123'", TOOL],
        ),
        (
            json!({ "interruptionId": "Interruptions-1" }),
            &["interruption 'Interruptions-1' not found in space 'Default'"],
        ),
        (json!({ "regarding": "the task" }), &["regarding", "'the task' is not an ID"]),
        (json!({ "regarding": "Projects-1,Projects-2" }), &["is not an ID"]),
        (json!({ "take": 0 }), &["take: must be at least 1"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.assert_error_contains(TOOL, arguments, parts).await;
    }
    server.server.sample.faults().add(Fault::on("/users/me").status(503));
    let arguments = json!({ "space": "Default", "assignedToMe": true });
    server.assert_error_contains(TOOL, arguments, &["Octopus returned 503:"]).await;
}

/// User names are optional because most callers have no permission to read other users.
#[tokio::test]
async fn omits_names_the_caller_cannot_read() {
    let server = CheckedServer::start().await;
    let arguments = json!({ "space": "Default", "interruptionId": "Interruptions-9017" });
    let called = server.server.call_as(keys::VIEW_ONLY, TOOL, arguments).await;
    assert!(!called.is_error, "{}", called.text);
    let responsible = &called.structured["responsible"];
    assert_eq!((&responsible["userId"], responsible.get("userName")), (&json!("Users-41"), None));
}

#[tokio::test]
async fn shows_every_type_with_its_pull_requests() {
    let server = CheckedServer::start().await;
    let types = [
        "ManualIntervention",
        "GuidedFailure",
        "PullRequestCompletion",
        "ArgoCDApplicationSync",
        "KubernetesResourceVerification",
        "SomethingNew",
    ];
    let body = |(number, kind): (usize, &&str)| {
        json!({
            "Id": format!("Interruptions-{number}"), "Type": kind, "IsPending": true, "Form": null,
            "PullRequests": if *kind == "PullRequestCompletion" {
                json!([{
                    "Id": "InterruptionPullRequests-1", "InterruptionId": "Interruptions-2",
                    "Number": 17, "RepositoryUrl": "https://git.example/fleet", "Status": "Open",
                    "Title": "Bump the route cache", "Url": "https://git.example/fleet/pull/17",
                }])
            } else {
                Value::Null
            },
        })
    };
    let all: Vec<Value> = types.iter().enumerate().map(body).collect();
    server.mock_response("/Spaces-1/interruptions", &list_response(&json!(all)));
    let found = find(&server, json!({})).await;
    assert_eq!(column(&found, "type"), types);
    let request = json!([{
        "number": 17, "title": "Bump the route cache", "status": "Open",
        "webUrl": "https://git.example/fleet/pull/17",
    }]);
    assert_eq!(found["items"][2]["pullRequests"], request);
    assert_eq!(found["items"][0].get("pullRequests"), None);
}
