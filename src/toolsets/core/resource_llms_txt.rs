//! The resource `catalog-llms-txt`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{OctopusVersion, llms_txt},
    tool::{Contents, Context, Error, Resource},
};

/// The beginning of the catalog of the Octopus REST API, in Markdown (about 300 KB in all).
/// grep_llms_txt searches all of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LlmsTxtResource {}

impl Resource for LlmsTxtResource {
    const NAME: &'static str = "catalog-llms-txt";
    const TITLE: &'static str = "REST API catalog";
    const TEMPLATE: &'static str = "octopus://api/llms.txt";
    const MIME: &'static str = "text/markdown";
    const KEEPS_TO_PROJECT: bool = true;
    const SINCE: OctopusVersion = llms_txt::SINCE;
    const KEPT_FOR: Duration = Duration::from_mins(5);

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let text = cx.session.llms_txt().await?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Contents::Text(text, "grep_llms_txt searches all of it."))
    }

    async fn size(cx: &Context) -> Option<u64> {
        cx.session.llms_txt_size().await
    }
}
