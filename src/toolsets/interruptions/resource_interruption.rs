//! The resource `interruption`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    octopus::{Id, document, interruptions::Interruption},
    tool::{Contents, Context, Error, Resource},
};

/// An interruption with all fields: its form, the values entered so far, and who may respond.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InterruptionResource {
    space_name: String,
    interruption_id: String,
}

impl Resource for InterruptionResource {
    const NAME: &'static str = "interruption";
    const TITLE: &'static str = "Interruption";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}/interruptions/{interruptionId}";

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let id = Id::<Interruption>::parse(&self.interruption_id)?;
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        Ok(Contents::Json(document::read(&space, &id).await?))
    }
}
