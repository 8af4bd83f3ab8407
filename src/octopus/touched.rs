//! Records the resources that a call accesses. Look-ups and reads report to the recorder, so policy
//! rules and audit records see every access without code in the tools.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{Bounds, Path, Touches, belongs, bounded::Within};

/// Records accesses while a call runs. Clones share the recorded set.
#[derive(Debug, Clone, Default)]
pub struct Touched(Arc<Mutex<Touches>>);

/// The fields of a document that identify it and its owners. Other fields are skipped while
/// parsing.
#[derive(Debug)]
pub(super) struct Belongings(Map<String, Value>);

/// Bounds for one such field. Documents of Octopus contain far less.
const FIELD: Bounds = Bounds { json: 256 * 1024, text: 4 * 1024, values: 8 * 1024 };
/// Maximum depth at which a task, and the arguments of a task, are searched for in a document.
const DEPTH: usize = 4;

/// Visitor that reads the identifying fields of an object at this depth; other values have none.
#[derive(Clone, Copy)]
struct Fields(usize);

/// Parses the identifying fields of a body. Returns `None` for a list: policy rules judge a list by
/// its space and its filters, not by its items.
pub(super) fn belongings(body: &[u8]) -> Option<Belongings> {
    let fields = Fields(0).deserialize(&mut serde_json::Deserializer::from_slice(body));
    fields.ok().map(Belongings)
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
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
            let value = if ["Task", "Arguments"].contains(&&*key) && depth < DEPTH {
                map.next_value_seed(Self(depth + 1))?.into()
            } else if is_kept(&key) {
                map.next_value_seed(Within(FIELD))?.value
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
fn is_kept(key: &str) -> bool {
    const OWN: &[&str] = &["Id", "Name", "Slug", "ProjectGroupId", "TenantTags", "EnvironmentTags"];
    OWN.contains(&key) || belongs::says_where(key)
}

impl Touched {
    /// Returns a copy of the set recorded so far.
    pub fn so_far(&self) -> Touches {
        self.locked().clone()
    }

    /// Changes the recorded set.
    pub fn note(&self, note: impl FnOnce(&mut Touches)) {
        note(&mut self.locked());
    }

    /// Records the IDs in a request path and in the identifying fields of its response.
    pub(super) fn answered(&self, path: &Path, belongings: Option<Belongings>) {
        let mut touches = self.locked();
        touches.add_path(path);
        if let Some(Belongings(document)) = belongings {
            touches.add_document(&document);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Touches> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::octopus::Kind;

    fn ids(touches: &Touches, kind: Kind) -> Vec<&str> {
        touches.of(kind).iter().map(|thing| thing.id.as_str()).collect()
    }

    #[test]
    fn a_request_and_its_answer_say_what_is_touched() {
        let touched = Touched::default();
        let path = Path::new(["Spaces-1", "tasks", "ServerTasks-7", "details"]);
        let body = br#"{"Task":{"Id":"ServerTasks-7","Name":"Deploy","ProjectId":"Projects-3",
            "Arguments":{"DeploymentId":"Deployments-9"}},"ActivityLogs":[{"Name":"x"}]}"#;
        touched.answered(&path, belongings(body));
        let so_far = touched.so_far();
        assert_eq!(ids(&so_far, Kind::Space), ["Spaces-1"]);
        assert_eq!(ids(&so_far, Kind::Project), ["Projects-3"]);
        assert_eq!(so_far.next().as_deref(), Some("Deployments-9"));
        let body = br#"{"Id":"Deployments-9","EnvironmentId":"Environments-2","TenantId":null}"#;
        let path = Path::new(["Spaces-1", "deployments", "Deployments-9"]);
        touched.answered(&path, belongings(body));
        let so_far = touched.so_far();
        assert_eq!(ids(&so_far, Kind::Environment), ["Environments-2"]);
        assert_eq!((ids(&so_far, Kind::Tenant), so_far.next()), (vec![], None));
    }

    #[test]
    fn large_fields_are_bounded_and_unnamed_ones_skipped() {
        let tags = vec!["Ring/one"; 100_000];
        let task = serde_json::json!({ "ProjectId": "Projects-3", "Logs": tags, "Items": [1] });
        let body = serde_json::json!({ "Logs": tags, "Id": "Tenants-1", "TenantTags": tags,
            "Task": task, "Arguments": [1], "EnvironmentId": null });
        let Belongings(document) = belongings(body.to_string().as_bytes()).unwrap();
        assert_eq!(document["Id"], "Tenants-1");
        assert!(document["TenantTags"].as_array().unwrap().len() < FIELD.values);
        assert_eq!(document["Task"], serde_json::json!({ "ProjectId": "Projects-3" }));
        assert_eq!(document.get("Logs"), None);
    }

    #[test]
    fn items_of_lists_say_nothing() {
        let touched = Touched::default();
        let path = Path::new(["Spaces-1", "projects", "Projects-1", "releases"]);
        let body = br#"{"Items":[{"ProjectId":"Projects-2"}],"ProjectId":"Projects-4"}"#;
        touched.answered(&path, belongings(body));
        assert_eq!(ids(&touched.so_far(), Kind::Project), ["Projects-1"]);
    }
}
