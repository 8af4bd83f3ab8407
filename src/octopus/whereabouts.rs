//! Completes an access set: reads the owners of intermediate resources and the names of resources,
//! with few requests.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    Error, Named, Path, Session, Space, Window,
    environments::Environment,
    find::BATCH,
    project_groups::ProjectGroup,
    projects::Project,
    tenants::Tenant,
    touches::{self, About, Kind, Thing, Touches},
};

/// Maximum number of intermediate resources that are read for one call.
const LOOK_UPS: usize = 12;

/// Reads the intermediate resources of the set, such as the deployment of a task, until their
/// owners are known. Deployment targets are read with one request, all others one by one. The
/// owners of unread resources count as unknown.
///
/// # Errors
///
/// The errors of Octopus, except for resources that do not exist or may not be read.
pub async fn follow(session: &Session, touches: &mut Touches) -> Result<(), Error> {
    // These reads are not accesses of the caller, so they are not recorded.
    let session = session.unrecorded();
    for _ in 0..LOOK_UPS {
        let Some(id) = touches.next() else { return Ok(()) };
        let Some(place) = touches::place(&id) else { return Ok(()) };
        let space = touches.of(Kind::Space).first().map(|space| space.id.clone());
        let path = Path::new(space);
        if place == MACHINES {
            machines(&session, path, touches).await?;
            continue;
        }
        match session.get::<Value>(&path.then([place, &id])).await {
            Ok(Value::Object(document)) => touches.add_document(&document),
            Ok(_) | Err(Error::NotFound { .. } | Error::Forbidden { .. }) => unread(&id, touches),
            Err(error) => return Err(error),
        }
        touches.done(&id);
    }
    while let Some(id) = touches.next() {
        unread(&id, touches);
        touches.done(&id);
    }
    Ok(())
}

/// Collection of deployment targets.
const MACHINES: &str = "machines";

/// Reads deployment targets, at most as many as fit into one request.
async fn machines(session: &Session, path: Path, touches: &mut Touches) -> Result<(), Error> {
    let mut wanted = touches.open();
    wanted.retain(|id| touches::place(id) == Some(MACHINES));
    wanted.truncate(BATCH);
    let path = path.then([MACHINES]).with_list("ids", &wanted).with("take", wanted.len());
    let page = session.page::<Map<String, Value>>(&path, Window::first(wanted.len())).await;
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
            unread(&id, touches);
        }
        touches.done(&id);
    }
    Ok(())
}

/// Marks the owners of the resource with this ID as unknown.
fn unread(id: &str, touches: &mut Touches) {
    let kinds: &[Kind] = if touches::place(id) == Some(MACHINES) {
        &[Kind::Environment, Kind::Tenant]
    } else {
        &[Kind::Project, Kind::Environment, Kind::Tenant]
    };
    let reason = format!(
        "'{id}' was not read: it was deleted, this key may not read it, or there are too many"
    );
    touches.add_unnamed(kinds.iter().copied(), reason);
}

/// Reads names, slugs and tags of the resources of which only the ID is known. Resources that the
/// caller may not see stay unchanged.
pub async fn name(session: &Session, touches: &mut Touches, about: About) -> Result<(), Error> {
    let session = session.unrecorded();
    let Some(space) = touches.of(Kind::Space).first().map(|space| space.id.clone()) else {
        return Ok(());
    };
    let space = match session.space(&space).await {
        Ok(space) => space,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    space.touches(touches);
    of_kind::<Project>(&space, touches, Kind::Project).await?;
    of_kind::<Environment>(&space, touches, Kind::Environment).await?;
    of_kind::<Tenant>(&space, touches, Kind::Tenant).await?;
    if about == About::Groups {
        groups(&space, touches).await?;
    }
    Ok(())
}

async fn of_kind<R: Named>(space: &Space, touches: &mut Touches, kind: Kind) -> Result<(), Error> {
    let nameless = touches.of(kind).iter().filter(|thing| thing.name.is_none());
    let ids: Vec<_> = nameless.filter_map(|thing| super::Id::<R>::parse(&thing.id).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for document in space.by_ids(&ids).await?.into_values() {
        document.touches(touches);
    }
    Ok(())
}

async fn groups(space: &Space, touches: &mut Touches) -> Result<(), Error> {
    let ids = touches.of(Kind::Project).iter().filter_map(|project| project.group.as_ref());
    let ids: Vec<_> = ids.filter_map(|id| super::Id::<ProjectGroup>::parse(id).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let groups = space.by_ids(&ids).await?;
    for project in touches.of_mut(Kind::Project) {
        let group = project.group.as_ref().and_then(|id| groups.get(id));
        project.group_name = group.map(|group| group.name.clone());
    }
    Ok(())
}

impl Space {
    /// Adds this space to an access set.
    pub fn touches(&self, touches: &mut Touches) {
        let thing = Thing {
            id: self.id().to_string(),
            name: Some(self.name().to_owned()),
            slug: self.slug().map(str::to_owned),
            ..Thing::default()
        };
        touches.add(Kind::Space, thing);
    }
}
