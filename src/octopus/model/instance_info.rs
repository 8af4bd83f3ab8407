//! Version and features of the instance.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::document::to_answer_form;
use crate::octopus::client::{
    caches::KnownVersion, error::Error, path::ApiPath, session::Session, version::OctopusVersion,
};

/// Minimum age of a cached version that an answer contradicts, before it is read again.
const VERSION_RECHECK: Duration = Duration::from_secs(1);

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
        if let Some(known) = cached {
            return Ok(known.version);
        }
        self.read_version().await
    }

    /// Returns the version of the instance for a feature of the version `since`. A cached version
    /// before `since` may be outdated after an upgrade, so it is read again if it is older than
    /// [`VERSION_RECHECK`].
    pub async fn version_for(&self, since: OctopusVersion) -> Result<OctopusVersion, Error> {
        let cached = self.client().caches().version.get(&()).await;
        match cached {
            Some(known) if known.version < since && known.read_at.elapsed() >= VERSION_RECHECK => {
                self.read_version().await
            }
            _ => self.version().await,
        }
    }

    /// Removes the cached version, because an answer contradicts it. A version that was read in the
    /// last [`VERSION_RECHECK`] is kept.
    pub async fn expire_version(&self) {
        let caches = self.client().caches();
        if let Some(known) = caches.version.get(&()).await
            && known.read_at.elapsed() >= VERSION_RECHECK
        {
            caches.version.invalidate(&()).await;
        }
    }

    /// Reads and caches the version. A changed version also changes the lists of the instance.
    async fn read_version(&self) -> Result<OctopusVersion, Error> {
        let caches = self.client().caches();
        let version = root(self).await?.parse_version()?;
        let known = KnownVersion { version, read_at: Instant::now() };
        let former = caches.version.get(&()).await;
        caches.version.insert((), known).await;
        if former.is_none_or(|former| former.version != version) {
            caches.v2_lists.invalidate_all();
        }
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
