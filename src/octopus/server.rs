//! The instance itself: what it says of its version and of the features that are switched on.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;
use serde_json::Value;

use super::{Error, OctopusVersion, Path, Session, document::plain};

/// The document that everything begins with.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Root {
    pub version: String,
    pub installation_id: Option<String>,
}

impl Root {
    /// The version, to compare.
    pub fn parsed(&self) -> Result<OctopusVersion, Error> {
        self.version.parse().map_err(|()| Error::Unexpected {
            reason: format!("'{}' is not a version", self.version),
        })
    }
}

/// Reads the document that everything begins with. It needs no permission.
pub async fn root(session: &Session) -> Result<Root, Error> {
    session.get(&Path::new([""; 0])).await
}

/// Reads which features are switched on.
pub async fn features(session: &Session) -> Result<Value, Error> {
    session.get(&Path::new(["featuresconfiguration"])).await.map(plain)
}
