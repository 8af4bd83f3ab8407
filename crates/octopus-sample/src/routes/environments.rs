//! Subresources of environments, and `/environments/v2`.
//!
//! `/environments/v2` also contains parent and ephemeral environments. Its bodies have no links. The
//! API reference requires `skip` and `take`.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::{machines, missing};

/// Answers `/environments/{id}/machines` and `/environments/{id}/v2`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        [id, "machines"] => {
            let environment = call.database.environments.find_in(call.space_id(), id);
            machines::of_environment(call, environment.ok_or_else(|| missing(id))?)
        }
        [id, "v2"] if call.version.has(Feature::EnvironmentsV2) => {
            let found = all(call).find(|item| {
                item.id.eq_ignore_ascii_case(id) || item.text("Slug").eq_ignore_ascii_case(id)
            });
            Ok(ApiResponse::value(&body(found.ok_or_else(|| missing(id))?)))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/environments/v2`.
pub(super) fn list_v2(call: &Call<'_>) -> ApiResult {
    call.require("EnvironmentView")?;
    let number = |name: &str| {
        call.query
            .number(name)
            .ok_or_else(|| ApiError::BadRequest(format!("The parameter '{name}' is required.")))
    };
    let (skip, take) = (number("skip")?, number("take")?);
    let found: Vec<Value> = all(call)
        .filter(|item| call.in_ids(item) && call.matches_name(item))
        .map(body)
        .filter(|body| {
            call.one_of("type", body.get("Type").and_then(Value::as_str).unwrap_or_default())
        })
        .collect();
    let total = found.len();
    let pages = total.checked_div(take).map_or(1, |_| total.div_ceil(take)).max(1);
    let items: Vec<Value> = found.into_iter().skip(skip).take(take).collect();
    Ok(ApiResponse::value(&json!({
        "ItemType": "DeploymentEnvironment", "TotalResults": total, "ItemsPerPage": take,
        "NumberOfPages": pages, "LastPageNumber": pages - 1, "Items": items,
    })))
}

/// Returns the environments of the space: static, parent and ephemeral ones.
fn all<'a>(call: &Call<'a>) -> impl Iterator<Item = &'a Item> {
    let space = call.space_id();
    let database = call.database;
    database.environments.of_space(space).chain(database.ephemeral_environments.of_space(space))
}

fn body(item: &Item) -> Value {
    let mut body = item.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.remove("Links");
        body.entry("Type").or_insert_with(|| json!("Static"));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, get_response, ids};
    use crate::{Sample, keys};

    const V2: &str = "/api/Spaces-1/environments/v2";

    #[tokio::test]
    async fn v2_adds_parent_and_ephemeral_environments() {
        let one = ids("/api/Spaces-1/environments").await;
        let two = ids(&format!("{V2}?skip=0&take=100")).await;
        let added = ["Environments-40".to_owned(), "Environments-41".to_owned()];
        assert_eq!(two, [one, added.to_vec()].concat());
        let found = ids(&format!("{V2}?skip=0&take=100&type=Ephemeral,Parent")).await;
        assert_eq!(found, added);
        let preview = get("/api/Spaces-1/environments/Environments-41/v2").await;
        assert_eq!(preview["ParentEnvironmentId"], "Environments-40");
        let fixed = get("/api/Spaces-1/environments/production/v2").await;
        assert_eq!((&fixed["Type"], fixed.get("Links")), (&"Static".into(), None));
    }

    #[tokio::test]
    async fn v2_requires_paging_and_a_recent_version() {
        let status = async |sample: &Sample, path: &str| {
            get_response(sample, keys::ADMIN, path).await.status().as_u16()
        };
        assert_eq!(status(&Sample::new(), V2).await, 400);
        assert_eq!(status(&Sample::new(), "/api/environments/v2?skip=0&take=1").await, 404);
        let old = Sample::with_version("2023.4.1");
        assert_eq!(status(&old, &format!("{V2}?skip=0&take=1")).await, 404);
        assert_eq!(status(&old, "/api/Spaces-1/environments/Environments-1/v2").await, 404);
    }
}
