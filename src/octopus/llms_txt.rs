//! The catalog of Octopus's own REST API, as the instance writes it for language models
//! (`/api/experimental/llms.txt`, since Octopus 2026.2).

use std::time::Duration;

use bytes::Bytes;
use moka::future::Cache;

use super::{Answer, Error, Fingerprint, OctopusVersion, Path, Session, reads::Size};

/// The first version that has it.
pub const SINCE: OctopusVersion = OctopusVersion(2026, 2, 3916);

/// The catalog by caller: what one may read answers no other.
pub(super) type Kept = Cache<Fingerprint, Bytes>;

/// How long it is believed.
const KEPT: Duration = Duration::from_mins(5);
/// How many bytes are remembered for all callers; one catalog has a few hundred thousand.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;

pub(super) fn cache() -> Kept {
    Cache::builder()
        .max_capacity(KEPT_BYTES)
        .weigher(|_, text: &Bytes| u32::try_from(text.len()).unwrap_or(u32::MAX))
        .time_to_live(KEPT)
        .build()
}

impl Session {
    /// The catalog of the REST API, in Markdown. It is remembered for each caller alone; calls at
    /// the same moment share one download.
    pub async fn llms_txt(&self) -> Result<Bytes, Error> {
        let download = async {
            let path = Path::new(["experimental", "llms.txt"]);
            let Answer { content_type, body } =
                match self.client().get(self, &path, Size::Execute).await {
                    Err(Error::NotFound { .. }) => return Err(absent()),
                    answer => answer?,
                };
            if content_type == "text/html" {
                let reason = format!("{} sent a page for browsers", path.route());
                return Err(Error::Unexpected { reason });
            }
            // A copy: the cache has a bound of its own, and the body would hold memory that is meant
            // for answers in flight.
            Ok(Bytes::copy_from_slice(&body))
        };
        let key = self.whose();
        let kept = self.client().llms_txt().try_get_with(key, download).await;
        kept.map_err(|error: std::sync::Arc<Error>| (*error).clone())
    }

    /// How many bytes the catalog has, where it is remembered.
    pub async fn llms_txt_size(&self) -> Option<u64> {
        let key = self.whose();
        let text = self.client().llms_txt().get(&key).await?;
        u64::try_from(text.len()).ok()
    }
}

fn absent() -> Error {
    Error::NotFound {
        noun: "API catalog",
        wanted: "llms.txt".to_owned(),
        place: None,
        near: Vec::new(),
    }
}
