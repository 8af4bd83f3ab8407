//! Feature toggles and rollout groups of a project.

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::database::{Database, Item, completed_toggle};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::write_request::WriteRequest;
use super::{missing, project_lookup};

const PAGES: Pages = Pages::of("FeatureToggle", "Skip,Take,PartialName,Tags,Environments");
const GROUPS: Pages = Pages::of("RolloutGroup", "Skip,Take,PartialName");
/// Space without the feature: all its paths are unknown.
const WITHOUT: &str = "Spaces-22";

/// Answers `/projects/{id}/featuretoggles`.
pub(super) fn answer(call: &Call<'_>, project: &Item, path: &[&str]) -> ApiResult {
    is_on(call)?;
    if call.query.number("take").is_some_and(|take| take > 100) {
        return Err(ApiError::BadRequest("'Take' must be less than or equal to '100'.".to_owned()));
    }
    let groups = call.database.rollout_groups.of_project(project);
    match path {
        [] => {
            let toggles = call.database.feature_toggles.of_project(project);
            Ok(PAGES.page(call, toggles.filter(|toggle| matches(call, toggle))))
        }
        ["rollout-groups"] => {
            let found: Vec<&Item> = groups.filter(|group| call.matches_name(group)).collect();
            let (skip, take) = GROUPS.window(call);
            let shown = found.iter().skip(skip).take(take);
            let shown = shown.map(|group| with_usages(call.database, group).to_string());
            Ok(GROUPS.render(call, found.len(), shown, ""))
        }
        ["rollout-groups", id] => {
            let mut groups = groups;
            let group = groups.find(|group| group.id.eq_ignore_ascii_case(id));
            Ok(ApiResponse::value(&with_usages(call.database, group.ok_or_else(|| missing(id))?)))
        }
        [slug] => Ok(ApiResponse::json(one(call, project, slug)?.json.to_string())),
        _ => Err(ApiError::NoRoute),
    }
}

fn is_on(call: &Call<'_>) -> Result<(), ApiError> {
    call.require_feature(Feature::Toggles)?;
    if call.space_id() == WITHOUT { Err(ApiError::NoRoute) } else { Ok(()) }
}

fn one<'a>(call: &Call<'a>, project: &Item, wanted: &str) -> Result<&'a Item, ApiError> {
    let is = |text: &str| text.eq_ignore_ascii_case(wanted);
    let mut toggles = call.database.feature_toggles.of_project(project);
    let toggle = toggles.find(|toggle| is(toggle.text("Slug")) || is(&toggle.id));
    toggle.ok_or_else(|| missing(wanted))
}

fn matches(call: &Call<'_>, toggle: &Item) -> bool {
    let mut tags = call.query.items("Tags").peekable();
    let mut environments = call.query.items("Environments").peekable();
    let has_tag = |wanted: &str| toggle.texts("Tags").any(|tag| tag.eq_ignore_ascii_case(wanted));
    let is_in = |wanted: &str| {
        let ids = toggle.list("Environments").filter_map(|e| e.get("DeploymentEnvironmentId"));
        ids.filter_map(Value::as_str).any(|id| id.eq_ignore_ascii_case(wanted))
    };
    call.matches_name(toggle)
        && (tags.peek().is_none() || tags.any(has_tag))
        && (environments.peek().is_none() || environments.any(is_in))
}

fn with_usages(database: &Database, group: &Item) -> Value {
    let toggles = database.feature_toggles.iter();
    let used = toggles.filter(|toggle| toggle.text("RolloutGroupId") == group.id);
    let used = used.map(|toggle| json!({ "Id": toggle.id, "Name": toggle.text("Name") }));
    json!({
        "Id": group.id, "SpaceId": group.space_id, "ProjectId": group.text("ProjectId"),
        "Name": group.text("Name"), "FeatureToggleUsages": used.collect::<Vec<_>>(),
    })
}

/// Answers `PUT /projects/{id}/featuretoggles/{slug}`, with or without the slug: replaces the whole
/// toggle.
pub(super) fn replace(
    change: &WriteRequest<'_>,
    draft: &mut Database,
    project: &str,
    path: &[&str],
) -> ApiResult {
    let (call, input) = (change.call, change.input);
    is_on(call)?;
    call.require("FeatureToggleEdit")?;
    let project = project_lookup::find(call, project)?;
    let mut body = input.object()?.clone();
    let wanted = path.first().copied().or_else(|| input.text("Id")).or_else(|| input.text("Slug"));
    let toggle = one(call, project, wanted.unwrap_or_default())?;
    let errors = errors(call, project, toggle, &body);
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    for key in ["Id", "SpaceId", "ProjectId", "Slug"] {
        body.insert(key.to_owned(), json!(toggle.text(key)));
    }
    let body = completed_toggle(body);
    let answer = ApiResponse::value(&body);
    draft.feature_toggles.put(body);
    draft.feature_toggles =
        draft.feature_toggles.sorted_by(|toggle| toggle.text("Name").to_lowercase());
    Ok(answer)
}

