//! Version and features of the instance.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;

use super::document::to_answer_form;
use crate::octopus::client::{
    error::Error, path::ApiPath, session::Session, version::OctopusVersion,
};

/// The root document of the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ApiRoot {
    pub version: String,
    pub installation_id: Option<String>,
}

impl ApiRoot {
    /// Parses the version.
    pub fn parse_version(&self) -> Result<OctopusVersion, Error> {
        self.version.parse().map_err(|()| Error::UnexpectedResponse {
            reason: format!("'{}' is not a version", self.version),
        })
    }
}

impl Session {
    /// Returns the version of the instance. Sessions share the cached version but not a read in
    /// flight: a read with a wrong credential fails only for its own caller.
    pub async fn version(&self) -> Result<OctopusVersion, Error> {
        let cached = self.client().caches().version.get(&()).await;
        self.client().metrics().record_cache_lookup("version", cached.is_some());
        if let Some(version) = cached {
            return Ok(version);
        }
        let version = root(self).await?.parse_version()?;
        self.client().caches().version.insert((), version).await;
        Ok(version)
    }
}

/// Reads the root document of the API. No permission is required.
pub async fn root(session: &Session) -> Result<ApiRoot, Error> {
    session.get(&ApiPath::new([""; 0])).await
}

/// Reads the enabled features.
pub async fn features(session: &Session) -> Result<Value, Error> {
    session.get(&ApiPath::new(["featuresconfiguration"])).await.map(to_answer_form)
}
