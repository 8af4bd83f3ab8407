//! Resources: documents with `octopus://` URIs, which answers link to and clients read.
//!
//! A resource is a type, like a tool: its fields are the variables of its URI template, its doc
//! comment is its description, and reading the value is reading the resource. `resources/read` and
//! the tool `read_resource` share one catalog.

use std::time::Duration;

use futures::future::BoxFuture;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{context::policy_check::CalledTool, Context, Error, SanitizedAnswer, definition::{ensure_version, parse_arguments}, answer::{truncate::truncate_text, sanitize::sanitize_in_pool}, schema};
use crate::{access::ToolAccess, audit::ResponseBytes, octopus::OctopusVersion, sanitize::sanitize};

const SCHEME: &str = "octopus://";

/// A resource, or a family of resources with a URI template.
pub trait Resource: DeserializeOwned + JsonSchema + Send + 'static {
    /// Name.
    const NAME: &'static str;
    /// Display name.
    const TITLE: &'static str;
    /// URI template. Its variables are the fields of the type and stand for one segment each:
    /// `octopus://spaces/{spaceName}/releases/{releaseId}` (RFC 6570, level 1).
    const TEMPLATE: &'static str;
    /// Media type of the contents.
    const MIME: &'static str = "application/json";
    /// First version of Octopus that supports it.
    const SINCE: OctopusVersion = OctopusVersion::MIN_SUPPORTED;

    /// Whether it stays available when the project is pinned: it must check the project itself, or
    /// contain no data of projects.
    const KEEPS_TO_PROJECT: bool = false;

    /// How long a client may cache it. Most resources can change at any moment.
    const KEPT_FOR: Duration = Duration::ZERO;

    /// Returns the size in bytes, if it is known without reading the resource.
    fn size(_cx: &Context) -> impl Future<Output = Option<u64>> + Send {
        std::future::ready(None)
    }

    /// Reads the resource.
    fn read(self, cx: &Context) -> impl Future<Output = Result<Contents, Error>> + Send;
}

/// The contents of a resource.
#[derive(Debug)]
pub enum Contents {
    /// A JSON document.
    Json(Value),
    /// Text, and a hint how to read parts of it when it is truncated.
    Text(String, &'static str),
}

/// A [`Resource`] with its type erased.
#[derive(Debug)]
pub struct ResourceDefinition {
    /// Name.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// URI template.
    pub template: &'static str,
    /// Media type of the contents.
    pub mime: &'static str,
    /// First version of Octopus that supports it.
    pub since: OctopusVersion,
    /// How long a client may cache it.
    pub cache_ttl: Duration,
    project_scoped: bool,
    describe: fn() -> String,
    size: SizeFn,
    read: ReadFn,
}

type SizeFn = for<'a> fn(&'a Context) -> BoxFuture<'a, Option<u64>>;
type ReadFn = for<'a> fn(Map<String, Value>, &'a Context) -> BoxFuture<'a, Result<Contents, Error>>;

/// The result of reading a resource.
#[derive(Debug)]
pub struct ResourceAnswer {
    /// The URI of the request.
    pub uri: String,
    /// Media type of the contents.
    pub mime: &'static str,
    /// How long a client may cache it.
    pub cache_ttl: Duration,
    /// The sanitized and truncated contents: a JSON document or text.
    pub value: Value,
    /// Number of removed invisible characters.
    pub removed: usize,
    /// Number of redacted secrets.
    pub redacted: usize,
    /// Size as JSON in bytes, before and after it was truncated.
    pub bytes: ResponseBytes,
}

impl ResourceDefinition {
    /// Creates the definition of a resource.
    pub const fn of<R: Resource>() -> Self {
        Self {
            name: R::NAME,
            title: R::TITLE,
            template: R::TEMPLATE,
            mime: R::MIME,
            since: R::SINCE,
            cache_ttl: R::KEPT_FOR,
            project_scoped: R::KEEPS_TO_PROJECT,
            size: |cx| Box::pin(R::size(cx)),
            describe: || schema::input::<R>(false).0,
            read: read_as::<R>,
        }
    }

    /// Returns the description: what it contains, and when to read it.
    pub fn description(&self) -> String {
        (self.describe)()
    }

    /// Returns the size in bytes, if it is known without reading the resource.
    pub async fn size(&self, cx: &Context) -> Option<u64> {
        (self.size)(cx).await
    }

    /// Returns the names of the variables of the URI template.
    pub fn variable_names(&self) -> impl Iterator<Item = &'static str> {
        self.template.split('/').filter_map(template_variable)
    }

    /// Returns whether the URI has no variables.
    pub fn is_fixed(&self) -> bool {
        !self.template.contains('{')
    }

    /// Returns the variables of a URI that matches the template; `None` if it does not match.
    fn variables(&self, segments: &[&str]) -> Option<Result<Map<String, Value>, Error>> {
        let template: Vec<&str> = self.template.strip_prefix(SCHEME)?.split('/').collect();
        if template.len() != segments.len() {
            return None;
        }
        let mut variables = Map::new();
        for (expected, given) in template.into_iter().zip(segments) {
            match template_variable(expected) {
                None if expected.eq_ignore_ascii_case(given) => {}
                None => return None,
                Some(name) => match decode_segment(given) {
                    Some(value) => {
                        variables.insert(name.to_owned(), Value::String(value));
                    }
                    None => {
                        return Some(Err(uri_error(
                            "a segment is not valid percent-encoded UTF-8",
                        )));
                    }
                },
            }
        }
        Some(Ok(variables))
    }
}

