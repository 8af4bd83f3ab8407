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
    ResourcePage, audit_record, resource_pages, response,
    version::{instance_version, is_new_enough},
};
use crate::{
    octopus::{AccessSet, AccessedResource, PageRange, ResourceKind, spaces},
    sanitize::sanitize,
    text,
    tool::{self, AuditGuard, Context, Error, ResourceDefinition},
};

/// Maximum size of a listed space name or ID, in bytes. The limits of Octopus are lower.
const MAX_NAME_BYTES: usize = 200;

/// Returns the resources that the caller can see, that the instance supports and that no policy
/// rule denies in all places.
async fn visible_resources(cx: &Context) -> impl Iterator<Item = &'static ResourceDefinition> + '_ {
    let version = instance_version(cx).await;
    let nowhere = AccessSet::default();
    cx.visible_resources()
        .filter(move |resource| is_new_enough(resource.since, version))
        .filter(move |resource| cx.may_read(resource.template, &nowhere))
}

/// Returns a page of the resources with a fixed URI: the static resources on the first page, then
/// the spaces that the caller can see. Each page takes one request to Octopus.
///
/// If Octopus fails, the first page has no spaces, and later pages return the error.
pub(super) async fn list(skip: u32, cx: &Context) -> Result<ResourcePage, Error> {
    let mut resources = if skip == 0 { static_resources(cx).await } else { Vec::new() };
    let spaces = spaces_page(skip, cx).await;
    let (spaces, next) = match spaces {
        // A first page without spaces is more useful than an error. A later page without spaces
        // would look like the last page.
        Err(_) if skip == 0 => (Vec::new(), None),
        spaces => spaces?,
    };
    resources.extend(spaces.into_iter().filter_map(|space| space_resource(&space, cx)));
    Ok(ResourcePage { resources, next })
}

/// Returns the resources whose URI has no variables.
async fn static_resources(cx: &Context) -> Vec<Resource> {
    let mut resources = Vec::new();
    for definition in visible_resources(cx).await.filter(|definition| definition.is_fixed()) {
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
fn space_resource(space: &AccessedResource, cx: &Context) -> Option<Resource> {
    if space.id.len() > MAX_NAME_BYTES {
        return None;
    }
    let name = space.name.as_deref().unwrap_or(&space.id);
    let sanitized = sanitize(name);
    let shown = text::truncate::head(&sanitized.text, MAX_NAME_BYTES);
    // A name that the sanitizer changes cannot be used in a URI, so the ID replaces it.
    let named = if shown == name { name } else { &space.id };
    let uri = tool::resource_uri(["spaces", named]);
    if !cx
        .may_read(&uri, &AccessSet::default().with_resources(ResourceKind::Space, [space.clone()]))
    {
        return None;
    }
    let mut resource = Resource::new(uri, shown)
        .with_title(format!("Space {shown}"))
        .with_mime_type("application/json");
    resource.meta = Some(response::content_label(sanitized.removed, sanitized.redactions));
    Some(resource)
}

/// Returns a page of the spaces that the caller can use, and the cursor of the next page.
async fn spaces_page(
    skip: u32,
    cx: &Context,
) -> Result<(Vec<AccessedResource>, Option<String>), Error> {
    if cx.pinned_project().is_some() || (cx.pinned_space.is_some() && skip > 0) {
        return Ok((Vec::new(), None));
    }
    if cx.pinned_space.is_some() {
        let mut access_set = AccessSet::default();
        cx.resolve_space(None).await?.record_access(&mut access_set);
        return Ok((access_set.resources(ResourceKind::Space).to_vec(), None));
    }
    let page = spaces::list(&cx.session, None, PageRange { skip, take: resource_pages::PAGE_SIZE })
        .await?;
    let (spaces, next) = resource_pages::paginate(page.items, page.total_results, skip);
    let is_granted = |space: &spaces::SpaceResource| {
        cx.grants_space(&[
            Some(space.name.as_str()),
            space.slug.as_deref(),
            Some(space.id.as_str()),
        ])
    };
    let granted = spaces.into_iter().filter(is_granted);
    let to_resource = |space: spaces::SpaceResource| AccessedResource {
        id: space.id.into_string(),
        name: Some(space.name),
        slug: space.slug,
        ..AccessedResource::default()
    };
    Ok((granted.map(to_resource).collect(), next))
}

/// Returns the resource templates: resources whose URI has variables.
pub(super) async fn templates(cx: &Context) -> Vec<ResourceTemplate> {
    visible_resources(cx)
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
    record_guard: AuditGuard,
) -> Result<ReadResourceResponse, ErrorData> {
    // Only the kind is recorded, because a URI contains names of spaces and projects.
    let resource = tool::resource_name(uri, cx.toolsets, &cx.access).unwrap_or("unknown");
    record_guard.scope().update(|record| record.resource = Some(resource.to_owned()));
    let caller = &cx.caller.name;
    let started = Instant::now();
    let read = tool::read_resource(uri, cx.limits.answer_cap, None, cx).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let read = match read {
        Ok(read) => read,
        Err(error) => {
            audit_record::end_failed(record_guard, &error);
            let text = response::log_text(&error);
            if error.is_fault() {
                tracing::warn!(resource, caller, elapsed_ms, error = %text, "resource read failed");
            } else {
                tracing::info!(resource, caller, elapsed_ms, error = %text, "resource read rejected");
            }
            return Err(response::resource_error(&error, uri, &cx.access));
        }
    };
    record_guard.finish(|record| {
        audit_record::mark_done(record);
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
        .with_meta(response::content_label(read.removed, read.redacted));
    let kept_for = u64::try_from(read.cache_ttl.as_millis()).unwrap_or(0);
    Ok(ReadResourceResult::new(vec![contents])
        .with_ttl_ms(kept_for)
        .with_cache_scope(CacheScope::Private)
        .into())
}
