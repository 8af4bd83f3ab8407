//! `resources/list`, `resources/templates/list` and `resources/read`.

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
    Page, answer, audited, pages,
    version::{is_new_enough, version},
};
use crate::{
    octopus::{Kind, Thing, Touches, Window, spaces},
    text,
    tool::{self, Context, Error, Open, ResourceDefinition},
};

/// Maximum size of a listed space name or ID, in bytes. The limits of Octopus are lower.
const LONGEST_NAME: usize = 200;

/// Returns the resources that the caller can see, that the instance supports and that no policy
/// rule denies in all places.
async fn shown(cx: &Context) -> impl Iterator<Item = &'static ResourceDefinition> + '_ {
    let version = version(cx).await;
    let nowhere = Touches::default();
    cx.policy
        .resources()
        .filter(move |resource| is_new_enough(resource.since, version))
        .filter(move |resource| cx.offers(resource.template, &nowhere))
}

/// Returns a page of the resources with a fixed URI: the static resources on the first page, then
/// the spaces that the caller can see. Each page takes one request to Octopus.
///
/// If Octopus fails, the first page has no spaces, and later pages return the error.
pub(super) async fn list(skip: u32, cx: &Context) -> Result<Page, Error> {
    let mut resources = if skip == 0 { fixed(cx).await } else { Vec::new() };
    let spaces = spaces(skip, cx).await;
    let (spaces, next) = match spaces {
        // A first page without spaces is more useful than an error. A later page without spaces
        // would look like the last page.
        Err(_) if skip == 0 => (Vec::new(), None),
        spaces => spaces?,
    };
    resources.extend(spaces.into_iter().filter_map(|space| listed(&space, cx)));
    Ok(Page { resources, next })
}

/// Returns the resources whose URI has no variables.
async fn fixed(cx: &Context) -> Vec<Resource> {
    let mut resources = Vec::new();
    for definition in shown(cx).await.filter(|definition| definition.is_fixed()) {
        let mut resource = Resource::new(definition.template, definition.name)
            .with_title(definition.title)
            .with_description(definition.description())
            .with_mime_type(definition.mime);
        resource.size = definition.size(cx).await;
        resources.push(resource);
    }
    resources
}

/// Converts a space to a resource, or returns `None` if the policy denies reading it.
fn listed(space: &Thing, cx: &Context) -> Option<Resource> {
    if space.id.len() > LONGEST_NAME {
        return None;
    }
    let name = space.name.as_deref().unwrap_or(&space.id);
    let passed = text::door(name);
    let shown = text::cut::head(&passed.text, LONGEST_NAME);
    // A name that the sanitizer changes cannot be used in a URI, so the ID replaces it.
    let named = if shown == name { name } else { &space.id };
    let uri = tool::uri(["spaces", named]);
    if !cx.offers(&uri, &Touches::default().with(Kind::Space, [space.clone()])) {
        return None;
    }
    let mut resource = Resource::new(uri, shown)
        .with_title(format!("Space {shown}"))
        .with_mime_type("application/json");
    resource.meta = Some(answer::label(passed.removed, passed.redacted));
    Some(resource)
}

/// Returns a page of the spaces that the caller can use, and the cursor of the next page.
async fn spaces(skip: u32, cx: &Context) -> Result<(Vec<Thing>, Option<String>), Error> {
    if cx.fixed_project().is_some() || (cx.fixed_space.is_some() && skip > 0) {
        return Ok((Vec::new(), None));
    }
    if cx.fixed_space.is_some() {
        let mut touches = Touches::default();
        cx.space(None).await?.touches(&mut touches);
        return Ok((touches.of(Kind::Space).to_vec(), None));
    }
    let page = spaces::list(&cx.session, None, Window { skip, take: pages::SIZE }).await?;
    let (spaces, next) = pages::cut(page.items, page.total_results, skip);
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
    Ok((granted.map(thing).collect(), next))
}

/// Returns the resource templates: resources whose URI has variables.
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

/// Reads a resource, logs the outcome and ends the audit record.
pub(super) async fn read(
    uri: &str,
    cx: &Context,
    open: Open,
) -> Result<ReadResourceResponse, ErrorData> {
    // Only the kind is recorded, because a URI contains names of spaces and projects.
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
            let text = answer::logged(&error);
            if error.is_fault() {
                tracing::warn!(resource, caller, elapsed_ms, error = %text, "resource read failed");
            } else {
                tracing::info!(resource, caller, elapsed_ms, error = %text, "resource read rejected");
            }
            return Err(answer::unread(&error, uri, &cx.policy));
        }
    };
    open.end(|record| {
        audited::answered(record);
        (record.bytes, record.removed, record.redacted) =
            (Some(read.bytes), read.removed, read.redacted);
    });
    tracing::info!(
        resource,
        caller,
        elapsed_ms,
        redacted = read.redacted,
        "resource read completed"
    );
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
