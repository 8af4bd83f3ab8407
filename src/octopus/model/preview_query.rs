//! Requests for several previews of deployments or runbook runs at once.
//!
//! They are a POST with the environments and tenants in the body
//! (`POST .../deployments/previews` and `POST .../runbookRuns/previews`), and change nothing.

use serde_json::{Map, Value};

use super::operations::{self, PathSegment};
use crate::octopus::client::{
    error::Error, path::ApiPath, response::RawResponse, session::Session,
};

/// Collections whose previews a POST requests.
const COLLECTIONS: [&str; 2] = ["deployments", "runbookRuns"];
/// Last segment of the path.
const PREVIEWS: &str = "previews";
/// Field of the body with the requested previews.
const REQUESTED: &str = "DeploymentPreviews";

/// A POST that only reads previews.
#[derive(Debug)]
pub struct PreviewQuery {
    body: Value,
}

impl PreviewQuery {
    /// Creates the request for previews; `None` if a POST to this path is another operation.
    /// `segments` are the decoded segments of the path below `/api`.
    pub fn at(segments: &[String], body: Option<&Value>) -> Option<Self> {
        let found = operations::find("POST", segments)?;
        let [.., PathSegment::Literal(collection), PathSegment::Literal(PREVIEWS)] =
            found.operation.path.as_slice()
        else {
            return None;
        };
        let is_known = COLLECTIONS.iter().any(|known| known.eq_ignore_ascii_case(collection));
        is_known.then(|| Self { body: body.cloned().unwrap_or_default() })
    }

    /// Returns the body with the IDs of environments and tenants as lists at the top level. A body
    /// in another form is returned unchanged.
    pub fn named(&self) -> Value {
        let flat = || {
            let body = self.body.as_object()?;
            let requested = body.get(REQUESTED)?.as_array()?;
            let mut ids = [("EnvironmentId", Vec::new()), ("TenantId", Vec::new())];
            for one in requested {
                for (key, value) in one.as_object()? {
                    let (_, list) = ids.iter_mut().find(|(known, _)| known == key)?;
                    match value {
                        Value::Null => {}
                        Value::String(id) => list.push(Value::from(id.as_str())),
                        _ => return None,
                    }
                }
            }
            let rest = body.iter().filter(|(key, _)| *key != REQUESTED);
            let mut flat: Map<String, Value> =
                rest.map(|(key, value)| (key.clone(), value.clone())).collect();
            for (key, list) in ids {
                if !list.is_empty() {
                    flat.insert(format!("{key}s"), Value::Array(list));
                }
            }
            Some(Value::Object(flat))
        };
        flat().unwrap_or_else(|| self.body.clone())
    }
}

impl Session {
    /// Reads previews.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] beyond the setting `execute_limit`, and failures of Octopus.
    pub async fn fetch_previews(
        &self,
        path: &ApiPath,
        query: &PreviewQuery,
    ) -> Result<RawResponse, Error> {
        self.read_by_post(path, &query.body).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(path: &str, body: &Value) -> Option<PreviewQuery> {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        PreviewQuery::at(&segments, Some(body))
    }

    #[test]
    fn only_posts_to_previews_are_reads() {
        for (path, expected) in [
            ("Spaces-1/releases/Releases-1/deployments/previews", true),
            ("spaces/default/releases/Releases-1/Deployments/Previews", true),
            ("releases/Releases-1/deployments/previews", true),
            ("Spaces-1/projects/Projects-1/runbooks/Runbooks-1/runbookRuns/previews", true),
            ("Spaces-1/projects/Projects-1/runbookSnapshots/x/runbookruns/previews", true),
            ("Spaces-1/projects/Projects-1/main/runbooks/x/runbookRuns/previews", true),
            ("Spaces-1/deployments", false),
            ("Spaces-1/releases/Releases-1/deployments", false),
            ("Spaces-1/previews", false),
            ("Spaces-1/accounts/previews", false),
            ("teammembership/previewteam", false),
        ] {
            assert_eq!(query(path, &json!({})).is_some(), expected, "{path}");
        }
    }

    #[test]
    fn names_the_documents_of_a_known_body() {
        let path = "Spaces-1/releases/Releases-1/deployments/previews";
        let named = |body: Value| query(path, &body).unwrap().named();
        let body = json!({ "ReleaseId": "Releases-1", "DeploymentPreviews": [
            { "EnvironmentId": "Environments-1", "TenantId": null },
            { "EnvironmentId": "Environments-2", "TenantId": "Tenants-1" }] });
        let expected = json!({ "ReleaseId": "Releases-1",
            "EnvironmentIds": ["Environments-1", "Environments-2"], "TenantIds": ["Tenants-1"] });
        assert_eq!(named(body), expected);
        for body in [
            json!({ "DeploymentPreviews": [{ "EnvironmentId": ["Environments-1"] }] }),
            json!({ "DeploymentPreviews": [{ "environment": "Environments-1" }] }),
            json!(["Environments-1"]),
        ] {
            assert_eq!(named(body.clone()), body);
        }
    }
}
