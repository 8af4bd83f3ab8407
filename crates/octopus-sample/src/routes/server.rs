//! What the server says about itself.

use http::Method;
use serde_json::{Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::clock::{NOW, stamp};
use super::super::history::SERVER_NODE;
use super::super::page::Pages;
use super::super::version::{Since, Version};
use super::super::world::World;
use super::{administration, llms};

const NODES: Pages = Pages::of("OctopusServerNode", "skip,take,ids,partialName");

/// What needs no credential; `None` for every other path.
pub(super) fn open(
    version: &Version,
    world: &World,
    method: &Method,
    path: &[&str],
) -> Option<Answered> {
    let answered = match path {
        [] | ["app"] => Ok(Answer::html(
            "<!DOCTYPE html><title>Octopus Deploy</title><p>The sample instance.</p>",
        )),
        ["api"] => Ok(Answer::json(world.root.clone())),
        ["api", "octopusservernodes", "ping"] => Ok(Answer::value(&node(version))),
        ["api", "serverstatus", "health"] => Ok(Answer::value(&json!({
            "IsOperatingNormally": true, "IsCompliantWithLicense": true,
            "IsEntireClusterReadOnly": false, "IsEntireClusterDrainingTasks": false,
            "Description": "Octopus is operating normally.",
            "Links": { "Self": "/api/serverstatus/health" },
        }))),
        ["llms.txt"] if version.has(Since::LlmsTxt) => Ok(Answer::markdown(llms::catalog())),
        _ => return None,
    };
    if matches!(*method, Method::GET | Method::HEAD) {
        Some(answered)
    } else {
        Some(Err(Refusal::NoMethod(method.to_string())))
    }
}

/// What is left: small answers at the server level, then no such path.
pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    match path {
        ["serverstatus"] => Ok(Answer::value(&json!({
            "IsDatabaseEncrypted": true, "IsUpgradeAvailable": false,
            "MaximumAvailableVersion": call.version.text(),
            "MaximumAvailableVersionCoveredByLicense": call.version.text(),
            "MaintenanceExpires": "2027-03-31", "IsInMaintenanceMode": false,
            "IsMajorMinorUpgrade": false, "IsPotentialClone": false,
            "Links": { "Self": "/api/serverstatus", "HealthStatus": "/api/serverstatus/health" },
        }))),
        ["capabilities"] => {
            call.since(Since::Capabilities)?;
            Ok(Answer::value(&json!({ "Capabilities": [] })))
        }
        ["experimental", "llms.txt"] => {
            call.since(Since::LlmsTxt)?;
            Ok(Answer::markdown(llms::catalog()))
        }
        ["octopusservernodes"] if !call.user.administrator => {
            Err(Refusal::Forbidden("AdministerSystem"))
        }
        ["octopusservernodes"] => {
            let nodes = [node(call.version).to_string()];
            let (skip, take) = NODES.window(call);
            Ok(NODES.written(call, nodes.len(), nodes.iter().skip(skip).take(take), ""))
        }
        _ => administration::answer(call, path),
    }
}

fn node(version: &Version) -> Value {
    json!({
        "Id": format!("OctopusServerNodes-{SERVER_NODE}"), "Name": SERVER_NODE,
        "MaxConcurrentTasks": 8, "IsInMaintenanceMode": false, "IsOffline": false,
        "LastSeen": stamp(NOW), "Version": version.text(),
        "Links": { "Self": format!("/api/octopusservernodes/OctopusServerNodes-{SERVER_NODE}") },
    })
}
