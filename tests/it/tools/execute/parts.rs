//! Parts of large responses: `pointer`, `continueAt` and `nextSkip`.

use serde_json::{Value, json};

use super::get;
use crate::tools::checked_server::CheckedServer;

const LIFECYCLE: &str = "/api/Spaces-1/lifecycles/Lifecycles-1";

/// A lifecycle with 8 phases, each about 3 KB.
fn lifecycle() -> Value {
    let phase = |number: usize| {
        let targets: Vec<String> =
            (0..60).map(|one| format!("Environments-{number}{one:03}")).collect();
        json!({ "Id": format!("phase-{number}"), "Name": format!("Phase {number}"),
            "AutomaticDeploymentTargets": [], "OptionalDeploymentTargets": targets,
            "Notes": format!("{number} ").repeat(700) })
    };
    let phases: Vec<Value> = (0..8).map(phase).collect();
    json!({ "Id": "Lifecycles-1", "Name": "Default", "Phases": phases, "Description": "the end",
        "Links": { "Self": "/x" } })
}

/// Removes the note about the cut from a shortened text.
fn kept_text(text: &str) -> &str {
    text.strip_suffix(" ...").unwrap_or(text)
}

/// Reads a document by following `continueAt`, and returns the requested parts with their pointers.
async fn read_all(server: &CheckedServer, path: &str, max_bytes: u64) -> Vec<(String, u64, Value)> {
    let mut open = vec![(String::new(), 0_u64)];
    let (mut seen, mut parts) = (Vec::new(), Vec::new());
    while let Some((pointer, skip)) = open.pop() {
        assert!(!seen.contains(&(pointer.clone(), skip)), "'{pointer}' {skip} is repeated");
        assert!(parts.len() < 200, "too many parts");
        let mut arguments = get(path);
        arguments["maxBytes"] = json!(max_bytes);
        arguments["pointer"] = json!(pointer);
        arguments["pointerSkip"] = json!(skip);
        let answer = server.call_ok_once("execute", arguments).await;
        for next in answer["continueAt"].as_array().into_iter().flatten() {
            let pointer = next["pointer"].as_str().unwrap().to_owned();
            open.push((pointer, next["pointerSkip"].as_u64().unwrap()));
        }
        seen.push((pointer.clone(), skip));
        parts.push((pointer, skip, answer["response"].clone()));
    }
    parts
}

#[tokio::test]
async fn every_phase_of_a_cut_document_can_be_read() {
    let server = CheckedServer::start().await;
    server.mock_response("/lifecycles/Lifecycles-1", &lifecycle());
    let mut arguments = get(LIFECYCLE);
    arguments["maxBytes"] = json!(8000);
    let answer = server.call_ok("execute", arguments).await;
    assert!(answer.get("nextSkip").is_none(), "{answer}");
    let how = answer["truncated"]["how"].as_str().unwrap();
    assert!(how.contains("continueAt"), "{how}");
    let document = lifecycle();
    let parts = read_all(&server, LIFECYCLE, 8000).await;
    for phase in 0..8 {
        let name = format!("Phase {phase}");
        let is_shown = parts.iter().any(|(.., part)| part.to_string().contains(&name));
        assert!(is_shown, "{name}: {parts:#?}");
        // The target IDs and the long text are complete across all parts.
        for (field, key) in [("OptionalDeploymentTargets", "target"), ("Notes", "text")] {
            let expected = &document["Phases"][phase][field];
            let pointer = format!("/Phases/{phase}/{field}");
            assert!(is_covered(&parts, &document, &pointer), "{key} {pointer} {expected}");
        }
    }
}

/// Returns whether the parts together contain every item or character of a value.
fn is_covered(parts: &[(String, u64, Value)], document: &Value, pointer: &str) -> bool {
    let whole = document.pointer(pointer).unwrap();
    let length = |value: &Value| match value {
        Value::Array(items) => items.len(),
        Value::String(text) => kept_text(text).chars().count(),
        _ => 0,
    };
    let mut covered = vec![false; length(whole)];
    for (part, skip, value) in parts {
        let skip = usize::try_from(*skip).unwrap();
        let Some(rest) = pointer.strip_prefix(part.as_str()) else { continue };
        let (found, from) = if rest.is_empty() {
            (Some(value), skip)
        } else if let (Value::Array(_), Some((index, below))) = (
            value,
            rest[1..].split_once('/').and_then(|(i, b)| Some((i.parse::<usize>().ok()?, b))),
        ) {
            let index = index.checked_sub(skip);
            (index.and_then(|index| value.pointer(&format!("/{index}/{below}"))), 0)
        } else {
            (value.pointer(rest), 0)
        };
        let Some(found) = found else { continue };
        covered.iter_mut().skip(from).take(length(found)).for_each(|one| *one = true);
    }
    covered.iter().all(|one| *one)
}

