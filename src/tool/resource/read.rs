//! Finds and reads the resource at a URI.

use serde_json::Value;

use super::{SCHEME, uri_error};
use crate::{
    access::ToolAccess,
    audit::ResponseBytes,
    sanitize::sanitize,
    tool::{
        CalledTool, Contents, Context, Error, ResourceAnswer, ResourceDefinition, SanitizedAnswer,
        Toolset,
        answer::{sanitize::sanitize_in_pool, truncate::truncate_text},
    },
};

/// Maximum length of a URI in bytes.
const MAX_URI_BYTES: usize = 2048;

/// Splits a URI into segments.
fn split_uri(uri: &str) -> Result<Vec<&str>, Error> {
    if uri.len() > MAX_URI_BYTES {
        return Err(uri_error("it is longer than 2048 bytes"));
    }
    let scheme = uri.get(..SCHEME.len()).filter(|start| start.eq_ignore_ascii_case(SCHEME));
    let Some(path) = scheme.and_then(|_| uri.get(SCHEME.len()..)) else {
        return Err(uri_error("it does not start with octopus://"));
    };
    if path.contains(['?', '#']) {
        return Err(uri_error("it has a query or a fragment"));
    }
    Ok(path.split('/').collect())
}

/// Returns the name of the visible resource at a URI; `None` if no visible resource matches.
pub fn resource_name(
    uri: &str,
    toolsets: &'static [Toolset],
    access: &ToolAccess,
) -> Option<&'static str> {
    let segments = split_uri(uri).ok()?;
    let mut visible = visible_resources(toolsets, access).map(|(_, definition)| definition);
    visible.find(|definition| definition.variables(&segments).is_some()).map(|found| found.name)
}

/// Reads a visible resource, truncated to `limit` bytes of JSON. `max_limit` is the largest limit
/// that the caller can request, if any.
pub async fn read_resource(
    uri: &str,
    limit: usize,
    max_limit: Option<usize>,
    cx: &Context,
) -> Result<ResourceAnswer, Error> {
    let segments = split_uri(uri)?;
    let (toolset, definition, variables) = visible_resources(cx.toolsets, &cx.access)
        .find_map(|(toolset, kind)| Some((toolset, kind, kind.variables(&segments)?)))
        .ok_or_else(|| Error::ResourceNotFound { uri: uri.to_owned() })?;
    let mut cx = cx.clone();
    cx.called_tool = CalledTool { name: "read_resource", toolset };
    let contents = (definition.read)(variables?, &cx).await;
    cx.record_read_access();
    cx.check_read_policy().await?;
    let contents = contents?;
    let size = if let Contents::Text(text, _) = &contents { text.len() } else { 0 };
    let SanitizedAnswer { value, removed, redacted, bytes } = match contents {
        Contents::Json(value) => {
            sanitize_in_pool(cx.compute(), value, limit, max_limit, None).await?
        }
        Contents::Text(text, how) => {
            let work = move || {
                let sanitized = sanitize(&text);
                let before = sanitized.text.len();
                let value = truncate_text(&sanitized.text, limit, how);
                let bytes = ResponseBytes { before, after: value.len() };
                let value = Value::String(value);
                SanitizedAnswer {
                    value,
                    removed: sanitized.removed,
                    redacted: sanitized.redactions,
                    bytes,
                }
            };
            cx.compute().run_sized(size, work).await?
        }
    };
    Ok(ResourceAnswer {
        uri: uri.to_owned(),
        mime: definition.mime,
        cache_ttl: definition.cache_ttl,
        value,
        removed,
        redacted,
        bytes,
    })
}

/// Returns the visible resources of these toolsets, each with the name of its toolset.
pub fn visible_resources(
    toolsets: &'static [Toolset],
    access: &ToolAccess,
) -> impl Iterator<Item = (&'static str, &'static ResourceDefinition)> {
    toolsets
        .iter()
        .filter(|toolset| access.shows_resources(toolset.name))
        .flat_map(|toolset| toolset.resources.iter().map(|resource| (toolset.name, resource)))
        .filter(|(_, resource)| resource.project_scoped || !access.pinned().project)
}
