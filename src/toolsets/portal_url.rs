//! What the two tools share that are given an address of the web portal.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{Id, Instance, Space, portal_url::PortalUrl, spaces},
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
    /// The instance that it leads to, where it is another than the one that was asked: IDs and
    /// resourceUris are of that one. Connect to /mcp/i/ and its name to follow them.
    other_instance: Option<String>,
}

impl UrlInfo {
    pub(super) fn of(
        url: &str,
        space: &Id<spaces::Space>,
        resource_type: Option<&'static str>,
        [from, to]: [&Context; 2],
    ) -> Self {
        let (from, to) = (&from.instance.name, &to.instance.name);
        Self {
            other_instance: (from != to).then(|| to.clone()),
            original_url: url.trim().to_owned(),
            extracted_space_id: space.to_string(),
            resource_type,
            extracted_task_id: None,
            extracted_deployment_id: None,
        }
    }
}

/// Reads an address, and gives the context of the instance that it leads to. Another one than the
/// request's is reached only where the request did not fix one, and with a credential that the
/// caller has there: what they sent is for the request's own.
pub(super) async fn open(
    url: &str,
    tool: &'static str,
    cx: &Context,
) -> Result<(PortalUrl, Context), Error> {
    let refuse = |reason: String| Error::Argument { field: "url".to_owned(), reason };
    let depth = |instance: &Arc<Instance>| instance.client.url().path().trim_matches('/').len();
    let is_own = |instance: &Arc<Instance>| instance.name == cx.instance.name;
    // Of several below one host, the one with the longest virtual directory.
    let led = cx.reach.seen().filter(|one| PortalUrl::leads_to(url, one.client.url()));
    let led = led.max_by_key(|one| (depth(one), is_own(one)));
    let Some(other) = led.filter(|one| !is_own(one)) else {
        let parsed = PortalUrl::parse(url, cx.session.client().url()).map_err(refuse)?;
        return Ok((parsed, cx.clone()));
    };
    let parsed = PortalUrl::parse(url, other.client.url()).map_err(refuse)?;
    let name = &other.name;
    let elsewhere = |why: &str| {
        refuse(format!("it leads to the instance '{name}', {why}; connect to /mcp/i/{name} for it"))
    };
    if cx.policy.fixed().instance {
        return Err(elsewhere(&format!("and this request is held to '{}'", cx.instance.name)));
    }
    let there = match cx.elsewhere(other).await {
        Ok(there) => there,
        Err(Error::Credential(_)) => {
            return Err(elsewhere("and what you send is never sent to another than your own"));
        }
        Err(error) => return Err(error),
    };
    match there.policy.find(tool).and_then(|(toolset, tool)| there.policy.why(toolset, tool)) {
        None => Ok((parsed, there)),
        Some(hidden) => Err(refuse(format!("it leads to the instance '{name}', where {hidden}"))),
    }
}

/// Enters the space of an address, which must be the one that the settings fix, if they fix one.
pub(super) async fn space_of(id: &Id<spaces::Space>, cx: &Context) -> Result<Space, Error> {
    if !cx.policy.fixed().space {
        return cx.space(Some(id.as_str())).await;
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
