//! The resource `runbook`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Id, document, runbooks::Runbook},
    tool::{Contents, Context, Error, Resource},
};

/// A runbook with all fields: environments, published snapshot, retention and connectivity.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RunbookResource {
    space_name: String,
    runbook_id: String,
}

impl Resource for RunbookResource {
    const NAME: &'static str = "runbook";
    const TITLE: &'static str = "Runbook";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}/runbooks/{runbookId}";

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<Runbook>::parse(&self.runbook_id)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        Ok(Contents::Json(document::read(&space, &id).await?))
    }
}
