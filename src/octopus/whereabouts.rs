//! Completes what is known of the things that a call touches, with few requests.

use super::{
    Error, Named, Path, Session, Space,
    environments::Environment,
    project_groups::ProjectGroup,
    projects::Project,
    tenants::Tenant,
    touches::{self, Kind, Thing, Touches},
};

/// How many things between are read for one call.
const LOOK_UPS: usize = 12;

/// What of the things a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Their IDs and names, and tags.
    Names,
    /// And the names of the groups of projects.
    Groups,
}

/// Reads what is between, such as the deployment of a task, until it is known where it belongs.
/// What cannot be read leaves it unsure. A task whose targets are not read counts as one that names
/// none.
pub async fn follow(session: &Session, touches: &mut Touches) -> Result<(), Error> {
    for _ in 0..LOOK_UPS {
        let Some(id) = touches.next() else { return Ok(()) };
        let Some(place) = touches::place(&id) else { return Ok(()) };
        let space = touches.of(Kind::Space).first().map(|space| space.id.clone());
        let path = Path::new(space).then([place, &id]);
        // What the session writes down of its own is what the caller asked for, not this.
        match session.unrecorded().get::<serde_json::Value>(&path).await {
            Ok(serde_json::Value::Object(document)) => touches.add_document(&document),
            Ok(_) | Err(Error::NotFound { .. } | Error::Forbidden { .. }) => {
                *touches = std::mem::take(touches).unsure(ALL);
                if TARGETS.contains(&place) {
                    touches.add_unnamed([Kind::Environment, Kind::Tenant]);
                }
            }
            Err(error) => return Err(error),
        }
        touches.done(&id);
    }
    if touches.is_open() {
        touches.add_unnamed(ALL);
    }
    Ok(())
}

const ALL: [Kind; 3] = [Kind::Project, Kind::Environment, Kind::Tenant];
/// Collections whose documents say which environments and tenants a task works on.
const TARGETS: [&str; 3] = ["deployments", "runbookRuns", "machines"];

/// Looks up names, slugs and tags of the things of which IDs are known alone. What the caller may
/// not see stays as it is.
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
    /// Writes down that this space is touched.
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
