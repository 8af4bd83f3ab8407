//! Events, newest first, of one space or of all spaces of the caller.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::Item;
use super::super::history::events::{AGENTS, CATEGORIES, DOCUMENT_TYPES, GROUPS};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::event_filters::EventFilters;
use super::missing;

const PAGES: Pages = Pages::of(
    "Event",
    "skip,regarding,regardingAny,user,users,projects,projectGroups,environments,eventGroups,\
     eventCategories,eventAgents,tags,tenants,from,to,internal,fromAutoId,toAutoId,\
     documentTypes,asCsv,take,ids,spaces,includeSystem,excludeDifference",
);

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("EventView")?;
    match path {
        [] => list(call),
        ["categories"] => {
            Ok(ApiResponse::value(&CATEGORIES.iter().map(|(id, name)| word(id, name)).collect()))
        }
        ["groups"] => {
            let groups = GROUPS.iter().map(|(id, name, categories)| {
                json!({ "Id": id, "Name": name, "EventCategories": categories, "Links": null })
            });
            Ok(ApiResponse::value(&groups.collect()))
        }
        ["agents"] => {
            Ok(ApiResponse::value(&AGENTS.iter().map(|(id, name, _)| word(id, name)).collect()))
        }
        ["documenttypes"] => {
            let types =
                DOCUMENT_TYPES.iter().map(|(id, name, _)| json!({ "Id": id, "Name": name }));
            Ok(ApiResponse::value(&types.collect()))
        }
        [id] => {
            let event = call.database.events().all.find(id).filter(|event| is_visible(call, event));
            Ok(ApiResponse::json(shown(call, event.ok_or_else(|| missing(id))?)))
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn word(id: &str, name: &str) -> Value {
    json!({ "Id": id, "Name": name, "Links": null })
}

/// Returns whether the event is in the space of the path. Without a space in the path: in a space
/// of the caller or, for administrators, at the server level.
fn is_visible(call: &Call<'_>, event: &Item) -> bool {
    if let Some(space) = call.space {
        return event.space_id == space.id;
    }
    let wants_system = call.query.switch("includeSystem");
    let is_in_scope = if event.space_id.is_empty() {
        wants_system.unwrap_or_else(|| call.query.text("spaces").is_none())
    } else {
        call.one_of("spaces", &event.space_id)
    };
    is_in_scope && call.user.sees_space(&event.space_id)
}

fn list(call: &Call<'_>) -> ApiResult {
    let filters = EventFilters::read(call)?;
    let events = call.database.events();
    let is_renamed = call.version.has(Feature::IncludeInternalEvents);
    let parameter = if is_renamed { "includeInternalEvents" } else { "internal" };
    let internal = call.query.switch(parameter) == Some(true);
    let found: Vec<&Item> = events
        .all
        .iter()
        .filter(|event| is_visible(call, event))
        .filter(|event| internal || !events.internal.contains(&event.id))
        .filter(|event| filters.matches(call, event))
        .collect();
    let is_csv = call.query.switch("asCsv") == Some(true)
        || call.query.text("format").is_some_and(|format| format.eq_ignore_ascii_case("csv"));
    if is_csv {
        return Ok(csv(&found));
    }
    let (skip, take) = PAGES.window(call);
    let shown = found.iter().skip(skip).take(take).map(|event| shown(call, event));
    Ok(PAGES.render(call, found.len(), shown, ""))
}

fn shown(call: &Call<'_>, event: &Item) -> String {
    if call.query.switch("excludeDifference") != Some(true) {
        return event.json.to_string();
    }
    let mut body = event.body.clone();
    if let Some(differences) = body.pointer_mut("/ChangeDetails/Differences") {
        *differences = Value::Null;
    }
    body.to_string()
}

/// Returns all matching events in the CSV format of the portal.
fn csv(events: &[&Item]) -> ApiResponse {
    let keys =
        ["Id", "Occurred", "Category", "Username", "UserAgent", "Message", "Details", "SpaceId"];
    let mut text = keys.join(",");
    text.push_str(",RelatedDocumentIds\r\n");
    for event in events {
        let related = event.texts("RelatedDocumentIds").collect::<Vec<_>>().join(";");
        let cells = keys.map(|key| event.text(key)).into_iter().chain([related.as_str()]);
        let cells: Vec<String> =
            cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    ApiResponse::csv(text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::test_client::{get, get_response};
    use crate::{Sample, keys};

    async fn events(query: &str) -> Vec<Value> {
        let path = format!("/api/Spaces-1/events?take=5000&excludeDifference=true&{query}");
        get(&path).await["Items"].as_array().cloned().unwrap_or_default()
    }

    #[tokio::test]
    async fn filters_return_matching_items_only() {
        // Query, key of each item, and its allowed values.
        let rows: [(&str, &str, &[&str]); 7] = [
            ("eventCategories=DeploymentFailed", "Category", &["DeploymentFailed"]),
            (
                "eventGroups=MachineUnavailableForDeployment",
                "Category",
                &["MachineUnhealthy", "MachineUnavailable", "MachineDisabled"],
            ),
            ("users=Users-41", "UserId", &["Users-41"]),
            ("user=Users-62", "Username", &["build-server"]),
            ("eventAgents=Server", "UserAgent", &["Server"]),
            ("documentTypes=Certificates", "Category", &["CertificateExpired"]),
            ("tags=Tier/Bronze&eventCategories=Modified", "Category", &["Modified"]),
        ];
        for (query, key, allowed) in rows {
            let found = events(query).await;
            assert!(!found.is_empty(), "{query}");
            for event in found {
                assert!(allowed.contains(&event[key].as_str().unwrap()), "{query}: {event}");
            }
        }
        let related = [
            ("regarding=Projects-1,Environments-3", ["Projects-1", "Environments-3"], true),
            ("regardingAny=Tenants-6,Tenants-8", ["Tenants-6", "Tenants-8"], false),
            (
                "projects=Projects-1&environments=Environments-3",
                ["Projects-1", "Environments-3"],
                true,
            ),
        ];
        for (query, wanted, all) in related {
            let found = events(query).await;
            assert!(!found.is_empty(), "{query}");
            for event in found {
                let ids = event["RelatedDocumentIds"].as_array().unwrap();
                let has = wanted.map(|id| ids.iter().any(|other| other == id));
                assert!(if all { has == [true; 2] } else { has != [false; 2] }, "{query}: {event}");
            }
        }
        let day = events("from=2026-10-30T00:00:00Z&to=2026-10-30T23:59:59Z").await;
        assert!(
            day.iter().all(|event| event["Occurred"].as_str().unwrap().starts_with("2026-10-30"))
        );
        assert!(!day.is_empty());
        let groups = events("projectGroups=ProjectGroups-4&eventCategories=Created").await;
        assert!(groups.iter().all(|event| event["Message"].as_str().unwrap().contains("Platform")));
        let internal = events("eventCategories=TaskQueued&includeInternalEvents=true").await;
        assert!(!internal.is_empty() && events("eventCategories=TaskQueued").await.is_empty());
        assert_eq!(events("fromAutoId=84000&toAutoId=84010&includeInternalEvents=true&ids=Events-84001,Events-1").await.len() , 
            usize::from(get("/api/events/Events-84001").await["SpaceId"] == "Spaces-1"));
    }

    #[tokio::test]
    async fn filters_events_by_space_and_serves_csv() {
        let total = |body: Value| body["TotalResults"].as_u64().unwrap();
        let all = total(get("/api/events?includeInternalEvents=true").await);
        assert_eq!(all, 5_000);
        let one = total(get("/api/events?spaces=Spaces-22").await);
        assert_eq!(one, total(get("/api/Spaces-22/events").await));
        assert!(
            one > 300 && one < total(get("/api/events?spaces=Spaces-22&includeSystem=true").await)
        );
        let sample = Sample::new();
        let path = "/api/Spaces-1/events?eventCategories=DeploymentFailed&asCsv=true";
        let response = get_response(&sample, keys::ADMIN, path).await;
        assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
        assert!(response.body().starts_with(b"Id,Occurred,Category,"));
        let path = "/api/Spaces-1/events?projects=Projects-5&eventCategories=Modified";
        let with = get_response(&sample, keys::ADMIN, path).await.body().len();
        let path = format!("{path}&excludeDifference=true");
        let without = get_response(&sample, keys::ADMIN, &path).await.body().len();
        assert!(with > without + 300_000, "{with} {without}");
        for path in ["categories", "groups", "agents", "documenttypes"] {
            assert!(get(&format!("/api/events/{path}")).await.as_array().unwrap().len() > 2);
        }
    }
}
