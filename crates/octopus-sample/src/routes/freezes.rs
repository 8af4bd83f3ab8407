//! Deployment freezes, at the server level. Their list has a separate format.

use serde_json::{Value, json};

use super::super::call::{Call, contains};
use super::super::clock::{self, NOW};
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::missing;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require_feature(Feature::DeploymentFreezes)?;
    match path {
        [] => {
            let (Some(skip), Some(take)) = (call.query.number("skip"), call.query.number("take"))
            else {
                let reason = "'Skip' and 'Take' must be specified.";
                return Err(ApiError::BadRequest(reason.to_owned()));
            };
            let found: Vec<&Item> = call
                .database
                .deployment_freezes
                .iter()
                .filter(|freeze| matches(call, freeze))
                .collect();
            let shown: Vec<&Value> =
                found.iter().skip(skip).take(take).map(|freeze| &freeze.body).collect();
            let body = json!({ "Count": found.len(), "DeploymentFreezes": shown });
            Ok(ApiResponse::value(&body))
        }
        [id] => {
            let freeze = call.database.deployment_freezes.find(id).ok_or_else(|| missing(id))?;
            Ok(ApiResponse::json(freeze.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn matches(call: &Call<'_>, freeze: &Item) -> bool {
    let scope = freeze.body.get("ProjectEnvironmentScope").and_then(Value::as_object);
    let scope = || scope.into_iter().flatten();
    let projects: Vec<&str> = call.query.list("projectIds");
    let environments: Vec<&str> = call.query.list("environmentIds");
    let at = call.query.text("effectiveDate").and_then(clock::parse).unwrap_or(NOW);
    let is_over = clock::parse(freeze.text("End")).is_some_and(|end| end <= at);
    let is_in = |value: &Value| {
        let ids = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.into_iter().any(|id| environments.iter().any(|other| other.eq_ignore_ascii_case(id)))
    };
    let is_of = |id: &str| projects.iter().any(|other| other.eq_ignore_ascii_case(id));
    call.in_ids(freeze)
        && contains(freeze.text("Name"), call.query.text("partialName").unwrap_or_default())
        && (projects.is_empty() || scope().any(|(id, _)| is_of(id)))
        && (environments.is_empty() || scope().any(|(_, ids)| is_in(ids)))
        && (!is_over || call.query.switch("includeComplete") != Some(false))
}
