//! `grep_llms_txt`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{OctopusVersion, llms_txt},
    tool::{Context, Error, Tool},
    toolsets::text_search::{self, Search, SearchAnswer},
};

/// Search the catalog of the Octopus REST API with the options of grep. The catalog has a line per
/// endpoint (method, path, query) below headings such as "### Releases".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GrepLlmsTxt {
    /// Regular expression, e.g. "POST .*/releases".
    pattern: String,
    /// Ignore letter case (grep -i).
    #[schemars(extend("default" = false))]
    case_insensitive: Option<bool>,
    /// Return lines that do not match (grep -v).
    #[schemars(extend("default" = false))]
    invert_match: Option<bool>,
    /// Take the pattern as plain text (grep -F).
    #[schemars(extend("default" = false))]
    fixed_string: Option<bool>,
    /// Lines before each match (default 0, max 50).
    #[schemars(range(max = 50), extend("default" = 0))]
    before_context: Option<u32>,
    /// Lines after each match (default 0, max 50).
    #[schemars(range(max = 50), extend("default" = 0))]
    after_context: Option<u32>,
    /// Max matches (default 100, max 500).
    #[schemars(range(min = 1, max = 500), extend("default" = 100))]
    max_count: Option<u32>,
    /// Matches to skip (default 0).
    offset: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CatalogMatches {
    pattern: String,
    #[serde(flatten)]
    answer: SearchAnswer,
    catalog_resource_uri: &'static str,
}

/// URI of the resource that holds the whole catalog.
const RESOURCE: &str = "octopus://api/llms.txt";

impl Tool for GrepLlmsTxt {
    const NAME: &'static str = "grep_llms_txt";
    const TITLE: &'static str = "Search the API catalog";
    const KEEPS_TO_PROJECT: bool = true;
    const SINCE: OctopusVersion = llms_txt::SINCE;

    type Output = CatalogMatches;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let search = self.search();
        let grep = search.start(cx).await?;
        let grep =
            text_search::search_chunks(grep, [cx.session.llms_txt().await?], cx.compute()).await?;
        let answer = search.answer(text_search::finish_search(grep, cx.compute()).await?);
        Ok(CatalogMatches { answer, catalog_resource_uri: RESOURCE, pattern: self.pattern })
    }
}

impl GrepLlmsTxt {
    fn search(&self) -> Search<'_> {
        Search {
            pattern: &self.pattern,
            case_insensitive: self.case_insensitive,
            invert_match: self.invert_match,
            fixed_string: self.fixed_string,
            before_context: self.before_context,
            after_context: self.after_context,
            max_count: self.max_count,
            offset: self.offset,
            strip_prefixes: None,
        }
    }
}
