//! Responses of older versions: without the fields that newer versions added.
//!
//! The routes build documents as the newest version has them. Fields of later versions are removed
//! according to the marks of the [contract](super::contract).

use bytes::Bytes;
use serde_json::Value;

use super::contract::{Contract, Edition, Shape};
use super::version::Version;

/// Returns a response as this version sends it.
pub(super) fn remove(version: &Version, method: &str, path: &str, body: Bytes) -> Bytes {
    if version.editions() != [Edition::V2023_4] {
        return body;
    }
    let [old, new] = Edition::ALL.map(Contract::of);
    let method = if method == "HEAD" { "GET" } else { method };
    let shape = |contract: &'static Contract| contract.find(method, path)?.response.as_ref();
    let (Some(of_old), Some(of_new)) = (shape(old), shape(new)) else { return body };
    let Ok(mut document) = serde_json::from_slice::<Value>(&body) else { return body };
    remove_in((old, of_old), (new, of_new), &mut document);
    Bytes::from(document.to_string())
}

/// Removes the fields that the second type has and the first type lacks.
fn remove_in(old: (&Contract, &Shape), new: (&Contract, &Shape), value: &mut Value) {
    let (of_old, of_new) = (old.0.resolve(old.1), new.0.resolve(new.1));
    match (of_old, of_new, value) {
        (Shape::List(of_old), Shape::List(of_new), Value::Array(items)) => {
            for item in items {
                remove_in((old.0, of_old), (new.0, of_new), item);
            }
        }
        (Shape::Map(of_old), Shape::Map(of_new), Value::Object(map)) => {
            for (_, item) in map {
                remove_in((old.0, of_old), (new.0, of_new), item);
            }
        }
        (Shape::Object(of_old), Shape::Object(of_new), Value::Object(map)) => {
            map.retain(|key, value| {
                let field = of_old.fields.iter().find(|field| field.name == key);
                let newer = of_new.fields.iter().find(|field| field.name == key);
                if let (Some(field), Some(newer)) = (field, newer) {
                    remove_in((old.0, &field.shape), (new.0, &newer.shape), value);
                }
                field.is_some() || newer.is_none()
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Sample;
    use crate::test_client::get;

    #[tokio::test]
    async fn older_versions_lack_newer_fields() {
        let rows = [
            ("Spaces-1/tasks/ServerTasks-90004", "UnmetPreconditions", "PendingPreconditionTypes"),
            ("Spaces-1/releases/Releases-9003", "Version", "CustomFields"),
            ("Spaces-1/tenants/Tenants-1", "TenantTags", "IsDisabled"),
            ("Spaces-1/deployments/Deployments-9004", "FormValues", "Priority"),
            ("Spaces-1/projects/Projects-1", "Slug", "ProjectTags"),
        ];
        let (old, new) = (Sample::with_version("2023.4.8600"), Sample::new());
        for (path, kept, added) in rows {
            let (old, new) = (get(&old, path).await, get(&new, path).await);
            assert!(!old[kept].is_null() || old.get(kept).is_some(), "{path} {old}");
            assert_eq!((old.get(added), new.get(added).is_some()), (None, true), "{path}");
        }
        let accounts = |list: serde_json::Value| {
            let items = list["Items"].as_array().unwrap().clone();
            items.iter().any(|account| account["AccountType"] == json!("GenericOidcAccount"))
        };
        let path = "Spaces-1/accounts?take=100";
        assert!(!accounts(get(&old, path).await) && accounts(get(&new, path).await));
    }
}
