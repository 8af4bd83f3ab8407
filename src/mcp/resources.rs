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
    answer, audited,
    version::{is_new_enough, version},
};
use crate::{
    octopus::{Kind, Thing, Touches, Window, spaces},
    text,
    tool::{self, Context, Open, ResourceDefinition},
};

/// How many spaces are listed.
const SPACES: u32 = 100;

/// The resources that the caller sees, the instance is new enough for, and no rule denies wherever
/// they are.
async fn shown(cx: &Context) -> impl Iterator<Item = &'static ResourceDefinition> + '_ {
    let version = version(cx).await;
    let nowhere = Touches::default();
    cx.policy
        .resources()
        .filter(move |resource| is_new_enough(resource.since, version))
        .filter(move |resource| cx.offers(resource.template, &nowhere))
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
    let spaces = if cx.fixed_project().is_some() { Vec::new() } else { spaces(cx).await };
    for space in spaces {
        let name = space.name.as_deref().unwrap_or(&space.id);
        let shown = text::door(name);
        // A name that cannot be shown as it is cannot stand in an address either.
        let named = if shown.text == name { name } else { &space.id };
        let uri = tool::uri(["spaces", named]);
        if !cx.offers(&uri, &Touches::default().with(Kind::Space, [space.clone()])) {
            continue;
        }
        let mut resource = Resource::new(uri, shown.text.clone().into_owned())
            .with_title(format!("Space {}", shown.text))
            .with_mime_type("application/json");
        resource.meta = Some(answer::label(shown.removed, shown.redacted));
        resources.push(resource);
    }
    resources
}

/// The spaces that the caller can work in. A list without them is of more use than an error.
async fn spaces(cx: &Context) -> Vec<Thing> {
    if cx.fixed_space.is_some() {
        let mut touches = Touches::default();
        if let Ok(space) = cx.space(None).await {
            space.touches(&mut touches);
        }
        return touches.of(Kind::Space).to_vec();
    }
    let spaces = spaces::list(&cx.session, None, Window { skip: 0, take: SPACES }).await;
    let spaces = spaces.map(|page| page.items).unwrap_or_default();
    let is_granted = |space: &spaces::Space| {
        cx.grants_space(&[
            Some(space.name.as_str()),
            space.slug.as_deref(),
            Some(space.id.as_str()),
        ])
    };
    let granted = spaces.into_iter().filter(is_granted);
    let thing = |space: spaces::Space| Thing {
        id: space.id.into_string(),
        name: Some(space.name),
        slug: space.slug,
        ..Thing::default()
    };
    granted.map(thing).collect()
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
pub(super) async fn read(
    uri: &str,
    cx: &Context,
    open: Open,
) -> Result<ReadResourceResponse, ErrorData> {
    // The kind alone: an address holds names that people gave.
    let resource = tool::resource_kind(uri, &cx.policy).unwrap_or("unknown");
    open.trail().note(|record| record.resource = Some(resource.to_owned()));
    let caller = &cx.caller.name;
    let started = Instant::now();
    let read = tool::read(uri, cx.limits.answer_cap, None, cx).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let read = match read {
        Ok(read) => read,
        Err(error) => {
            audited::failed(open, &error);
            let said = answer::logged(&error);
            if error.is_fault() {
                tracing::warn!(resource, caller, elapsed_ms, error = %said, "read failed");
            } else {
                tracing::info!(resource, caller, elapsed_ms, error = %said, "read refused");
            }
            return Err(answer::unread(&error, uri, &cx.policy));
        }
    };
    open.end(|record| {
        audited::answered(record);
        (record.bytes, record.removed, record.redacted) =
            (Some(read.bytes), read.removed, read.redacted);
    });
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
