//! Resources in the words of the protocol.

use rmcp::{
    ErrorData,
    model::{
        CacheScope, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
        ResourceTemplate,
    },
};
use serde_json::Value;

use super::answer;
use crate::{
    octopus::{Page, Path, Window, spaces::Space},
    tool::{self, Context, Policy},
};

/// How long a client may keep what it read. What is read may change at any moment.
const KEPT_FOR: u64 = 0;
/// How many spaces are listed.
const SPACES: u32 = 100;

/// The resources with an address of their own: those that are alone of their kind, and the spaces
/// that the caller sees.
pub(super) async fn list(cx: &Context) -> Vec<Resource> {
    let fixed = cx.policy.resources().filter(|resource| resource.is_fixed());
    let mut resources: Vec<Resource> = fixed
        .map(|resource| {
            Resource::new(resource.template, resource.name)
                .with_title(resource.title)
                .with_description(resource.description())
                .with_mime_type(resource.mime)
        })
        .collect();
    let path = Path::new([<Space as crate::octopus::Resource>::COLLECTION]);
    let window = Window { skip: 0, take: SPACES };
    let path = path.with("skip", window.skip).with("take", window.take);
    // A list without spaces is of more use than an error.
    let spaces = cx.session.get::<Page<Space>>(&path).await;
    for space in spaces.map(|page| page.items).unwrap_or_default() {
        let uri = tool::uri(["spaces", &space.name]);
        resources.push(Resource::new(uri, space.name).with_mime_type("application/json"));
    }
    resources
}

/// The forms of addresses with variables.
pub(super) fn templates(policy: &Policy) -> Vec<ResourceTemplate> {
    policy
        .resources()
        .filter(|resource| !resource.is_fixed())
        .map(|resource| {
            ResourceTemplate::new(resource.template, resource.name)
                .with_title(resource.title)
                .with_description(resource.description())
                .with_mime_type(resource.mime)
        })
        .collect()
}

/// Reads a resource.
pub(super) async fn read(uri: &str, cx: &Context) -> Result<ReadResourceResponse, ErrorData> {
    let read = tool::read(uri, cx.limits.answer_cap, cx)
        .await
        .map_err(|error| answer::unread(&error, uri, &cx.policy))?;
    let text = match read.value {
        Value::String(text) => text,
        value => value.to_string(),
    };
    let contents = ResourceContents::text(text, read.uri)
        .with_mime_type(read.mime)
        .with_meta(answer::label(read.removed, read.redacted));
    Ok(ReadResourceResult::new(vec![contents])
        .with_ttl_ms(KEPT_FOR)
        .with_cache_scope(CacheScope::Private)
        .into())
}
