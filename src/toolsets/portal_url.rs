//! URLs of the Octopus web portal as arguments of `get_task_from_url` and
//! `get_deployment_from_url`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{Id, Instance, Space, portal_url::PortalUrl, spaces},
    tool::{Context, Error},
};

/// The parts of a portal URL.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlInfo {
    original_url: String,
    extracted_space_id: String,
    pub(super) extracted_task_id: Option<String>,
    pub(super) extracted_deployment_id: Option<String>,
    /// Type of the page: deployment, release, task, project or tenant.
    resource_type: Option<&'static str>,
    /// Name of the instance of the URL, if it differs from the instance of this request. IDs and
    /// resourceUri values belong to that instance; connect to /mcp/i/{name} to use them.
    other_instance: Option<String>,
}

impl UrlInfo {
    pub(super) fn new(
        url: &str,
        space: &Id<spaces::SpaceResource>,
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

/// Parses a portal URL and returns it with the context of its instance.
///
/// An instance other than that of the request is used only if the request pinned none and a
/// credential for the caller is configured there. A credential in the request is never sent to
/// another instance.
///
/// # Errors
///
/// [`Error::Argument`] for `url` if it is not a portal URL, or if its instance or `tool` there is
/// not available to the caller. [`Error::InstanceRateLimited`] and [`Error::Octopus`] if another
/// instance is over its rate limit, or if obtaining a credential for it fails.
pub(super) async fn resolve(
    url: &str,
    tool: &'static str,
    cx: &Context,
) -> Result<(PortalUrl, Context), Error> {
    let refuse = |reason: String| Error::Argument { field: "url".to_owned(), reason };
    let depth = |instance: &Arc<Instance>| instance.client.url().path().trim_matches('/').len();
    let is_own = |instance: &Arc<Instance>| instance.name == cx.instance.name;
    // Several instances can share a host; the longest virtual directory wins.
    let matching =
        cx.scope.allowed_instances().filter(|one| PortalUrl::is_at_instance(url, one.client.url()));
    let best = matching.max_by_key(|one| (depth(one), is_own(one)));
    let Some(other) = best.filter(|one| !is_own(one)) else {
        let parsed = PortalUrl::parse(url, cx.session.client().url()).map_err(refuse)?;
        return Ok((parsed, cx.clone()));
    };
    let parsed = PortalUrl::parse(url, other.client.url()).map_err(refuse)?;
    let name = &other.name;
    let unavailable = |why: &str| {
        refuse(format!("the URL belongs to instance '{name}', {why}; connect to /mcp/i/{name}"))
    };
    if cx.access.pinned().instance {
        return Err(unavailable(&format!("but this request is pinned to '{}'", cx.instance.name)));
    }
    let target = match cx.for_instance(other).await {
        Ok(target) => target,
        Err(Error::Credential(_)) => {
            return Err(unavailable(
                "and the credential of a request is never sent to another instance",
            ));
        }
        Err(error) => return Err(error),
    };
    match target
        .access
        .find(tool)
        .and_then(|(toolset, tool)| target.access.deny_reason(toolset, tool))
    {
        None => Ok((parsed, target)),
        Some(hidden) => {
            Err(refuse(format!("the URL belongs to instance '{name}', where {hidden}")))
        }
    }
}

/// Enters the space of a portal URL.
///
/// # Errors
///
/// [`Error::Argument`] for `url` if the settings or the request pin another space.
pub(super) async fn enter_space(
    id: &Id<spaces::SpaceResource>,
    cx: &Context,
) -> Result<Space, Error> {
    if !cx.access.pinned().space {
        return cx.resolve_space(Some(id.as_str())).await;
    }
    let space = cx.resolve_space(None).await?;
    if space.id() == id {
        return Ok(space);
    }
    Err(Error::Argument {
        field: "url".to_owned(),
        reason: format!("the URL belongs to {id}, but only space '{}' is available", space.name()),
    })
}
