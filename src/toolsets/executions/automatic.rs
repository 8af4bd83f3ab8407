//! Automatic deployments of a new release: the lifecycle of its channel may deploy it on creation
//! (`octopus.com/docs/releases/lifecycles`, "Automatic deployments").

use crate::{
    octopus::{
        Error as OctopusError, Id, Kind, Named, Space, Touches, channels::Channel,
        environments::Environment, lifecycles::Lifecycle, projects::Project,
    },
    rules::Deed,
    tool::Proposal,
};

/// The automatic deployments of a new release.
#[derive(Debug)]
pub(in crate::toolsets) struct Automatic {
    /// The environments. `None` if the caller may not read the lifecycle.
    environments: Option<Vec<Environment>>,
    /// Whether it may deploy for tenants.
    tenanted: bool,
}

impl Automatic {
    /// Determines the automatic deployments of a release in any of these channels of a project.
    pub(in crate::toolsets) async fn of(
        space: &Space,
        project: &Project,
        channels: &[Channel],
    ) -> Result<Self, OctopusError> {
        let tenanted = project.tenanted_deployment_mode.as_deref() != Some("Untenanted");
        let environments = match environments(space, project, channels).await {
            Ok(environments) => environments,
            Err(OctopusError::NotFound { .. } | OctopusError::Forbidden { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self { environments, tenanted })
    }

    /// Returns the action of creating the release: running something, if it may be deployed automatically.
    pub(in crate::toolsets) fn deed(&self) -> Deed {
        let nowhere = self.environments.as_ref().is_some_and(Vec::is_empty);
        if nowhere { Deed::Release } else { Deed::Run }
    }

    /// Adds the environments of the automatic deployments to an access set.
    pub(in crate::toolsets) fn touch(&self, touches: Touches) -> Touches {
        let Some(environments) = &self.environments else {
            return touches.unsure([Kind::Environment, Kind::Tenant]);
        };
        let tenants = (self.tenanted && !environments.is_empty()).then_some(Kind::Tenant);
        let things = environments.iter().map(Environment::thing);
        touches.with(Kind::Environment, things).unsure(tenants)
    }

    /// Adds the automatic deployments to the preview.
    pub(in crate::toolsets) fn show(&self, proposal: Proposal) -> Proposal {
        match &self.environments {
            None => {
                proposal.fact("Automatic deployment to", "unknown: the lifecycle is not visible")
            }
            Some(environments) => {
                let names: Vec<_> = environments.iter().map(Named::label).collect();
                proposal.fact_list("Automatic deployment to", &names)
            }
        }
    }
}

/// Returns the environments of automatic deployments before any promotion: those of the first phase of each
/// lifecycle, and of the next phase if a phase is optional.
async fn environments(
    space: &Space,
    project: &Project,
    channels: &[Channel],
) -> Result<Option<Vec<Environment>>, OctopusError> {
    let own = |channel: &Channel| {
        let own = channel.lifecycle_id.as_deref().and_then(|id| Id::<Lifecycle>::parse(id).ok());
        own.or_else(|| project.lifecycle_id.clone())
    };
    let Some(ids) = channels.iter().map(own).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let lifecycles = space.by_ids(&ids).await?;
    let mut targets: Vec<&Id<Environment>> = Vec::new();
    for id in &ids {
        let Some(lifecycle) = lifecycles.get(id.as_str()) else { return Ok(None) };
        for phase in &lifecycle.phases {
            let new = phase.automatic_deployment_targets.iter().filter(|id| !targets.contains(id));
            let new: Vec<_> = new.collect();
            targets.extend(new);
            if !phase.is_optional_phase {
                break;
            }
        }
    }
    let mut environments = space.by_ids(targets.iter().copied()).await?;
    let found = targets.iter().map(|id| environments.remove(id.as_str()));
    Ok(found.collect())
}
