//! Tenants, sorted by name.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::filters::Filter;
use super::{missing, missing_variables, tenant_variables};

/// The filters of `/tenants`.
pub(super) const FILTERS: &[Filter] = &[
    Filter::Ids,
    Filter::Name,
    Filter::Flag("isDisabled", "IsDisabled"),
    Filter::Matches(matches),
];

/// Answers `/tenants/status`, `/tenants/tag-test` and `/tenants/variables-missing`.
pub(super) fn subroute(call: &Call<'_>, word: &str) -> ApiResult {
    call.require("TenantView")?;
    match word {
        "status" => Ok(ApiResponse::value(&json!({ "Enabled": true }))),
        "tag-test" => Ok(tag_test(call)),
        "variables-missing" => missing_variables::answer(call),
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers the paths below `/tenants/{id}`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        [id, "variables"] => tenant_variables::of_one(call, one(call, id)?),
        [id, "commonvariables"] => {
            call.require_feature(Feature::ScopedTenantVariables)?;
            tenant_variables::common(call, one(call, id)?)
        }
        [id, "projectvariables"] => {
            call.require_feature(Feature::ScopedTenantVariables)?;
            tenant_variables::of_projects(call, one(call, id)?)
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn one<'a>(call: &Call<'a>, id_or_slug: &str) -> Result<&'a Item, ApiError> {
    call.database.tenants.find_in(call.space_id(), id_or_slug).ok_or_else(|| missing(id_or_slug))
}

/// Matches `projectId`, `clonedFromTenantId` and `tags`.
fn matches(call: &Call<'_>, tenant: &Item) -> bool {
    let query = &call.query;
    let is_connected = |project: &str| {
        let map = tenant.body.get("ProjectEnvironments").and_then(Value::as_object);
        map.is_some_and(|map| map.keys().any(|id| id.eq_ignore_ascii_case(project)))
    };
    let origin = tenant.text("ClonedFromTenantId");
    query.text("projectId").is_none_or(is_connected)
        && query.text("clonedFromTenantId").is_none_or(|id| id.eq_ignore_ascii_case(origin))
        && has_tags(tenant, &query.list("tags"))
}

/// Returns whether a tenant has, of each tag set in `tags`, at least one of the tags.
pub(super) fn has_tags(tenant: &Item, tags: &[&str]) -> bool {
    by_tag_set(tags).values().all(|wanted| has_one(tenant, wanted))
}

/// Groups tags in lower case by tag set. A tenant matches with one tag of each set.
fn by_tag_set(tags: &[&str]) -> HashMap<String, Vec<String>> {
    let mut sets: HashMap<String, Vec<String>> = HashMap::new();
    for tag in tags.iter().map(|tag| tag.to_lowercase()) {
        let set = tag.split('/').next().unwrap_or_default().to_owned();
        sets.entry(set).or_default().push(tag);
    }
    sets
}

fn has_one(tenant: &Item, tags: &[String]) -> bool {
    tenant.texts("TenantTags").any(|tag| tags.contains(&tag.to_lowercase()))
}

fn tag_test(call: &Call<'_>) -> ApiResponse {
    let tags = call.query.list("tags");
    let sets = by_tag_set(&tags);
    let tenants = call.database.tenants.of_space(call.space_id());
    let rows = tenants.filter(|tenant| call.one_of("tenantIds", &tenant.id)).map(|tenant| {
        let is_matched = sets.values().all(|wanted| has_one(tenant, wanted));
        let lacks = |tag: &&&str| !has_one(tenant, &[tag.to_lowercase()]);
        let lacking: Vec<&&str> =
            if is_matched { Vec::new() } else { tags.iter().filter(lacks).collect() };
        let reason = if is_matched { "" } else { "Does not match any of the selected tags" };
        let row = json!({
            "IsMatched": is_matched, "Reason": reason, "MissingTags": lacking,
            "IsDisabled": tenant.flag("IsDisabled"),
        });
        (tenant.id.clone(), row)
    });
    ApiResponse::value(&Value::Object(rows.collect::<Map<_, _>>()))
}
