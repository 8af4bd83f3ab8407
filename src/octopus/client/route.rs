//! Routes: paths with placeholders for IDs and names, so that logs and metrics have a bounded
//! number of values.

use super::id_form::split_id;

/// Fixed words in paths below `/api` (<https://octopus.com/docs/octopus-rest-api>).
#[rustfmt::skip]
const PATH_WORDS: &[&str] = &[
    "accounts", "actiontemplates", "all", "apikeys", "artifacts", "branches", "build-information",
    "cancel", "capabilities", "certificates", "channels", "create", "dashboard", "deploymentfreezes",
    "deploymentprocesses", "deploymentprocess", "deployments", "deploymentsettings", "details",
    "dynamic", "environments", "events", "featuresconfiguration", "featuretoggles", "feeds", "git",
    "health", "insights", "interruptions", "invitations", "kubernetes", "libraryvariablesets",
    "licenses", "lifecycles", "livestatus", "logs", "machinepolicies", "machineroles", "machines",
    "main", "me", "metadata", "names", "observability", "octopusservernodes", "packages",
    "permissions", "preview", "progression", "projectgroups", "projects", "projecttriggers",
    "proxies", "raw", "refs", "releases", "reports", "rerun", "responsible", "root", "rules",
    "runbook-runs", "runbookprocesses", "runbookruns", "runbookruntemplate", "runbooks",
    "runbooksnapshots", "scopeduserroles", "search", "serverstatus", "smtpconfiguration", "spaces",
    "state", "submit", "subscriptions", "summary", "tags", "tagsets", "tasks", "tasktypes", "teams",
    "template", "tenanted", "tenants", "tenantvariables", "token", "untenanted", "userroles",
    "users", "v1", "variables", "variableset", "workerpools", "workers",
];
/// Maximum number of segments in a route.
const MAX_SEGMENTS: usize = 10;

/// Returns the route of a path with these segments below `/api`.
pub(in crate::octopus) fn route(segments: &[String]) -> String {
    let mut route = String::from("/api");
    for segment in segments.iter().take(MAX_SEGMENTS) {
        route.push('/');
        route.push_str(match PATH_WORDS.iter().find(|word| word.eq_ignore_ascii_case(segment)) {
            Some(word) => word,
            None if split_id(segment).is_some() => "{id}",
            None => "{name}",
        });
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_hold_neither_ids_nor_names() {
        for (path, expected) in [
            ("Spaces-1/tasks/ServerTasks-42/details", "/api/{id}/tasks/{id}/details"),
            ("Spaces-1/Projects/parcel-tracking-api", "/api/{id}/projects/{name}"),
            ("spaces/all", "/api/spaces/all"),
            ("Zzz-9/zzz", "/api/{id}/{name}"),
            ("", "/api/{name}"),
        ] {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            assert_eq!(route(&segments), expected);
        }
        assert_eq!(route(&vec!["x".to_owned(); 50]).matches("{name}").count(), MAX_SEGMENTS);
    }
}
