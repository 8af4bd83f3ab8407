//! Resources in the words of the protocol.

use std::time::Instant;

use rmcp::{
    ErrorData,
    model::{
        CacheScope, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
        ResourceTemplate,
    },
};
use serde_json::Value;

use super::{
    answer,
    version::{is_new_enough, version},
};
use crate::{
    octopus::{Window, spaces},
    tool::{self, Context, ResourceDefinition},
};

/// How many spaces are listed.
const SPACES: u32 = 100;

/// The resources that the caller sees and the instance is new enough for.
async fn shown(cx: &Context) -> impl Iterator<Item = &'static ResourceDefinition> + '_ {
    let version = version(cx).await;
    cx.policy.resources().filter(move |resource| is_new_enough(resource.since, version))
}

/// The resources with an address of their own: those that are alone of their kind, and the spaces
/// that the caller sees.
pub(super) async fn list(cx: &Context) -> Vec<Resource> {
    let mut resources = Vec::new();
    for definition in shown(cx).await.filter(|definition| definition.is_fixed()) {
        let mut resource = Resource::new(definition.template, definition.name)
            .with_title(definition.title)
            .with_description(definition.description())
            .with_mime_type(definition.mime);
        resource.size = definition.size(cx).await;
        resources.push(resource);
    }
    for space in space_names(cx).await {
        let uri = tool::uri(["spaces", &space]);
        let resource = Resource::new(uri, space.clone()).with_title(format!("Space {space}"));
        resources.push(resource.with_mime_type("application/json"));
    }
    resources
}

/// The spaces that the caller can work in. A list without them is of more use than an error.
async fn space_names(cx: &Context) -> Vec<String> {
    if cx.fixed_space.is_some() {
        let space = cx.space(None).await;
        return space.map(|space| space.name().to_owned()).into_iter().collect();
    }
    let spaces = spaces::list(&cx.session, None, Window { skip: 0, take: SPACES }).await;
    let spaces = spaces.map(|page| page.items).unwrap_or_default();
    spaces.into_iter().map(|space| space.name).collect()
}

/// The forms of addresses with variables.
pub(super) async fn templates(cx: &Context) -> Vec<ResourceTemplate> {
    shown(cx)
        .await
        .filter(|definition| !definition.is_fixed())
        .map(|definition| {
            ResourceTemplate::new(definition.template, definition.name)
                .with_title(definition.title)
                .with_description(definition.description())
                .with_mime_type(definition.mime)
        })
        .collect()
}

/// Reads a resource.
pub(super) async fn read(uri: &str, cx: &Context) -> Result<ReadResourceResponse, ErrorData> {
    // The kind alone: an address holds names that people gave.
    let resource = tool::resource_kind(uri, &cx.policy).unwrap_or("unknown");
    let caller = &cx.caller.name;
    let started = Instant::now();
    let read = tool::read(uri, cx.limits.answer_cap, None, cx).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let read = read.map_err(|error| {
        let said = answer::logged(&error);
        if error.is_fault() {
            tracing::warn!(resource, caller, elapsed_ms, error = %said, "read failed");
        } else {
            tracing::info!(resource, caller, elapsed_ms, error = %said, "read refused");
        }
        answer::unread(&error, uri, &cx.policy)
    })?;
    tracing::info!(resource, caller, elapsed_ms, redacted = read.redacted, "read");
    let text = match read.value {
        Value::String(text) => text,
        value => value.to_string(),
    };
    let contents = ResourceContents::text(text, read.uri)
        .with_mime_type(read.mime)
        .with_meta(answer::label(read.removed, read.redacted));
    let kept_for = u64::try_from(read.kept_for.as_millis()).unwrap_or(0);
    Ok(ReadResourceResult::new(vec![contents])
        .with_ttl_ms(kept_for)
        .with_cache_scope(CacheScope::Private)
        .into())
}