/// Returns the validation errors of a toggle.
fn errors(
    call: &Call<'_>,
    project: &Item,
    toggle: &Item,
    body: &Map<String, Value>,
) -> Vec<String> {
    let database = call.database;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut errors = Vec::new();
    if text("Name").trim().is_empty() {
        errors.push("'Name' must not be empty.".to_owned());
    }
    let mut others = database.feature_toggles.of_project(project);
    let name = text("Name").to_lowercase();
    if others.any(|other| other.id != toggle.id && other.text("Name").to_lowercase() == name) {
        errors.push(format!("A feature toggle with the name '{}' already exists.", text("Name")));
    }
    if text("Description").chars().count() > 1000 {
        errors.push("'Description' must be 1000 characters or fewer.".to_owned());
    }
    let group = text("RolloutGroupId");
    let mut groups = database.rollout_groups.of_project(project);
    if !group.is_empty() && !groups.any(|other| other.id == group) {
        errors.push(format!("The rollout group '{group}' was not found."));
    }
    let mut seen = Vec::new();
    let environments = body.get("Environments").and_then(Value::as_array);
    for entry in environments.into_iter().flatten() {
        let id = entry.get("DeploymentEnvironmentId").and_then(Value::as_str).unwrap_or_default();
        if database.environments.find_in(call.space_id(), id).is_none_or(|found| found.id != id) {
            errors.push(format!("The environment '{id}' was not found."));
        }
        if seen.contains(&id) {
            errors.push(format!("The environment '{id}' is there twice."));
        }
        seen.push(id);
        for key in ["RolloutPercentage", "ClientRolloutPercentage"] {
            let is_fine = |value: &Value| value.as_i64().is_some_and(|n| (0..=100).contains(&n));
            if entry.get(key).is_some_and(|value| !is_fine(value)) {
                errors.push(format!("'{key}' must be between 0 and 100."));
            }
        }
        for key in ["TenantIds", "ExcludedTenantIds"] {
            let ids = entry.get(key).and_then(Value::as_array).into_iter().flatten();
            for id in ids.filter_map(Value::as_str) {
                if database.tenants.find_in(call.space_id(), id).is_none() {
                    errors.push(format!("The tenant '{id}' was not found."));
                }
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;
    use crate::test_client::{get, reason, send};

    const PATH: &str = "Spaces-1/projects/Projects-1/featuretoggles";

    #[tokio::test]
    async fn filters_toggles_and_hides_disabled_feature() {
        let sample = Sample::new();
        let rows = [
            ("Projects-1/featuretoggles", 45),
            ("Projects-1/featuretoggles?PartialName=tracking", 2),
            ("Projects-1/featuretoggles?Tags=Tier/Gold", 5),
            ("Projects-1/featuretoggles?Environments=Environments-3&Take=5", 13),
            ("Projects-3/featuretoggles", 3),
            ("Projects-11/featuretoggles", 0),
            ("Projects-1/featuretoggles/rollout-groups", 3),
        ];
        for (path, total) in rows {
            let page = get(&sample, &format!("Spaces-1/projects/{path}")).await;
            assert_eq!(page["TotalResults"], total, "{path}");
        }
        let group = get(&sample, &format!("{PATH}/rollout-groups/RolloutGroups-3")).await;
        assert_eq!(
            group["FeatureToggleUsages"][0],
            json!({ "Id": "FeatureToggles-9", "Name": "ETA window" })
        );
        let rows = [
            (Sample::new(), "Spaces-22/projects/Projects-42/featuretoggles", 404),
            (Sample::with_version("2026.1.10654"), PATH, 404),
            (Sample::with_version("2026.1.10655"), PATH, 200),
            (Sample::new(), "Spaces-1/projects/Projects-1/featuretoggles?Take=101", 400),
            (Sample::new(), "Spaces-1/projects/Projects-3/featuretoggles/eta-window", 404),
        ];
        for (sample, path, status) in rows {
            assert_eq!(send(&sample, "GET", path, json!(null)).await.0, status, "{path}");
        }
    }

    #[tokio::test]
    async fn replaces_whole_toggle() {
        let sample = Sample::new();
        let path = format!("{PATH}/eta-window");
        let mut toggle = get(&sample, &path).await;
        toggle["Environments"][1]["IsEnabled"] = json!(true);
        toggle["Environments"].as_array_mut().unwrap().push(json!({
            "DeploymentEnvironmentId": "Environments-1", "IsEnabled": true,
        }));
        assert_eq!(send(&sample, "PUT", &path, toggle.clone()).await.0, 200);
        let changed = get(&sample, &path).await;
        assert_eq!(changed["Environments"][1]["IsEnabled"], true);
        assert_eq!(changed["Environments"][2]["RolloutPercentage"], 100);
        toggle["Description"] = json!("Without a slug in the path");
        assert_eq!(send(&sample, "PUT", PATH, toggle.clone()).await.0, 200);
        let wrong = |key: &str, value: Value| {
            let mut toggle = toggle.clone();
            *toggle.pointer_mut(key).unwrap() = value;
            toggle
        };
        let rows = [
            (wrong("/Description", json!("x".repeat(1001))), "1000 characters"),
            (
                wrong("/Environments/0/DeploymentEnvironmentId", json!("Environments-99")),
                "'Environments-99'",
            ),
            (
                wrong("/Environments/0/DeploymentEnvironmentId", json!("Environments-21")),
                "'Environments-21'",
            ),
            (wrong("/Environments/1/RolloutPercentage", json!(101)), "between 0 and 100"),
            (wrong("/Name", json!("Live map")), "already exists"),
        ];
        for (body, part) in rows {
            let (status, rejected) = send(&sample, "PUT", &path, body).await;
            assert_eq!(status, 400, "{rejected}");
            assert!(reason(&rejected).contains(part), "{rejected}");
        }
    }
}
