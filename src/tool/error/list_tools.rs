//! Tools that list the documents of a type, for hints.

use crate::access::ToolAccess;

/// Returns the tool that lists documents with this noun, if the request can see it.
pub(in crate::tool) fn visible_list_tool(noun: &str, access: &ToolAccess) -> Option<&'static str> {
    list_tool(noun).filter(|tool| access.is_visible_by_name(tool))
}

/// Returns the hint for a document that was not found. `near` holds similar names.
pub(in crate::tool) fn not_found_hint(
    noun: &str,
    near: &[String],
    list_tool: Option<&str>,
) -> String {
    let near = near.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match (near.as_str(), list_tool) {
        ("", Some(tool)) => list_hint(tool, noun),
        ("", None) => format!("the {noun} does not exist, or this key cannot read it"),
        (near, Some(tool)) => {
            format!("did you mean one of these? {near}. Otherwise {}", list_hint(tool, noun))
        }
        (near, None) => format!("did you mean one of these? {near}"),
    }
}

fn list_hint(tool: &str, noun: &str) -> String {
    let listed = match noun {
        "branch, tag or commit" => "branches".to_owned(),
        "deployment process" => "projects".to_owned(),
        "task" => "deployments".to_owned(),
        noun => format!("{noun}s"),
    };
    format!("call {tool} to list the {listed} that this key can read")
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
