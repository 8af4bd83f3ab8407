//! What the two tools share that are given an address of the web portal.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{Id, Space, portal_url::PortalUrl, spaces},
    tool::{Context, Error},
};

/// What was read from an address.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlInfo {
    original_url: String,
    extracted_space_id: String,
    pub(super) extracted_task_id: Option<String>,
    pub(super) extracted_deployment_id: Option<String>,
    /// What the address leads to: deployment, release, task, project or tenant.
    resource_type: Option<&'static str>,
}

impl UrlInfo {
    pub(super) fn of(
        url: &str,
        space: &Id<spaces::Space>,
        resource_type: Option<&'static str>,
    ) -> Self {
        Self {
            original_url: url.trim().to_owned(),
            extracted_space_id: space.to_string(),
            resource_type,
            extracted_task_id: None,
            extracted_deployment_id: None,
        }
    }
}

/// Reads an address of this instance; nothing is asked of Octopus.
pub(super) fn parse(url: &str, cx: &Context) -> Result<PortalUrl, Error> {
    PortalUrl::parse(url, cx.session.client().url())
        .map_err(|reason| Error::Argument { field: "url".to_owned(), reason })
}

/// Enters the space of an address, which must be the one that the settings fix, if they fix one.
pub(super) async fn space_of(id: &Id<spaces::Space>, cx: &Context) -> Result<Space, Error> {
    if cx.fixed_space.is_none() {
        return Ok(cx.session.space(id.as_str()).await?);
    }
    let space = cx.space(None).await?;
    if space.id() == id {
        return Ok(space);
    }
    Err(Error::Argument {
        field: "url".to_owned(),
        reason: format!("it leads to {id}, and this server serves '{}' alone", space.name()),
    })
}