#[tokio::test]
async fn pointer_selects_a_part_before_the_size_limit_applies() {
    let server = CheckedServer::start().await;
    server.mock_response("/lifecycles/Lifecycles-1", &lifecycle());
    let part = async |pointer: &str, skip: u64| {
        let mut arguments = get(LIFECYCLE);
        (arguments["pointer"], arguments["pointerSkip"]) = (json!(pointer), json!(skip));
        server.call_ok("execute", arguments).await["response"].clone()
    };
    assert_eq!(part("/Phases/7/Name", 0).await, "Phase 7");
    assert_eq!(part("/Phases", 7).await, json!([lifecycle()["Phases"][7]]));
    assert_eq!(part("/Description", 4).await, "end");
    assert_eq!(part("/Phases", 8).await, json!([]));
    let mut arguments = get(LIFECYCLE);
    arguments["pointer"] = json!("/Phases/8");
    let expected = ["nothing at '/Phases/8'", "'/Phases' has a list of 8 items"];
    server.assert_error_contains("execute", arguments.clone(), &expected).await;
    arguments["pointer"] = json!("/Stages/1");
    let expected = ["nothing at '/Stages/1'", "the fields Id, Name, Phases, Description"];
    server.assert_error_contains("execute", arguments.clone(), &expected).await;
    arguments["pointer"] = json!("Phases/1");
    server.assert_error_contains("execute", arguments, &["is not a JSON pointer"]).await;
}

/// The neighbours of a value decide whether it is a secret, so they are evaluated before the part is
/// selected.
#[tokio::test]
async fn pointer_does_not_reveal_secrets() {
    let server = CheckedServer::start().await;
    let body = json!({
        "Variables": [
            { "Name": "DbPassword", "Value": "hunter2hunter2" },
            { "Name": "Pin", "Value": "hunter2hunter2", "IsSensitive": true },
        ],
        "Password": "hunter2hunter2",
        "Lines": ["-----BEGIN PRIVATE KEY-----", "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==",
            "-----END PRIVATE KEY-----"],
    });
    server.mock_response("/variables/", &body);
    for (pointer, skip) in [
        ("/Variables/0/Value", 0),
        ("/Variables/1/Value", 0),
        ("/Password", 0),
        ("/Lines/1", 0),
        ("/Lines", 1),
    ] {
        let mut arguments = get("/api/Spaces-1/variables/variableset-Projects-1");
        (arguments["pointer"], arguments["pointerSkip"]) = (json!(pointer), json!(skip));
        let shown = server.call_ok("execute", arguments).await.to_string();
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVy"), "{pointer}: {shown}");
    }
}

/// A list of a route without the parameter `skip` has no pages.
#[tokio::test]
async fn next_skip_is_offered_only_for_routes_with_pages() {
    let server = CheckedServer::start().await;
    let items: Vec<Value> =
        (0..40).map(|n| json!({ "Id": format!("Items-{n}"), "Note": "x".repeat(900) })).collect();
    let page = json!({ "Items": items, "TotalResults": 40, "ItemsPerPage": 40 });
    for path in ["/api/Spaces-1/environments/all", "/api/Spaces-1/an-unknown-list"] {
        server.mock_response(path.rsplit('/').next().unwrap(), &page);
        let answer = server.call_ok("execute", get(path)).await;
        assert!(answer.get("nextSkip").is_none() && answer.get("skip").is_none(), "{answer}");
        let parts = read_all(&server, path, 20_480).await;
        assert!(parts.len() > 1, "{parts:?}");
        for item in &items {
            let id = format!("{:?}", item["Id"].as_str().unwrap());
            let count = parts.iter().filter(|(.., part)| part.to_string().contains(&id)).count();
            assert!(count >= 1, "{id} of {path}");
        }
    }
}

/// The document is larger than what is parsed for an answer.
#[tokio::test]
async fn fields_behind_a_very_large_list_can_be_read() {
    let server = CheckedServer::start().await;
    let list: Vec<Value> = (0..2000).map(|n| json!({ "Id": n, "Text": "x".repeat(90) })).collect();
    let body = json!({ "List": list, "Object": { "Name": "behind" }, "Other": ["also"] });
    server.mock_response("/lifecycles/Lifecycles-1", &body);
    let answer = server.call_ok("execute", get(LIFECYCLE)).await;
    let next = answer["continueAt"].as_array().unwrap();
    for pointer in ["/List", "/Object", "/Other"] {
        assert!(next.iter().any(|one| one["pointer"] == pointer), "{pointer}: {next:?}");
    }
    for (pointer, expected) in [
        ("/Object/Name", json!("behind")),
        ("/Other/0", json!("also")),
        ("/List/1999/Id", json!(1999)),
    ] {
        let mut arguments = get(LIFECYCLE);
        arguments["pointer"] = json!(pointer);
        assert_eq!(server.call_ok("execute", arguments).await["response"], expected);
    }
}

#[tokio::test]
async fn smallest_answers_stay_within_their_limit() {
    let server = CheckedServer::start().await;
    server.mock_response("/lifecycles/Lifecycles-1", &lifecycle());
    for max_bytes in [1024, 1500, 4000] {
        let mut arguments = get(LIFECYCLE);
        arguments["maxBytes"] = json!(max_bytes);
        server.call_ok("execute", arguments).await;
    }
}
