//! `grep_llms_txt`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{OctopusVersion, llms_txt},
    tool::{Context, Error, Tool},
    toolsets::search::{self, Answer, Search},
};

/// Search the catalog of Octopus's REST API, with the options of grep: a line for each endpoint,
/// with method, path and query, below headings like ### Releases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GrepLlmsTxt {
    /// A regular expression, like POST .*/releases.
    pattern: String,
    /// grep -i.
    case_insensitive: Option<bool>,
    /// grep -v.
    invert_match: Option<bool>,
    /// grep -F.
    fixed_string: Option<bool>,
    /// grep -B.
    #[schemars(range(max = 50))]
    before_context: Option<u32>,
    /// grep -A.
    #[schemars(range(max = 50))]
    after_context: Option<u32>,
    /// grep -m; 100.
    #[schemars(range(min = 1, max = 500))]
    max_count: Option<u32>,
    /// Matches to skip.
    offset: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CatalogMatches {
    pattern: String,
    #[serde(flatten)]
    answer: Answer,
    catalog_resource_uri: &'static str,
}

/// The address of the whole catalog as a resource.
const RESOURCE: &str = "octopus://api/llms.txt";

impl Tool for GrepLlmsTxt {
    const NAME: &'static str = "grep_llms_txt";
    const TITLE: &'static str = "Search the API catalog";
    const KEEPS_TO_PROJECT: bool = true;
    const SINCE: OctopusVersion = llms_txt::SINCE;

    type Output = CatalogMatches;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let search = self.search();
        let grep = search.begin(cx).await?;
        let grep = search::push(grep, [cx.session.llms_txt().await?], cx.compute()).await?;
        let answer = search.answer(search::finish(grep, cx.compute()).await?);
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
