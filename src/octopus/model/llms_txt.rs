//! API reference for language models, as the instance generates it (`/api/experimental/llms.txt`,
//! since Octopus 2026.2).

use bytes::Bytes;

use crate::octopus::client::{
    coalescing::SizeLimit, error::Error, path::ApiPath, response::RawResponse, session::Session,
    version::OctopusVersion,
};

/// First version with this document.
pub const SINCE: OctopusVersion = OctopusVersion(2026, 2, 3916);

impl Session {
    /// Returns the API reference in Markdown. It is cached for each caller; concurrent calls share
    /// one download.
    pub async fn llms_txt(&self) -> Result<Bytes, Error> {
        let download = async {
            let path = ApiPath::new(["experimental", "llms.txt"]);
            let RawResponse { content_type, body } =
                match self.read_response(&path, SizeLimit::Execute).await {
                    Err(Error::NotFound { .. }) => return Err(not_found()),
                    answer => answer?,
                };
            if content_type == "text/html" {
                let reason = format!("{} returned an HTML page instead of text", path.route());
                return Err(Error::UnexpectedResponse { reason });
            }
            // Copy the body: the cache has a separate limit, and the original would occupy the
            // memory budget for responses.
            Ok(Bytes::copy_from_slice(&body))
        };
        let key = self.fingerprint();
        let kept = self.client().caches().llms_txt.try_get_with(key, download).await;
        kept.map_err(|error: std::sync::Arc<Error>| (*error).clone())
    }

    /// Returns the size of the cached API reference in bytes; `None` if it is not cached.
    pub async fn llms_txt_size(&self) -> Option<u64> {
        let key = self.fingerprint();
        let text = self.client().caches().llms_txt.get(&key).await?;
        u64::try_from(text.len()).ok()
    }
}

fn not_found() -> Error {
    Error::NotFound {
        noun: "API catalog",
        query: "llms.txt".to_owned(),
        location: None,
        suggestions: Vec::new(),
    }
}
