//! Resources: documents under `octopus://`, which answers name and clients read.
//!
//! A resource is a type, as a tool is: its fields are the variables of its address, its doc
//! comment is its description, and reading the value is reading the resource. One catalog serves
//! `resources/read` and the tool `read_resource`.

use std::time::Duration;

use futures::future::BoxFuture;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Asked, Context, Error, Passed, Policy,
    definition::{old_enough, parse},
    fit::fit_text,
    passed::passed_in,
    schema,
};
use crate::{audit::Bytes, octopus::OctopusVersion, text};

const SCHEME: &str = "octopus://";

/// One kind of resource, or one alone.
pub trait Resource: DeserializeOwned + JsonSchema + Send + 'static {
    /// Its name.
    const NAME: &'static str;
    /// The name for people.
    const TITLE: &'static str;
    /// Its address, with the fields of the type as variables that stand for one segment each:
    /// `octopus://spaces/{spaceName}/releases/{releaseId}` (RFC 6570, level 1).
    const TEMPLATE: &'static str;
    /// What the contents are.
    const MIME: &'static str = "application/json";
    /// The first version of Octopus that has it.
    const SINCE: OctopusVersion = OctopusVersion::OLDEST;

    /// Whether it keeps to the project of the request, or is of none. What does not is not there
    /// where the request fixes one.
    const KEEPS_TO_PROJECT: bool = false;

    /// How long a client may keep what it read. Most may change at any moment.
    const KEPT_FOR: Duration = Duration::ZERO;

    /// How many bytes it has, where that is known without reading it.
    fn size(_cx: &Context) -> impl Future<Output = Option<u64>> + Send {
        std::future::ready(None)
    }

    /// Reads it.
    fn read(self, cx: &Context) -> impl Future<Output = Result<Contents, Error>> + Send;
}

/// What a resource holds.
#[derive(Debug)]
pub enum Contents {
    /// A JSON document.
    Json(Value),
    /// Text, and how to look into it where it is too long to be given whole.
    Text(String, &'static str),
}

/// A [`Resource`] with its type erased.
#[derive(Debug)]
pub struct ResourceDefinition {
    /// Its name.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Its address, with variables.
    pub template: &'static str,
    /// What the contents are.
    pub mime: &'static str,
    /// The first version of Octopus that has it.
    pub since: OctopusVersion,
    /// How long a client may keep what it read.
    pub kept_for: Duration,
    keeps_to_project: bool,
    describe: fn() -> String,
    size: SizeFn,
    read: ReadFn,
}

type SizeFn = for<'a> fn(&'a Context) -> BoxFuture<'a, Option<u64>>;
type ReadFn = for<'a> fn(Map<String, Value>, &'a Context) -> BoxFuture<'a, Result<Contents, Error>>;

/// A resource that was read.
#[derive(Debug)]
pub struct Read {
    /// Its address as it was asked for.
    pub uri: String,
    /// What the contents are.
    pub mime: &'static str,
    /// How long a client may keep it.
    pub kept_for: Duration,
    /// The contents, through the door for text and within their size: a JSON document, or text.
    pub value: Value,
    /// How many invisible characters were removed.
    pub removed: usize,
    /// How many secrets were taken out.
    pub redacted: usize,
    /// How many bytes of JSON it had before it was cut, and has.
    pub bytes: Bytes,
}

impl ResourceDefinition {
    /// The record of a resource.
    pub const fn of<R: Resource>() -> Self {
        Self {
            name: R::NAME,
            title: R::TITLE,
            template: R::TEMPLATE,
            mime: R::MIME,
            since: R::SINCE,
            kept_for: R::KEPT_FOR,
            keeps_to_project: R::KEEPS_TO_PROJECT,
            size: |cx| Box::pin(R::size(cx)),
            describe: || schema::input::<R>(false).0,
            read: read_as::<R>,
        }
    }

    /// What it holds, and when to read it.
    pub fn description(&self) -> String {
        (self.describe)()
    }

    /// How many bytes it has, where that is known without reading it.
    pub async fn size(&self, cx: &Context) -> Option<u64> {
        (self.size)(cx).await
    }

    /// The names of the variables of its address.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.template.split('/').filter_map(variable)
    }

    /// Whether its address has no variables.
    pub fn is_fixed(&self) -> bool {
        !self.template.contains('{')
    }

    /// The variables of an address of this form; `None` where it is of another.
    fn variables(&self, segments: &[&str]) -> Option<Result<Map<String, Value>, Error>> {
        let template: Vec<&str> = self.template.strip_prefix(SCHEME)?.split('/').collect();
        if template.len() != segments.len() {
            return None;
        }
        let mut variables = Map::new();
        for (expected, given) in template.into_iter().zip(segments) {
            match variable(expected) {
                None if expected.eq_ignore_ascii_case(given) => {}
                None => return None,
                Some(name) => match decoded(given) {
                    Some(value) => {
                        variables.insert(name.to_owned(), Value::String(value));
                    }
                    None => return Some(Err(malformed("a part of it does not decode"))),
                },
            }
        }
        Some(Ok(variables))
    }
}

