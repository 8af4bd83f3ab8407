//! Version and features of the instance.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;

use super::{Error, OctopusVersion, Path, Session, document::plain};

/// The root document of the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Root {
    pub version: String,
    pub installation_id: Option<String>,
}

impl Root {
    /// Parses the version.
    pub fn parsed(&self) -> Result<OctopusVersion, Error> {
        self.version.parse().map_err(|()| Error::Unexpected {
            reason: format!("'{}' is not a version", self.version),
        })
    }
}

/// Reads the root document of the API. No permission is required.
pub async fn root(session: &Session) -> Result<Root, Error> {
    session.get(&Path::new([""; 0])).await
}

/// Reads which features are enabled.
pub async fn features(session: &Session) -> Result<Value, Error> {
    session.get(&Path::new(["featuresconfiguration"])).await.map(plain)
}
