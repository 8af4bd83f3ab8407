//! Routes at the server level.

use http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::clock::{NOW, timestamp};
use super::super::database::{Database, SERVER_NODE, complete};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::{Feature, Version};
use super::{administration, llms};

const NODES: Pages = Pages::of("OctopusServerNode", "skip,take,ids,partialName");

/// Answers paths that need no credential; `None` for all other paths.
pub(super) fn open(
    version: &Version,
    database: &Database,
    method: &Method,
    path: &[&str],
) -> Option<ApiResult> {
    let answered = match path {
        [] | ["app"] => Ok(ApiResponse::html(
            "<!DOCTYPE html><title>Octopus Deploy</title><p>The sample instance.</p>",
        )),
        ["api"] => Ok(ApiResponse::json(database.root.clone())),
        ["api", "octopusservernodes", "ping"] => Ok(ApiResponse::value(&ping(version))),
        ["api", "serverstatus", "health"] => Ok(ApiResponse::value(&json!({
            "IsOperatingNormally": true, "IsCompliantWithLicense": true,
            "IsEntireClusterReadOnly": false, "IsEntireClusterDrainingTasks": false,
            "Description": "Octopus is operating normally.",
            "Links": { "Self": "/api/serverstatus/health" },
        }))),
        ["llms.txt"] if version.has(Feature::LlmsTxt) => Ok(ApiResponse::markdown(llms::catalog())),
        _ => return None,
    };
    if matches!(*method, Method::GET | Method::HEAD) {
        Some(answered)
    } else {
        Some(Err(ApiError::NoMethod(method.to_string())))
    }
}

/// Answers the remaining paths at the server level.
pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        ["serverstatus"] => Ok(ApiResponse::value(&json!({
            "IsDatabaseEncrypted": true, "IsUpgradeAvailable": false,
            "MaximumAvailableVersion": call.version.text(),
            "MaximumAvailableVersionCoveredByLicense": call.version.text(),
            "MaintenanceExpires": "2027-03-31", "IsInMaintenanceMode": false,
            "IsMajorMinorUpgrade": false, "IsPotentialClone": false,
            "Links": { "Self": "/api/serverstatus", "HealthStatus": "/api/serverstatus/health" },
        }))),
        ["capabilities"] => {
            call.require_feature(Feature::Capabilities)?;
            Ok(ApiResponse::value(&json!({ "Capabilities": [] })))
        }
        ["experimental", "llms.txt"] => {
            call.require_feature(Feature::LlmsTxt)?;
            Ok(ApiResponse::markdown(llms::catalog()))
        }
        ["octopusservernodes"] if !call.user.administrator => {
            Err(ApiError::Forbidden("AdministerSystem"))
        }
        ["octopusservernodes"] => {
            let nodes = [node().to_string()];
            let (skip, take) = NODES.window(call);
            Ok(NODES.render(call, nodes.len(), nodes.iter().skip(skip).take(take), ""))
        }
        _ => administration::answer(call, path),
    }
}

/// Returns the node with its version and the time when it was seen.
fn ping(version: &Version) -> Value {
    let mut node = node();
    if let Value::Object(node) = &mut node {
        let rest = json!({
            "IsOffline": false, "LastSeen": timestamp(NOW), "Version": version.text(),
        });
        complete(node, rest);
    }
    node
}

fn node() -> Value {
    json!({
        "Id": format!("OctopusServerNodes-{SERVER_NODE}"), "Name": SERVER_NODE,
        "MaxConcurrentTasks": 8, "IsInMaintenanceMode": false,
        "Links": { "Self": format!("/api/octopusservernodes/OctopusServerNodes-{SERVER_NODE}") },
    })
}
