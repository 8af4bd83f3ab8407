//! Routing of paths. Collections that follow the common pattern are rows of `collections.rs`; other
//! paths have a file per collection.

mod accounts;
mod administration;
mod certificates;
mod changes;
mod channels;
mod collections;
mod dashboard;
mod deployment_processes;
mod deployments;
mod edits;
mod environments;
mod event_filters;
mod events;
mod executions;
mod feature_toggles;
mod filters;
mod freezes;
mod git;
mod interruptions;
mod live_status;
mod llms;
mod machines;
mod missing_variables;
mod previews;
mod progression;
mod project_groups;
mod project_lookup;
mod projects;
mod promotions;
mod release_template;
mod releases;
mod runbook_runs;
mod runbooks;
mod server;
mod space;
mod spaces;
mod task_actions;
mod task_log;
mod tasks;
mod teams;
mod tenant_variables;
mod tenants;
#[cfg(test)]
mod test_client;
mod users;
mod variables;
mod workers;
mod write_request;

use http::Method;

use write_request::WriteRequest;

use super::call::Call;
use super::database::Database;
use super::query::Query;
use super::request_body::RequestBody;
use super::response::{ApiError, ApiResult};
use super::users::User;
use super::version::{Feature, Version};

/// A request before it is routed.
pub(super) struct RouteRequest<'r> {
    pub(super) version: &'r Version,
    pub(super) method: &'r Method,
    /// Decoded path segments in their original case.
    pub(super) segments: &'r [String],
    pub(super) user: &'r Result<&'static User, ApiError>,
    /// Body of the request.
    pub(super) input: &'r RequestBody,
}

/// Answers a request. Write requests change the draft.
pub(super) fn answer(
    incoming: &RouteRequest<'_>,
    query: Query,
    database: &Database,
    draft: Option<&mut Database>,
) -> ApiResult {
    let RouteRequest { version, method, user, .. } = *incoming;
    let segments: Vec<String> = incoming.segments.iter().map(|segment| word(segment)).collect();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let Some(answered) = server::open(version, database, method, &path) {
        return answered;
    }
    let ["api", path @ ..] = path.as_slice() else { return Err(ApiError::NoRoute) };
    let user = match user {
        Ok(user) => *user,
        Err(ApiError::BadKey) => return Err(ApiError::BadKey),
        Err(_) => return Err(ApiError::NotLoggedIn),
    };
    // This list has no form without a space.
    if matches!(path, ["environments", "v2"]) {
        return Err(ApiError::NoRoute);
    }
    let (space, path) = space::of(version, database, user, path)?;
    let mut links = String::from("/api");
    for segment in space.iter().map(|space| space.id.as_str()).chain(path.iter().copied()) {
        links.push('/');
        links.push_str(segment);
    }
    let call = Call { database, version, user, query, space, path: links };
    let Some(draft) = draft else { return dispatch(&call, path) };
    if let ([owner @ .., collection @ ("deployments" | "runbookruns"), "previews"], &Method::POST) =
        (path, method)
    {
        return previews::several(incoming.input, |below| {
            dispatch(&call, &[owner, &[*collection, "preview"], below].concat())
        });
    }
    if let Some(answered) =
        changes::make(&WriteRequest::new(&call, incoming.input, method), draft, path)
    {
        return answered;
    }
    // Paths without write requests reject other methods.
    dispatch(&call, path).and(Err(ApiError::NoMethod(method.to_string())))
}

fn dispatch(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        [] => spaces::home(call),
        ["users", rest @ ..] => users::answer(call, rest),
        ["tasks", rest @ ..] => tasks::answer(call, rest),
        ["projects", project, "environments", environment, rest @ ..] => {
            live_status::answer(call, project, environment, rest)
        }
        ["progression", project] => progression::of_project(call, project),
        ["progression", "runbooks", runbook] => runbooks::progression(call, runbook),
        ["runbooksnapshots", rest @ ..] => runbooks::snapshots(call, None, rest),
        ["runbookprocesses", id] => runbooks::process(call, id),
        ["deploymentfreezes", rest @ ..] => freezes::answer(call, rest),
        ["environments", "v2"] if call.version.has(Feature::EnvironmentsV2) => {
            environments::list_v2(call)
        }
        ["dashboard"] => dashboard::answer(call),
        ["dashboard", "dynamic"] => dashboard::dynamic(call),
        ["tenants", word @ ("status" | "tag-test" | "variables-missing")] => {
            tenants::subroute(call, word)
        }
        ["tenantvariables", "all"] => tenant_variables::of_all(call),
        ["machineroles", "all"] => machines::roles(call),
        ["deploymentprocesses", rest @ ..] => deployment_processes::answer(call, rest),
        ["variables", rest @ ..] => variables::answer(call, rest),
        ["events", rest @ ..] => events::answer(call, rest),
        ["interruptions", rest @ ..] => interruptions::answer(call, rest),
        _ => collections::answer(call, path).unwrap_or_else(|| server::answer(call, path)),
    }
}