/// Returns the name of the variable in a segment of a template.
fn template_variable(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn read_as<R: Resource>(
    variables: Map<String, Value>,
    cx: &Context,
) -> BoxFuture<'_, Result<Contents, Error>> {
    Box::pin(async move {
        let resource: R = parse_arguments(variables)?;
        ensure_version(R::NAME, R::SINCE, cx).await?;
        resource.read(cx).await
    })
}

/// Decodes one segment once. Rejects invalid escapes, empty segments, control characters and
/// invalid UTF-8.
fn decode_segment(segment: &str) -> Option<String> {
    let bytes = segment.as_bytes();
    let is_escaped = |place: usize| {
        bytes.get(place + 1..place + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    if segment.is_empty() || escapes.map(|(place, _)| place).any(|place| !is_escaped(place)) {
        return None;
    }
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.chars().any(char::is_control)).then(|| text.into_owned())
}

fn uri_error(why: &str) -> Error {
    Error::Argument { field: "uri".to_owned(), reason: format!("invalid octopus:// URI: {why}") }
}

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

/// Returns the name of the visible resource at a URI; `None` if there is none.
pub fn resource_name(uri: &str, policy: &ToolAccess) -> Option<&'static str> {
    let segments = split_uri(uri).ok()?;
    let mut shown = visible_resources(policy).map(|(_, definition)| definition);
    shown.find(|definition| definition.variables(&segments).is_some()).map(|found| found.name)
}

/// Reads a visible resource, truncated to `limit` bytes of JSON. `can_ask_for` is the largest limit
/// that the caller can request, if any.
pub async fn read_resource(
    uri: &str,
    limit: usize,
    can_ask_for: Option<usize>,
    cx: &Context,
) -> Result<ResourceAnswer, Error> {
    let segments = split_uri(uri)?;
    let (toolset, definition, variables) = visible_resources(&cx.access)
        .find_map(|(toolset, kind)| Some((toolset, kind, kind.variables(&segments)?)))
        .ok_or_else(|| Error::ResourceNotFound { uri: uri.to_owned() })?;
    let mut cx = cx.clone();
    cx.called_tool = CalledTool { name: "read_resource", toolset };
    let contents = (definition.read)(variables?, &cx).await;
    cx.audit.record_read_access(&cx);
    cx.check_read_policy().await?;
    let contents = contents?;
    let size = if let Contents::Text(text, _) = &contents { text.len() } else { 0 };
    let SanitizedAnswer { value, removed, redacted, bytes } = match contents {
        Contents::Json(value) => sanitize_in_pool(cx.compute(), value, limit, can_ask_for).await?,
        Contents::Text(text, how) => {
            let work = move || {
                let passed = sanitize(&text);
                let before = passed.text.len();
                let value = truncate_text(&passed.text, limit, how);
                let bytes = ResponseBytes { before, after: value.len() };
                let value = Value::String(value);
                SanitizedAnswer {
                    value,
                    removed: passed.removed,
                    redacted: passed.redactions,
                    bytes,
                }
            };
            cx.compute().run_sized(size, work).await?
        }
    };
    let (mime, kept_for) = (definition.mime, definition.cache_ttl);
    Ok(ResourceAnswer {
        uri: uri.to_owned(),
        mime,
        cache_ttl: kept_for,
        value,
        removed,
        redacted,
        bytes,
    })
}

/// Returns the visible resources with their toolsets.
pub(super) fn visible_resources(
    policy: &ToolAccess,
) -> impl Iterator<Item = (&'static str, &'static ResourceDefinition)> + '_ {
    policy
        .catalog()
        .iter()
        .filter(|toolset| policy.shows_resources(toolset.name))
        .flat_map(|toolset| toolset.resources.iter().map(|resource| (toolset.name, resource)))
        .filter(|(_, resource)| resource.project_scoped || !policy.pinned().project)
}

impl ToolAccess {
    /// Returns the visible resources.
    pub fn visible_resources(&self) -> impl Iterator<Item = &'static ResourceDefinition> + '_ {
        visible_resources(self).map(|(_, resource)| resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_segments_exactly_once() {
        assert_eq!(decode_segment("a%20b").as_deref(), Some("a b"));
        assert_eq!(decode_segment("refs%2Fheads%2Fmain").as_deref(), Some("refs/heads/main"));
        assert_eq!(decode_segment("%252F").as_deref(), Some("%2F"));
        for wrong in ["", "%", "%2", "%zz", "a%00b", "%ff", "%0a"] {
            assert_eq!(decode_segment(wrong), None, "{wrong}");
        }
    }
}
