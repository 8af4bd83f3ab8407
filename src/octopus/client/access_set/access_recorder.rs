//! Records the resources that a call accesses. Look-ups and reads use the recorder, so policy
//! rules and audit records include every access without code in the tools.

use std::{borrow::Cow, fmt, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{AccessSet, owner_keys};
use crate::octopus::client::{
    json::bounded::{BoundedSeed, JsonBounds},
    path::ApiPath,
};

/// Records accesses while a call runs. Clones share the recorded set.
#[derive(Debug, Clone, Default)]
pub struct AccessRecorder(Arc<Mutex<AccessSet>>);

/// The fields of a document that identify it and its owners. Other fields are skipped while
/// parsing.
#[derive(Debug)]
pub(in crate::octopus) struct OwnerFields(Map<String, Value>);

/// Bounds for one such field. Documents of Octopus contain far less.
const FIELD_BOUNDS: JsonBounds = JsonBounds { json: 256 * 1024, text: 4 * 1024, values: 8 * 1024 };
/// Maximum depth at which a task, and the arguments of a task, are searched for in a document.
const MAX_DEPTH: usize = 4;

/// Visitor that reads the identifying fields of an object at this depth; other values have none.
#[derive(Clone, Copy)]
struct OwnerFieldsVisitor(usize);

/// Parses the identifying fields of a body. Returns `None` for a list: policy rules match a list by
/// its space and its filters, not by its items.
pub(in crate::octopus) fn owner_fields(body: &[u8]) -> Option<OwnerFields> {
    let fields = OwnerFieldsVisitor(0).deserialize(&mut serde_json::Deserializer::from_slice(body));
    fields.ok().map(OwnerFields)
}

impl<'de> DeserializeSeed<'de> for OwnerFieldsVisitor {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OwnerFieldsVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self(depth) = self;
        let mut kept = Map::new();
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == "Items" && depth == 0 {
                return Err(A::Error::custom("a list"));
            }
            let value = if ["Task", "Arguments"].contains(&&*key) && depth < MAX_DEPTH {
                map.next_value_seed(Self(depth + 1))?.into()
            } else if is_owner_field(&key) {
                map.next_value_seed(BoundedSeed(FIELD_BOUNDS))?.value
            } else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            kept.insert(key.into_owned(), value);
        }
        Ok(kept)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Map::new())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Map::new())
    }
}

/// Returns whether a field identifies the document or an owner.
fn is_owner_field(key: &str) -> bool {
    const OWN: &[&str] = &["Id", "Name", "Slug", "ProjectGroupId", "TenantTags", "EnvironmentTags"];
    OWN.contains(&key) || owner_keys::is_owner_key(key)
}

impl AccessRecorder {
    /// Returns a copy of the set recorded so far.
    pub fn snapshot(&self) -> AccessSet {
        self.lock().clone()
    }

    /// Changes the recorded set.
    pub fn record(&self, note: impl FnOnce(&mut AccessSet)) {
        note(&mut self.lock());
    }

    /// Records the IDs in a request path and in the identifying fields of its response.
    pub(in crate::octopus) fn record_response(
        &self,
        path: &ApiPath,
        belongings: Option<OwnerFields>,
    ) {
        let mut access_set = self.lock();
        access_set.add_path(path);
        if let Some(OwnerFields(document)) = belongings {
            access_set.add_document(&document);
        }
    }

    fn lock(&self) -> MutexGuard<'_, AccessSet> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::octopus::client::access_set::ResourceKind;

    fn ids(access_set: &AccessSet, kind: ResourceKind) -> Vec<&str> {
        access_set.resources(kind).iter().map(|resource| resource.id.as_str()).collect()
    }

    #[test]
    fn records_ids_of_requests_and_responses() {
        let recorder = AccessRecorder::default();
        let path = ApiPath::new(["Spaces-1", "tasks", "ServerTasks-7", "details"]);
        let body = br#"{"Task":{"Id":"ServerTasks-7","Name":"Deploy","ProjectId":"Projects-3",
            "Arguments":{"DeploymentId":"Deployments-9"}},"ActivityLogs":[{"Name":"x"}]}"#;
        recorder.record_response(&path, owner_fields(body));
        let so_far = recorder.snapshot();
        assert_eq!(ids(&so_far, ResourceKind::Space), ["Spaces-1"]);
        assert_eq!(ids(&so_far, ResourceKind::Project), ["Projects-3"]);
        assert_eq!(so_far.next_unresolved().as_deref(), Some("Deployments-9"));
        let body = br#"{"Id":"Deployments-9","EnvironmentId":"Environments-2","TenantId":null}"#;
        let path = ApiPath::new(["Spaces-1", "deployments", "Deployments-9"]);
        recorder.record_response(&path, owner_fields(body));
        let so_far = recorder.snapshot();
        assert_eq!(ids(&so_far, ResourceKind::Environment), ["Environments-2"]);
        assert_eq!((ids(&so_far, ResourceKind::Tenant), so_far.next_unresolved()), (vec![], None));
    }

    #[test]
    fn bounds_large_fields_and_skips_others() {
        let tags = vec!["Ring/one"; 100_000];
        let task = serde_json::json!({ "ProjectId": "Projects-3", "Logs": tags, "Items": [1] });
        let body = serde_json::json!({ "Logs": tags, "Id": "Tenants-1", "TenantTags": tags,
            "Task": task, "Arguments": [1], "EnvironmentId": null });
        let OwnerFields(document) = owner_fields(body.to_string().as_bytes()).unwrap();
        assert_eq!(document["Id"], "Tenants-1");
        assert!(document["TenantTags"].as_array().unwrap().len() < FIELD_BOUNDS.values);
        assert_eq!(document["Task"], serde_json::json!({ "ProjectId": "Projects-3" }));
        assert_eq!(document.get("Logs"), None);
    }

    #[test]
    fn ignores_list_items() {
        let recorder = AccessRecorder::default();
        let path = ApiPath::new(["Spaces-1", "projects", "Projects-1", "releases"]);
        let body = br#"{"Items":[{"ProjectId":"Projects-2"}],"ProjectId":"Projects-4"}"#;
        recorder.record_response(&path, owner_fields(body));
        assert_eq!(ids(&recorder.snapshot(), ResourceKind::Project), ["Projects-1"]);
    }
}
