//! Tools that list the documents of a type, for hints.

use crate::access::ToolAccess;

/// Returns the tool that lists documents with this noun, if `policy` shows it.
pub(in crate::tool) fn visible_list_tool(noun: &str, policy: &ToolAccess) -> Option<&'static str> {
    list_tool(noun).filter(|tool| policy.is_visible_by_name(tool))
}

pub(in crate::tool) fn not_found_hint(noun: &str, near: &[String], lister: Option<&str>) -> String {
    let near = near.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match (near.as_str(), lister) {
        ("", Some(tool)) => format!("{tool} lists what this key can read"),
        ("", None) => format!("it does not exist, or this key may not read the {noun}"),
        (near, Some(tool)) => {
            format!("did you mean one of these? {near}. {tool} lists what this key can read")
        }
        (near, None) => format!("did you mean one of these? {near}"),
    }
}

/// Returns the tool that lists the documents of a type.
pub(in crate::tool) fn list_tool(noun: &str) -> Option<&'static str> {
    Some(match noun {
        "space" => "list_spaces",
        "environment" => "list_environments",
        "project" | "deployment process" => "list_projects",
        "release" => "list_releases",
        "deployment" | "task" => "list_deployments",
        "tenant" => "list_tenants",
        "runbook" => "find_runbooks",
        "deployment target" => "find_deployment_targets",
        "certificate" => "find_certificates",
        "account" => "find_accounts",
        "interruption" => "find_interruptions",
        "event" => "find_events",
        "feature toggle" => "find_feature_toggles",
        "branch, tag or commit" => "get_branches",
        _ => return None,
    })
}