/// Returns the error for a resource that does not exist.
fn missing(id: &str) -> ApiError {
    ApiError::NotFound(id.to_owned())
}

/// Converts segments without a digit to lower case: they are route words or slugs, which ignore
/// case.
fn word(segment: &str) -> String {
    if segment.bytes().any(|byte| byte.is_ascii_digit()) {
        segment.to_owned()
    } else {
        segment.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use crate::{Sample, keys};

    async fn get(path: &str) -> Value {
        let request = Request::get(path).header("X-Octopus-ApiKey", keys::ADMIN);
        let request = request.body(Body::empty()).unwrap();
        let response = Sample::new().router().oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn filters_return_matching_items_only() {
        // Path, minimum number of items, key of each item, and its allowed values.
        let rows: [(&str, usize, &str, &[&str]); 15] = [
            (
                "deployments?projects=Projects-1,projects-5",
                20,
                "ProjectId",
                &["Projects-1", "Projects-5"],
            ),
            ("deployments?environments=Environments-3", 20, "EnvironmentId", &["Environments-3"]),
            ("deployments?tenants=Tenants-6", 2, "TenantId", &["Tenants-6"]),
            ("deployments?channels=Channels-101", 2, "ChannelId", &["Channels-101"]),
            ("deployments?ids=Deployments-9004", 1, "Id", &["Deployments-9004"]),
            ("projects/route-planner/releases?searchByVersion=2.6", 1, "Version", &["2.6.0"]),
            ("projects?partialName=PLANNER", 1, "Name", &["Route Planner"]),
            ("environments?name=staging", 1, "Id", &["Environments-2"]),
            ("tasks?states=Failed&states=TimedOut", 20, "State", &["Failed", "TimedOut"]),
            ("tasks?name=Health&active=true", 1, "Id", &["ServerTasks-90203"]),
            (
                "tasks?hasPendingInterruptions=true",
                2,
                "Id",
                &["ServerTasks-90008", "ServerTasks-90028"],
            ),
            ("tasks?tenant=Tenants-6&fromQueueDate=2026-11-01", 1, "Id", &["ServerTasks-90027"]),
            ("tenants?clonedFromTenantId=Tenants-1", 1, "Id", &["Tenants-5"]),
            (
                "tenants?projectId=Projects-8&tags=Region/EMEA,Region/APAC,Tier/Gold",
                2,
                "Id",
                &["Tenants-1", "Tenants-4"],
            ),
            ("libraryvariablesets?contentType=ScriptModule", 1, "Id", &["LibraryVariableSets-4"]),
        ];
        for (path, least, key, allowed) in rows {
            let page = get(&format!("/api/Spaces-1/{path}")).await;
            let items = page["Items"].as_array().unwrap();
            assert!(items.len() >= least, "{path}: {}", items.len());
            for item in items {
                assert!(allowed.contains(&item[key].as_str().unwrap()), "{path}: {}", item[key]);
            }
        }
    }

    #[tokio::test]
    async fn finds_missing_variables_by_each_filter() {
        let rows = [
            ("", "Tenants-1 Tenants-2 Tenants-6 Tenants-8 Tenants-9"),
            ("?projectId=Projects-8", "Tenants-8"),
            ("?tenantId=Tenants-6&environmentId=Environments-2", "Tenants-6"),
            ("?tenantId=Tenants-4", ""),
        ];
        for (query, expected) in rows {
            let found = get(&format!("/api/Spaces-1/tenants/variables-missing{query}")).await;
            let mut ids: Vec<&str> = found
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["TenantId"].as_str().unwrap())
                .collect();
            ids.sort_unstable();
            assert_eq!(ids.join(" "), expected, "{query}");
        }
        let path = "/api/Spaces-1/tenants/Tenants-6/projectvariables?includeMissingVariables=true";
        let body = get(path).await;
        let missing = body["MissingVariables"].as_array().unwrap();
        let with_default = missing.iter().filter(|variable| !variable["Value"].is_null()).count();
        assert_eq!((missing.len(), with_default), (6, 2));
    }
}
