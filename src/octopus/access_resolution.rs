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
/// owners of unread resources remain unknown.
///
/// # Errors
///
/// Returns the errors of Octopus, except for missing and unreadable resources.
pub async fn resolve_owners(session: &Session, access_set: &mut AccessSet) -> Result<(), Error> {
    // These reads are not accesses of the caller, so they are not recorded.
    let session = session.without_recording();
    for _ in 0..MAX_LOOKUPS {
        let Some(id) = access_set.next_unresolved() else { return Ok(()) };
        let Some(collection) = collection_of(&id) else { return Ok(()) };
        let space = access_set.resources(ResourceKind::Space).first().map(|space| space.id.clone());
        let path = ApiPath::new(space);
        if collection == MACHINES {
            resolve_machines(&session, path, access_set).await?;
            continue;
        }
        match session.get::<Value>(&path.join([collection, &id])).await {
            Ok(Value::Object(document)) => access_set.add_document(&document),
            Ok(_) | Err(Error::NotFound { .. } | Error::Forbidden { .. }) => {
                mark_unreadable(&id, access_set);
            }
            Err(error) => return Err(error),
        }
        access_set.mark_resolved(&id);
    }
    while let Some(id) = access_set.next_unresolved() {
        mark_unreadable(&id, access_set);
        access_set.mark_resolved(&id);
    }
    Ok(())
}

/// Collection of deployment targets.
const MACHINES: &str = "machines";

/// Reads deployment targets, at most as many as fit into one request.
async fn resolve_machines(
    session: &Session,
    path: ApiPath,
    access_set: &mut AccessSet,
) -> Result<(), Error> {
    let mut query = access_set.unresolved();
    query.retain(|id| collection_of(id) == Some(MACHINES));
    query.truncate(IDS_PER_REQUEST);
    let path = path.join([MACHINES]).query_list("ids", &query).query("take", query.len());
    let page = session.page::<Map<String, Value>>(&path, PageRange::first(query.len())).await;
    let found = match page {
        Ok(page) => page.items,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    for machine in &found {
        access_set.add_document(machine);
    }
    let ids = found.iter().filter_map(|machine| machine.get("Id")?.as_str());
    let ids: HashSet<_> = ids.map(str::to_ascii_lowercase).collect();
    for id in query {
        if !ids.contains(&id.to_ascii_lowercase()) {
            mark_unreadable(&id, access_set);
        }
        access_set.mark_resolved(&id);
    }
    Ok(())
}

/// Marks the owners of the resource with this ID as unknown.
fn mark_unreadable(id: &str, access_set: &mut AccessSet) {
    let kinds: &[ResourceKind] = if collection_of(id) == Some(MACHINES) {
        &[ResourceKind::Environment, ResourceKind::Tenant]
    } else {
        &[ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant]
    };
    let reason = format!(
        "'{id}' was not read: it was deleted, this key may not read it, or there are too many"
    );
    access_set.add_unidentified(kinds.iter().copied(), reason);
}

/// Reads names, slugs and tags of the resources without a name. Resources that the caller cannot
/// see stay unchanged.
pub async fn resolve_names(
    session: &Session,
    access_set: &mut AccessSet,
    about: NameDetail,
) -> Result<(), Error> {
    let session = session.without_recording();
    let Some(space) =
        access_set.resources(ResourceKind::Space).first().map(|space| space.id.clone())
    else {
        return Ok(());
    };
    let space = match session.space(&space).await {
        Ok(space) => space,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    space.record_access(access_set);
    resolve_kind::<Project>(&space, access_set, ResourceKind::Project).await?;
    resolve_kind::<Environment>(&space, access_set, ResourceKind::Environment).await?;
    resolve_kind::<Tenant>(&space, access_set, ResourceKind::Tenant).await?;
    if about == NameDetail::NamesAndGroups {
        resolve_groups(&space, access_set).await?;
    }
    Ok(())
}

async fn resolve_kind<R: Named>(
    space: &Space,
    access_set: &mut AccessSet,
    kind: ResourceKind,
) -> Result<(), Error> {
    let unnamed = access_set.resources(kind).iter().filter(|resource| resource.name.is_none());
    let ids: Vec<_> = unnamed.filter_map(|resource| Id::<R>::parse(&resource.id).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for document in space.by_ids(&ids).await?.into_values() {
        document.record_access(access_set);
    }
    Ok(())
}

async fn resolve_groups(space: &Space, access_set: &mut AccessSet) -> Result<(), Error> {
    let ids = access_set
        .resources(ResourceKind::Project)
        .iter()
        .filter_map(|project| project.group.as_ref());
    let ids: Vec<_> = ids.filter_map(|id| Id::<ProjectGroup>::parse(id).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let groups = space.by_ids(&ids).await?;
    for project in access_set.resources_mut(ResourceKind::Project) {
        let group = project.group.as_ref().and_then(|id| groups.get(id));
        project.group_name = group.map(|group| group.name.clone());
    }
    Ok(())
}
