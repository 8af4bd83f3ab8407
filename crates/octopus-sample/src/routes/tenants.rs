//! Tenants, sorted by name.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::database::Item;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::{missing, missing_variables, tenant_variables};

const PAGES: Pages =
    Pages::of("Tenant", "skip,projectId,name,tags,take,ids,clone,partialName,clonedFromTenantId");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("TenantView")?;
    let tenants = call.database.tenants.of_space(call.space_id());
    match path {
        [] => {
            let tags = by_tag_set(&call.query.list("tags"));
            Ok(PAGES.page(call, tenants.filter(|tenant| matches(call, tenant, &tags))))
        }
        ["all"] => Ok(all(tenants.filter(|tenant| call.in_ids(tenant)))),
        ["status"] => Ok(ApiResponse::value(&json!({ "Enabled": true }))),
        ["tag-test"] => Ok(tag_test(call)),
        ["variables-missing"] => missing_variables::answer(call),
        [id] => Ok(ApiResponse::json(one(call, id)?.json.to_string())),
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

fn matches(call: &Call<'_>, tenant: &Item, tags: &HashMap<String, Vec<String>>) -> bool {
    let query = &call.query;
    let connected = |project: &str| {
        let map = tenant.body.get("ProjectEnvironments").and_then(Value::as_object);
        map.is_some_and(|map| map.keys().any(|id| id.eq_ignore_ascii_case(project)))
    };
    let origin = tenant.text("ClonedFromTenantId");
    call.in_ids(tenant)
        && call.matches_name(tenant)
        && query.text("projectId").is_none_or(connected)
        && query.text("clonedFromTenantId").is_none_or(|id| id.eq_ignore_ascii_case(origin))
        && query.switch("isDisabled").is_none_or(|wanted| tenant.flag("IsDisabled") == wanted)
        && tags.values().all(|wanted| has_one(tenant, wanted))
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
