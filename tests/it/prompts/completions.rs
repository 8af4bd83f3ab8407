//! Completions return only values that the caller can see, at the cost of one request.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{complete, prompt_reference, request_completion};
use crate::support::{ERAS, Era, TestServer};

fn template_reference(uri: &str) -> Value {
    json!({ "type": "ref/resource", "uri": uri })
}

fn values(info: &Value) -> Vec<&str> {
    info["values"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
}

#[tokio::test]
async fn completes_with_values_visible_to_the_caller() {
    let server = TestServer::start().await;
    let of_prompt = || prompt_reference("prepare_promotion");
    let space = json!({ "space": "default" });
    let project = json!({ "space": "Default", "project": "parcel-tracking-api" });
    for (name, typed, given, expected) in [
        ("space", "WARE", json!({}), "Warehouse Systems"),
        ("project", "parcel", space.clone(), "Parcel Tracking API"),
        ("project", "TRACKING", space.clone(), "Parcel Tracking API"),
        ("environment", "prod", space.clone(), "Production"),
        ("tenant", "hollis", space.clone(), "Hollis Freight"),
    ] {
        let info = complete(&server, of_prompt(), name, typed, given).await;
        assert_eq!(values(&info).first(), Some(&expected), "{name} {typed}: {info}");
        assert_eq!(info["hasMore"], false);
        assert_eq!(info["total"], values(&info).len());
    }
    let releases = complete(&server, of_prompt(), "release", "", project.clone()).await;
    let version = values(&releases)[0].to_owned();
    assert!(releases["total"].as_u64().unwrap() >= values(&releases).len() as u64);
    let of_project = complete(&server, of_prompt(), "release", &version, project).await;
    assert_eq!(values(&of_project)[0], version);
    let none = complete(&server, of_prompt(), "project", "zzz", space).await;
    assert_eq!(none, json!({ "values": [], "total": 0, "hasMore": false }));
}

#[tokio::test]
async fn completes_variables_of_resource_uris() {
    let server = TestServer::start().await;
    let space = || json!({ "spaceName": "Default" });
    let base = "octopus://spaces/{spaceName}";
    let task = format!("{base}/tasks/{{taskId}}");
    let toggle = format!("{base}/projects/{{projectId}}/featuretoggles/{{slug}}");
    let git = format!("{base}/projects/{{projectSlug}}/{{gitRef}}/runbooks/{{runbookSlug}}");
    let of_toggles = json!({ "spaceName": "Default", "projectId": "Projects-1" });
    let of_git =
        json!({ "spaceName": "Default", "projectSlug": "route-planner", "gitRef": "main" });
    for (uri, name, typed, given, expected) in [
        (base.to_owned(), "spaceName", "def", json!({}), "Default"),
        (task.clone(), "taskId", "", space(), "ServerTasks-"),
        (task.clone(), "taskId", "servertasks-9", space(), "ServerTasks-9"),
        (task, "taskId", "Deploy Parcel", space(), "ServerTasks-"),
        (format!("{base}/releases/{{releaseId}}"), "releaseId", "Rel", space(), "Releases-"),
        (format!("{base}/runbooks/{{runbookId}}"), "runbookId", "", space(), "Runbooks-"),
        (toggle.clone(), "projectId", "parcel", space(), "Projects-1"),
        (toggle, "slug", "eta", of_toggles, "eta-window"),
        (git.clone(), "projectSlug", "ROUTE", space(), "route-planner"),
        (git.clone(), "gitRef", "ma", of_git.clone(), "main"),
        (git, "runbookSlug", "rebuild", of_git, "rebuild-route-cache"),
    ] {
        let info = complete(&server, template_reference(&uri), name, typed, given).await;
        let found = values(&info);
        assert!(found.first().is_some_and(|v| v.starts_with(expected)), "{name} {typed}: {info}");
    }
}

#[tokio::test]
async fn empty_completions_are_not_errors() {
    let server = TestServer::with(|config| config.octopus.retries = 0).await;
    let of_prompt = || prompt_reference("diagnose_failed_deployment");
    // No space argument, an unknown space, and text that matches no name.
    for given in [json!({}), json!({ "space": " " }), json!({ "space": "Nowhere" })] {
        let info = complete(&server, of_prompt(), "project", "web", given).await;
        assert_eq!(info["values"], json!([]));
    }
    let space = || json!({ "space": "Default" });
    let info = complete(&server, of_prompt(), "project", &"x".repeat(5000), space()).await;
    assert_eq!(info["values"], json!([]));
    let info =
        complete(&server, prompt_reference("investigate_task"), "url", "http", json!({})).await;
    assert_eq!(info["values"], json!([]));
    let group = "octopus://spaces/{spaceName}/projects/{projectId}/rolloutgroups/{rolloutGroupId}";
    server.sample.clear_journal();
    let given = json!({ "spaceName": "Default", "projectId": "Projects-1" });
    let info = complete(&server, template_reference(group), "rolloutGroupId", "", given).await;
    assert_eq!(info["values"], json!([]));
    assert!(server.sample.journal().is_empty(), "Octopus has no list endpoint for them");
    // An unknown project matters only if the values belong to the project.
    let given = || json!({ "space": "Default", "project": "Parcel Trackin" });
    for (name, typed, expected) in [
        ("environment", "prod", Some("Production")),
        ("tenant", "hollis", Some("Hollis Freight")),
        ("release", "", None),
    ] {
        let info =
            complete(&server, prompt_reference("prepare_promotion"), name, typed, given()).await;
        assert_eq!(values(&info).first().copied(), expected, "{name}: {info}");
    }
    for status in [401, 403, 404, 429, 500] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/projects").status(status));
        let info = complete(&server, of_prompt(), "project", "web", space()).await;
        assert_eq!(info["values"], json!([]), "{status}");
    }
    server.sample.faults().clear();
    server.sample.faults().add(Fault::on("/projects").malformed_json());
    let info = complete(&server, of_prompt(), "project", "web", space()).await;
    assert_eq!(info["values"], json!([]));
}

