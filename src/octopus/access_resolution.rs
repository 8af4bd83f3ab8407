//! Completes an access set: reads the owners of intermediate resources and the names of resources,
//! with few requests.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    client::{
        access_set::{AccessSet, NameDetail, ResourceKind, owner_keys::collection_of},
        error::Error,
        page::PageRange,
        path::{ApiPath, IDS_PER_REQUEST},
        session::Session,
    },
    model::{
        environments::Environment,
        project_groups::ProjectGroup,
        projects::Project,
        resource::{Id, Named},
        space::Space,
        tenants::Tenant,
    },
};

/// Maximum number of intermediate resources that are read for one call.
const MAX_LOOKUPS: usize = 12;

/// Reads the intermediate resources of the set, such as the deployment of a task, until their
/// owners are known. Deployment targets are read with one request, all others one by one. The
/// owners of unread resources count as unknown.
///
/// # Errors
///
/// The errors of Octopus, except for resources that do not exist or may not be read.
pub async fn resolve_owners(session: &Session, touches: &mut AccessSet) -> Result<(), Error> {
    // These reads are not accesses of the caller, so they are not recorded.
    let session = session.without_recording();
    for _ in 0..MAX_LOOKUPS {
        let Some(id) = touches.next_unresolved() else { return Ok(()) };
        let Some(place) = collection_of(&id) else { return Ok(()) };
        let space = touches.resources(ResourceKind::Space).first().map(|space| space.id.clone());
        let path = ApiPath::new(space);
        if place == MACHINES {
            resolve_machines(&session, path, touches).await?;
            continue;
        }
        match session.get::<Value>(&path.join([place, &id])).await {
            Ok(Value::Object(document)) => touches.add_document(&document),
            Ok(_) | Err(Error::NotFound { .. } | Error::Forbidden { .. }) => {
                mark_unreadable(&id, touches);
            }
            Err(error) => return Err(error),
        }
        touches.mark_resolved(&id);
    }
    while let Some(id) = touches.next_unresolved() {
        mark_unreadable(&id, touches);
        touches.mark_resolved(&id);
    }
    Ok(())
}

/// Collection of deployment targets.
const MACHINES: &str = "machines";

/// Reads deployment targets, at most as many as fit into one request.
async fn resolve_machines(
    session: &Session,
    path: ApiPath,
    touches: &mut AccessSet,
) -> Result<(), Error> {
    let mut wanted = touches.unresolved();
    wanted.retain(|id| collection_of(id) == Some(MACHINES));
    wanted.truncate(IDS_PER_REQUEST);
    let path = path.join([MACHINES]).query_list("ids", &wanted).query("take", wanted.len());
    let page = session.page::<Map<String, Value>>(&path, PageRange::first(wanted.len())).await;
    let found = match page {
        Ok(page) => page.items,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    for machine in &found {
        touches.add_document(machine);
    }
    let ids = found.iter().filter_map(|machine| machine.get("Id")?.as_str());
    let ids: HashSet<_> = ids.map(str::to_ascii_lowercase).collect();
    for id in wanted {
        if !ids.contains(&id.to_ascii_lowercase()) {
            mark_unreadable(&id, touches);
        }
        touches.mark_resolved(&id);
    }
    Ok(())
}

/// Marks the owners of the resource with this ID as unknown.
fn mark_unreadable(id: &str, touches: &mut AccessSet) {
    let kinds: &[ResourceKind] = if collection_of(id) == Some(MACHINES) {
        &[ResourceKind::Environment, ResourceKind::Tenant]
    } else {
        &[ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant]
    };
    let reason = format!(
        "'{id}' was not read: it was deleted, this key may not read it, or there are too many"
    );
    touches.add_unidentified(kinds.iter().copied(), reason);
}

/// Reads names, slugs and tags of the resources of which only the ID is known. Resources that the
/// caller may not see stay unchanged.
pub async fn resolve_names(
    session: &Session,
    touches: &mut AccessSet,
    about: NameDetail,
) -> Result<(), Error> {
    let session = session.without_recording();
    let Some(space) = touches.resources(ResourceKind::Space).first().map(|space| space.id.clone())
    else {
        return Ok(());
    };
    let space = match session.space(&space).await {
        Ok(space) => space,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    space.record_access(touches);
    resolve_kind::<Project>(&space, touches, ResourceKind::Project).await?;
    resolve_kind::<Environment>(&space, touches, ResourceKind::Environment).await?;
    resolve_kind::<Tenant>(&space, touches, ResourceKind::Tenant).await?;
    if about == NameDetail::NamesAndGroups {
        resolve_groups(&space, touches).await?;
    }
    Ok(())
}

async fn resolve_kind<R: Named>(
    space: &Space,
    touches: &mut AccessSet,
    kind: ResourceKind,
) -> Result<(), Error> {
    let nameless = touches.resources(kind).iter().filter(|thing| thing.name.is_none());
    let ids: Vec<_> = nameless.filter_map(|thing| Id::<R>::parse(&thing.id).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for document in space.by_ids(&ids).await?.into_values() {
        document.record_access(touches);
    }
    Ok(())
}

async fn resolve_groups(space: &Space, touches: &mut AccessSet) -> Result<(), Error> {
    let ids = touches
        .resources(ResourceKind::Project)
        .iter()
        .filter_map(|project| project.group.as_ref());
    let ids: Vec<_> = ids.filter_map(|id| Id::<ProjectGroup>::parse(id).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let groups = space.by_ids(&ids).await?;
    for project in touches.resources_mut(ResourceKind::Project) {
        let group = project.group.as_ref().and_then(|id| groups.get(id));
        project.group_name = group.map(|group| group.name.clone());
    }
    Ok(())
}
