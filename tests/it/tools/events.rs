//! `find_events`.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot, column, list_response};

const TOOL: &str = "find_events";

async fn find(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn lists_events_newest_first_without_change_details() {
    let server = CheckedServer::start().await;
    let found = find(&server, json!({ "take": 3 })).await;
    let times = column(&found, "occurred");
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    assert_eq!(found["nextSkip"], 3);
    let sent = server.take_requests();
    assert!(sent.iter().any(|sent| sent.contains("/events?excludeDifference=true")), "{sent:?}");
    let modified = json!({ "eventCategories": "Modified", "take": 5 });
    let without = find(&server, modified.clone()).await;
    assert!(!without.to_string().contains("changeDetails"));
    let mut with = modified;
    with["excludeDifference"] = json!(false);
    let with = find(&server, with).await;
    assert!(with["items"][0]["changeDetails"]["differences"].is_array(), "{with}");
    let id = with["items"][0]["id"].clone();
    let one = find(&server, json!({ "eventId": id })).await;
    assert_eq!(one["id"], id);
    assert!(one["changeDetails"].is_object(), "a single event includes its change details");
    let short = find(&server, json!({ "eventId": id, "excludeDifference": true })).await;
    assert_eq!(short.get("changeDetails"), None);
    assert_snapshot(TOOL, &short);
}

#[tokio::test]
async fn shows_the_api_key_and_kind_of_actor() {
    let server = CheckedServer::start().await;
    let found = find(&server, json!({ "users": "build-server", "take": 1 })).await;
    let event = &found["items"][0];
    assert!(event["apiKeyId"].as_str().unwrap().starts_with("APIKeys-"), "{event}");
    assert!(event["apiKeyHint"].as_str().unwrap().starts_with("API-"), "{event}");
    for field in ["ActorType", "DeployedByActorType"] {
        let body = json!({ "Id": "Events-1", field: "Agent", "ApiKeyId": null });
        server.mock_response("/Spaces-1/events", &list_response(&json!([body])));
        let found = find(&server, json!({ "take": 1 })).await;
        assert_eq!(found["items"][0]["actorType"], "Agent", "{found}");
        server.server.sample.faults().clear();
    }
    let old = CheckedServer::with_version("2025.3.1").await;
    let found = find(&old, json!({ "users": "build-server", "take": 1 })).await;
    assert!(found["items"][0].get("apiKeyId").is_none(), "{found}");
}

#[tokio::test]
async fn filters_accept_names_or_ids_and_reach_octopus() {
    let server = CheckedServer::start().await;
    let arguments = json!({
        "users": ["Users-41", "USERS-SYSTEM"], "projects": "parcel tracking api",
        "environments": ["Production", "Environments-2"], "tenants": "hollis-freight",
        "eventCategories": ["deploymentfailed"], "eventAgents": "Server",
        "from": "2026-08-04T00:00:00+10:00", "to": "2026-11-01T00:00:00Z",
        "includeInternalEvents": true,
    });
    find(&server, arguments).await;
    let sent = server.take_requests();
    let search = sent.iter().find(|sent| sent.contains("/events?")).unwrap();
    for part in [
        "users=Users-41%2Cusers-system",
        "projects=Projects-1",
        "tenants=Tenants-2",
        "environments=Environments-3%2CEnvironments-2",
        "eventCategories=DeploymentFailed",
        "eventAgents=Server",
        "from=2026-08-03T14%3A00%3A00Z",
        "to=2026-11-01T00%3A00%3A00Z",
        "includeInternalEvents=true",
    ] {
        assert!(search.contains(part), "no {part} in {search}");
    }
    assert!(!sent.iter().any(|sent| sent.contains("/api/users?")), "IDs need no lookup");
    for (filter, key, allowed) in [
        (
            json!({ "eventGroups": "MachineUnavailableForDeployment" }),
            "category",
            &["MachineUnhealthy", "MachineUnavailable", "MachineDisabled"][..],
        ),
        (json!({ "eventCategories": "Deployment failed" }), "category", &["DeploymentFailed"]),
        (json!({ "users": "BUILD-server" }), "username", &["build-server"]),
        (json!({ "documentTypes": "Certificates" }), "category", &["CertificateExpired"]),
        (
            json!({ "tags": "Tier/Bronze", "eventCategories": "Modified" }),
            "category",
            &["Modified"],
        ),
    ] {
        let found = find(&server, filter.clone()).await;
        let values = column(&found, key);
        assert!(!values.is_empty(), "{filter}");
        assert!(values.iter().all(|value| allowed.contains(value)), "{filter}: {values:?}");
    }
    let both =
        find(&server, json!({ "regarding": ["Projects-1", "Environments-3"], "take": 20 })).await;
    for event in both["items"].as_array().unwrap() {
        let ids = event["relatedDocumentIds"].as_array().unwrap();
        assert!(ids.contains(&json!("Projects-1")) && ids.contains(&json!("Environments-3")));
    }
    let any = find(&server, json!({ "regardingAny": ["Tenants-6", "Tenants-8"], "take": 1 })).await;
    assert_eq!(column(&any, "id").len(), 1);
    let group = json!({ "projectGroups": "ProjectGroups-4", "eventCategories": "Created" });
    assert!(find(&server, group).await["items"].is_array());
    let none = find(&server, json!({ "regarding": "Projects-999" })).await;
    assert!(none["hint"].as_str().unwrap().contains("matches regarding; leave one out"));
    server.mock_response("/events", &list_response(&json!([])));
    let none = find(&server, json!({})).await;
    assert!(none["hint"].as_str().unwrap().contains("has no event that this user can see"));
}

#[tokio::test]
async fn lists_accepted_filter_values() {
    let server = CheckedServer::start().await;
    for (mode, word) in [
        ("listCategories", "DeploymentFailed"),
        ("listGroups", "Deployment"),
        ("listAgents", "Server"),
        ("listDocumentTypes", "Projects"),
    ] {
        let found = find(&server, json!({ "mode": mode })).await;
        assert_eq!(found["mode"], mode);
        assert!(column(&found, "id").contains(&word), "{mode}: {found}");
    }
    let groups = find(&server, json!({ "mode": "listGroups" })).await;
    assert!(groups["items"][0]["eventCategories"].is_array(), "{groups}");
    let all = column(&groups, "id");
    assert_eq!(
        (groups["totalResults"].as_u64(), groups.get("nextSkip")),
        (Some(all.len() as u64), None)
    );
    let (mut pages, mut skip) = (Vec::new(), json!(0));
    while !skip.is_null() {
        let page = json!({ "mode": "listGroups", "skip": skip, "take": 4 });
        let page = find(&server, page).await;
        pages.extend(column(&page, "id").into_iter().map(str::to_owned));
        skip = page["nextSkip"].clone();
    }
    assert_eq!(pages, all);
    let rest = find(&server, json!({ "mode": "listGroups", "skip": all.len() - 1 })).await;
    assert_eq!(column(&rest, "id"), all[all.len() - 1..]);
    let mode = json!({ "mode": "search", "take": 1 });
    assert_eq!(column(&find(&server, mode).await, "id").len(), 1);
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = CheckedServer::start().await;
    for (arguments, expected) in [
        (
            json!({ "eventId": "Events-80001", "users": "Users-1", "take": 1 }),
            &["`eventId` selects one item", "`users`, `take`"][..],
        ),
        (
            json!({ "mode": "listGroups", "users": "Users-1" }),
            &["a list mode takes no filters", "users"],
        ),
        (json!({ "mode": "listGroups", "take": 0 }), &["take: must be at least 1"]),
        (json!({ "mode": "listGroups", "eventId": "Events-1" }), &["eventId"]),
        (json!({ "mode": "listGroups", "excludeDifference": true }), &["excludeDifference"]),
        (json!({ "mode": "listEverything" }), &["mode", "unknown word", "`listGroups`"]),
        (json!({ "eventId": "80001" }), &["event IDs look like 'Events-123'"]),
        (json!({ "eventId": "Events-1" }), &["event 'Events-1' not found"]),
        (
            json!({ "from": "2026-08-04" }),
            &["from: '2026-08-04' is not a time with zone", "2026-08-04T09:00:00Z"],
        ),
        (json!({ "to": "2026-08-04T09:00:00" }), &["to: "]),
        (
            json!({ "from": "2026-08-05T00:00:00Z", "to": "2026-08-04T00:00:00Z" }),
            &["`from` must be before `to`"],
        ),
        (json!({ "regarding": ["Projects-1", "x"] }), &["regarding", "'x' is not an ID"]),
        (json!({ "regardingAny": ["Projects-1,Projects-2"] }), &["regardingAny", "is not an ID"]),
        (
            json!({ "eventCategories": "DeploymentFaild" }),
            &["eventCategories", "'DeploymentFaild' not found", "DeploymentFailed"],
        ),
        (json!({ "documentTypes": ["zzzzzz"] }), &["documentTypes", "'zzzzzz' not found"]),
        (json!({ "users": "nobody at all" }), &["user 'nobody at all' not found"]),
        (
            json!({ "projects": "Parcel Trackin API" }),
            &["project 'Parcel Trackin API' not found", "'Parcel Tracking API'"],
        ),
        (json!({ "tags": "Bronze" }), &["tags", "Set/Tag"]),
        (json!({ "users": [] }), &["users", "leave the argument out"]),
        (json!({ "take": 0 }), &["take: must be at least 1"]),
    ] {
        let mut arguments = arguments;
        arguments["space"] = json!("Default");
        server.assert_error_contains(TOOL, arguments, expected).await;
    }
    server.server.sample.faults().add(
        Fault::on("/api/users").body(
            &list_response(&json!([
                { "Id": "Users-7", "Username": "a.b", "DisplayName": "Night Desk" },
                { "Id": "Users-8", "Username": "c.d", "DisplayName": "Night Desk" },
            ]))
            .to_string(),
        ),
    );
    let twins = json!({ "space": "Default", "users": "night desk" });
    server.assert_error_contains(TOOL, twins, &["more than one user", "Users-7", "Users-8"]).await;
}

#[tokio::test]
async fn resolves_many_user_names_in_order() {
    let server = CheckedServer::start().await;
    let users = ["build-server", "octopus.admin", "Users-42", "octopus.admin", "build-server"];
    server.take_requests();
    server.call_ok_once(TOOL, json!({ "space": "Default", "users": users, "take": 1 })).await;
    let sent = server.take_requests();
    let search = sent.iter().find(|sent| sent.contains("/events?")).unwrap();
    let ids = "users=Users-62%2CUsers-1%2CUsers-42%2CUsers-1%2CUsers-62";
    assert!(search.contains(ids), "{search}");
}

#[tokio::test]
async fn user_ids_work_without_permission_to_list_users() {
    let server = CheckedServer::start().await;
    let by = |users: &str| json!({ "space": "Default", "users": users, "take": 1 });
    let rejected = server.server.call_as(keys::DEFAULT_SPACE_ONLY, TOOL, by("build-server")).await;
    assert!(
        rejected.is_error && rejected.text.contains("give IDs such as Users-123"),
        "{}",
        rejected.text
    );
    let found = server.server.call_as(keys::DEFAULT_SPACE_ONLY, TOOL, by("Users-62")).await;
    assert!(!found.is_error, "{}", found.text);
    let few = server.server.call_as(keys::WITH_FEW_PERMISSIONS, TOOL, by("Users-62")).await;
    assert!(few.is_error && few.text.contains("EventView"), "{}", few.text);
}

/// The change details of one event can have hundreds of kilobytes.
#[tokio::test]
async fn large_change_details_stay_within_the_budget() {
    let server = CheckedServer::start().await;
    let text = "line of a step\n".repeat(20_000);
    let event = json!({
        "Id": "Events-80001", "RelatedDocumentIds": null, "Message": "Process was changed",
        "MessageHtml": "<b>Process</b>", "MessageReferences": [],
        "ChangeDetails": { "Differences": [{ "op": "replace", "path": "/Steps/0", "value": text }] },
    });
    server.mock_response("/events/Events-80001", &event);
    let one = find(&server, json!({ "eventId": "Events-80001" })).await;
    assert!(one["truncated"]["how"].as_str().unwrap().contains("maxBytes"));
    assert_eq!((one.get("messageHtml"), one.get("messageReferences")), (None, None));
    let more = find(&server, json!({ "eventId": "Events-80001", "maxBytes": 100_000 })).await;
    assert!(more.to_string().len() > one.to_string().len());
}

#[tokio::test]
async fn internal_events_use_the_parameter_of_the_version() {
    const FORMER: &str = "internal=true";
    const PRESENT: &str = "includeInternalEvents=true";
    for (version, parameters) in [
        ("2021.1.0", &[FORMER][..]),
        ("2023.1.9626", &[FORMER]),
        ("2023.3.1", &[PRESENT, FORMER]),
        ("2023.4.8338", &[PRESENT]),
        ("2026.3.7314", &[PRESENT]),
    ] {
        let server = CheckedServer::with_version(version).await;
        let filter = json!({ "eventCategories": "TaskQueued", "includeInternalEvents": true });
        let found = find(&server, filter).await;
        assert!(!column(&found, "id").is_empty(), "{version}");
        let sent = server.take_requests();
        let search = sent.iter().find(|path| path.contains("/Spaces-1/events?")).unwrap();
        let query = search.split('?').nth(1).unwrap();
        for parameter in [FORMER, PRESENT] {
            let is_sent = query.split('&').any(|one| one == parameter);
            assert_eq!(is_sent, parameters.contains(&parameter), "{version}: {search}");
        }
    }
}
