//! Which path is answered where. One file for each collection.

mod accounts;
mod administration;
#[cfg(test)]
mod asking;
mod certificates;
mod changes;
mod channels;
mod dashboard;
mod deployment_processes;
mod deployments;
mod edits;
mod environments;
mod event_filters;
mod events;
mod executions;
mod feature_toggles;
mod freezes;
mod git;
mod interruptions;
mod library_variable_sets;
mod lifecycles;
mod live_status;
mod llms;
mod machines;
mod missing_variables;
mod plain;
mod previews;
mod progression;
mod project_groups;
mod projects;
mod promotion;
mod release_template;
mod releases;
mod runbook_runs;
mod runbooks;
mod scope;
mod server;
mod spaces;
mod tag_sets;
mod task_actions;
mod task_log;
mod tasks;
mod teams;
mod tenant_variables;
mod tenants;
mod users;
mod variables;
mod workers;

use http::Method;

use super::answer::{Answered, Refusal};
use super::call::Call;
use super::order::Order;
use super::query::Query;
use super::users::User;
use super::version::Version;
use super::world::World;

/// What is asked, and by whom.
pub(super) struct Asked<'r> {
    pub(super) version: &'r Version,
    pub(super) method: &'r Method,
    /// Those of the path, decoded, in their letter case.
    pub(super) segments: &'r [String],
    pub(super) user: &'r Result<&'static User, Refusal>,
    /// What came with the request.
    pub(super) order: &'r Order,
}

/// The answer to a request. What it changes is changed in the draft, if there is one.
pub(super) fn answer(
    asked: &Asked<'_>,
    query: Query,
    world: &World,
    draft: Option<&mut World>,
) -> Answered {
    let Asked { version, method, user, .. } = *asked;
    let segments: Vec<String> = asked.segments.iter().map(|segment| word(segment)).collect();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let Some(answered) = server::open(version, world, method, &path) {
        return answered;
    }
    let ["api", path @ ..] = path.as_slice() else { return Err(Refusal::NoRoute) };
    let user = match user {
        Ok(user) => *user,
        Err(Refusal::BadKey) => return Err(Refusal::BadKey),
        Err(_) => return Err(Refusal::NotLoggedIn),
    };
    let (space, path) = scope::of(version, world, user, path)?;
    let mut links = String::from("/api");
    for segment in space.iter().map(|space| space.id.as_str()).chain(path.iter().copied()) {
        links.push('/');
        links.push_str(segment);
    }
    let call = Call { world, version, user, query, space, path: links };
    let Some(draft) = draft else { return dispatch(&call, path) };
    if let Some(answered) = changes::Change::new(&call, asked.order, method).make(draft, path) {
        return answered;
    }
    // What can only be read knows no other method.
    dispatch(&call, path).and(Err(Refusal::NoMethod(method.to_string())))
}

fn dispatch(call: &Call<'_>, path: &[&str]) -> Answered {
    match path {
        [] => spaces::home(call),
        ["spaces", rest @ ..] => spaces::answer(call, rest),
        ["users", rest @ ..] => users::answer(call, rest),
        ["tasks", rest @ ..] => tasks::answer(call, rest),
        ["environments", rest @ ..] => environments::answer(call, rest),
        ["projects", project, "environments", environment, rest @ ..] => {
            live_status::answer(call, project, environment, rest)
        }
        ["projects", rest @ ..] => projects::answer(call, rest),
        ["projectgroups", rest @ ..] => project_groups::answer(call, rest),
        ["lifecycles", rest @ ..] => lifecycles::answer(call, rest),
        ["channels", rest @ ..] => channels::answer(call, rest),
        ["releases", rest @ ..] => releases::answer(call, rest),
        ["deployments", rest @ ..] => deployments::answer(call, rest),
        ["progression", project] => progression::of_project(call, project),
        ["progression", "runbooks", runbook] => runbooks::progression(call, runbook),
        ["runbooks", rest @ ..] => runbooks::answer(call, rest),
        ["runbooksnapshots", rest @ ..] => runbooks::snapshots(call, None, rest),
        ["runbookruns", rest @ ..] => runbook_runs::answer(call, rest),
        ["runbookprocesses", id] => runbooks::process(call, id),
        ["deploymentfreezes", rest @ ..] => freezes::answer(call, rest),
        ["dashboard"] => dashboard::whole(call),
        ["dashboard", "dynamic"] => dashboard::dynamic(call),
        ["tenants", rest @ ..] => tenants::answer(call, rest),
        ["tenantvariables", "all"] => tenant_variables::of_all(call),
        ["tagsets", rest @ ..] => tag_sets::answer(call, rest),
        ["libraryvariablesets", rest @ ..] => library_variable_sets::answer(call, rest),
        ["machines", rest @ ..] => machines::answer(call, rest),
        ["machineroles", "all"] => machines::roles(call),
        ["workers", rest @ ..] => workers::answer(call, rest),
        ["workerpools", rest @ ..] => workers::pools(call, rest),
        ["machinepolicies", rest @ ..] => {
            let policies = &call.world.machine_policies;
            plain::answer(call, rest, "MachinePolicyView", "MachinePolicy", policies)
        }
        ["proxies", rest @ ..] => {
            plain::answer(call, rest, "ProxyView", "Proxy", &call.world.proxies)
        }
        ["deploymentprocesses", rest @ ..] => deployment_processes::answer(call, rest),
        ["variables", rest @ ..] => variables::answer(call, rest),
        ["teams", rest @ ..] => teams::answer(call, rest),
        ["userroles", rest @ ..] => teams::roles(call, rest),
        ["events", rest @ ..] => events::answer(call, rest),
        ["interruptions", rest @ ..] => interruptions::answer(call, rest),
        ["accounts", rest @ ..] => accounts::answer(call, rest),
        ["certificates", rest @ ..] => certificates::answer(call, rest),
        _ => server::answer(call, path),
    }
}

/// A refusal that names what was looked for.
fn missing(id: &str) -> Refusal {
    Refusal::NotFound(id.to_owned())
}

/// Segments without a digit are words of a route or slugs: both know no letter case.
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
    async fn filters_keep_what_was_asked_for() {
        // A path, how many items at least, and a key of every item with the values it may have.
        let rows: [(&str, usize, &str, &[&str]); 16] = [
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
            (
                "releases?ids=Releases-9002,Releases-9003",
                2,
                "Id",
                &["Releases-9002", "Releases-9003"],
            ),
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
    async fn what_tenants_lack_is_found_from_every_side() {
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
        assert_eq!(body["MissingVariables"].as_array().unwrap().len(), 4);
    }
}