#[tokio::test]
async fn completions_are_limited_to_the_caller() {
    let server = TestServer::start().await;
    let params = json!({ "ref": prompt_reference("prepare_promotion"),
        "argument": { "name": "space", "value": "" } });
    let seen =
        request_completion(&server, Era::Modern, keys::WAREHOUSE_SPACE_ONLY, &params).await.json();
    assert_eq!(seen["result"]["completion"]["values"], json!(["Warehouse Systems"]));
    let params = json!({ "ref": prompt_reference("prepare_promotion"),
        "argument": { "name": "project", "value": "" },
        "context": { "arguments": { "space": "Default" } } });
    let seen =
        request_completion(&server, Era::Modern, keys::WAREHOUSE_SPACE_ONLY, &params).await.json();
    assert_eq!(seen["result"]["completion"]["values"], json!([]));
}

#[tokio::test]
async fn completion_sends_one_bounded_request() {
    let server = TestServer::start().await;
    let space = || json!({ "space": "Default" });
    complete(&server, prompt_reference("prepare_promotion"), "project", "a", space()).await;
    server.sample.clear_journal();
    complete(&server, prompt_reference("prepare_promotion"), "project", "a&b", space()).await;
    let journal = server.sample.journal();
    assert_eq!(journal.len(), 2, "one request per era: {journal:#?}");
    for entry in journal {
        assert_eq!(entry.query.as_deref(), Some("partialName=a%26b&take=100"));
    }
}

#[tokio::test]
async fn rejects_unknown_completion_references_and_arguments() {
    let server = TestServer::start().await;
    for (of, name) in [
        (prompt_reference("nothing"), "space"),
        (prompt_reference("prepare_promotion"), "colour"),
        (template_reference("octopus://nothing/{x}"), "x"),
        (template_reference("octopus://spaces/{spaceName}"), "taskId"),
    ] {
        let params = json!({ "ref": of, "argument": { "name": name, "value": "" } });
        for era in ERAS {
            let reply = request_completion(&server, era, keys::ADMIN, &params).await;
            assert_eq!(reply.error_code(), -32602, "{}", reply.text);
        }
    }
}
