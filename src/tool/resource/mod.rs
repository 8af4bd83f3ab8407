//! Resources: documents with `octopus://` URIs. Answers link to them, and clients read them.
//!
//! A resource is a type, like a tool: its fields are the variables of its URI template, and its doc
//! comment is its description. `resources/read` and
//! the tool `read_resource` share one catalog.

mod policy;
mod read;

use std::time::Duration;

use futures::future::BoxFuture;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::read::{read_resource, resource_name, visible_resources};
use super::{
    Contents, Context, Error, ResourceDefinition,
    invocation::{ensure_version, parse_arguments},
    schema,
};
use crate::octopus::OctopusVersion;

/// Scheme and authority of the URIs.
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
    /// First version of Octopus that supports the resource.
    const SINCE: OctopusVersion = OctopusVersion::MIN_SUPPORTED;

    /// Whether the resource is available when the project is pinned (default false). Such a
    /// resource must check the project itself, or contain no data of projects.
    const KEEPS_TO_PROJECT: bool = false;

    /// Time for which a client may cache the contents (default 0, because most resources can change
    /// at any time).
    const KEPT_FOR: Duration = Duration::ZERO;

    /// Returns the size in bytes, if it is known without reading the resource.
    fn size(_cx: &Context) -> impl Future<Output = Option<u64>> + Send {
        std::future::ready(None)
    }

    /// Reads the resource.
    fn read(self, cx: &Context) -> impl Future<Output = Result<Contents, Error>> + Send;
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

    /// Returns the description: the contents, and when to read them.
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
    pub(super) fn variables(&self, segments: &[&str]) -> Option<Result<Map<String, Value>, Error>> {
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
    let is_escaped = |index: usize| {
        bytes.get(index + 1..index + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    if segment.is_empty() || escapes.map(|(index, _)| index).any(|index| !is_escaped(index)) {
        return None;
    }
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.chars().any(char::is_control)).then(|| text.into_owned())
}

pub(super) fn uri_error(reason: &str) -> Error {
    Error::Argument { field: "uri".to_owned(), reason: format!("invalid octopus:// URI: {reason}") }
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