/// The name of the variable that a segment of a template is.
fn variable(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn read_as<R: Resource>(
    variables: Map<String, Value>,
    cx: &Context,
) -> BoxFuture<'_, Result<Contents, Error>> {
    Box::pin(async move {
        let resource: R = parse(variables)?;
        old_enough(R::NAME, R::SINCE, cx).await?;
        resource.read(cx).await
    })
}

/// One segment, decoded once. Escapes that are none, empty segments, control characters and text
/// that is not UTF-8 are refused.
fn decoded(segment: &str) -> Option<String> {
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

fn malformed(why: &str) -> Error {
    Error::Argument { field: "uri".to_owned(), reason: format!("this is no octopus:// URI: {why}") }
}

/// How long a URI can be.
const LONGEST: usize = 2048;

/// The segments of an address.
fn segments(uri: &str) -> Result<Vec<&str>, Error> {
    if uri.len() > LONGEST {
        return Err(malformed("it is too long"));
    }
    let scheme = uri.get(..SCHEME.len()).filter(|start| start.eq_ignore_ascii_case(SCHEME));
    let Some(path) = scheme.and_then(|_| uri.get(SCHEME.len()..)) else {
        return Err(malformed("it begins otherwise"));
    };
    if path.contains(['?', '#']) {
        return Err(malformed("it has a query or a fragment"));
    }
    Ok(path.split('/').collect())
}

/// The name of the resource that a policy shows at an address; `None` where it shows none.
pub fn resource_kind(uri: &str, policy: &Policy) -> Option<&'static str> {
    let segments = segments(uri).ok()?;
    let mut shown = shown(policy).map(|(_, definition)| definition);
    shown.find(|definition| definition.variables(&segments).is_some()).map(|found| found.name)
}

/// Reads a resource that the policy shows, within this many bytes of JSON. `can_ask_for`: how many
/// the caller can ask for, where it can.
pub async fn read(
    uri: &str,
    limit: usize,
    can_ask_for: Option<usize>,
    cx: &Context,
) -> Result<Read, Error> {
    let segments = segments(uri)?;
    let (toolset, definition, variables) = shown(&cx.policy)
        .find_map(|(toolset, kind)| Some((toolset, kind, kind.variables(&segments)?)))
        .ok_or_else(|| Error::NoResource { uri: uri.to_owned() })?;
    let mut cx = cx.clone();
    cx.asked = Asked { tool: "read_resource", toolset };
    let contents = (definition.read)(variables?, &cx).await;
    cx.trail.read(&cx);
    cx.judge_read().await?;
    let contents = contents?;
    let size = if let Contents::Text(text, _) = &contents { text.len() } else { 0 };
    let Passed { value, removed, redacted, bytes } = match contents {
        Contents::Json(value) => passed_in(cx.compute(), value, limit, can_ask_for).await?,
        Contents::Text(text, how) => {
            let work = move || {
                let passed = text::door(&text);
                let before = passed.text.len();
                let value = fit_text(&passed.text, limit, how);
                let bytes = Bytes { before, after: value.len() };
                let value = Value::String(value);
                Passed { value, removed: passed.removed, redacted: passed.redacted, bytes }
            };
            cx.compute().run_sized(size, work).await?
        }
    };
    let (mime, kept_for) = (definition.mime, definition.kept_for);
    Ok(Read { uri: uri.to_owned(), mime, kept_for, value, removed, redacted, bytes })
}

/// The resources that a request sees, with their toolsets.
pub(super) fn shown(
    policy: &Policy,
) -> impl Iterator<Item = (&'static str, &'static ResourceDefinition)> + '_ {
    policy
        .catalog()
        .iter()
        .filter(|toolset| policy.shows_resources(toolset.name))
        .flat_map(|toolset| toolset.resources.iter().map(|resource| (toolset.name, resource)))
        .filter(|(_, resource)| resource.keeps_to_project || !policy.fixed().project)
}

impl Policy {
    /// The resources that a request sees.
    pub fn resources(&self) -> impl Iterator<Item = &'static ResourceDefinition> + '_ {
        shown(self).map(|(_, resource)| resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_decode_once_or_not_at_all() {
        assert_eq!(decoded("a%20b").as_deref(), Some("a b"));
        assert_eq!(decoded("refs%2Fheads%2Fmain").as_deref(), Some("refs/heads/main"));
        assert_eq!(decoded("%252F").as_deref(), Some("%2F"));
        for wrong in ["", "%", "%2", "%zz", "a%00b", "%ff", "%0a"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }
}
