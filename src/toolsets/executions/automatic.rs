//! Automatic deployments of a new release: the lifecycle of its channel may deploy it on creation
//! (`octopus.com/docs/releases/lifecycles`, "Automatic deployments").

use crate::{
    approval::ChangePreview,
    octopus::{
        AccessSet, Error as OctopusError, Id, Named, ResourceKind, Space, channels::Channel,
        environments::Environment, lifecycles::Lifecycle, projects::Project,
    },
    policy::PolicyAction,
};

/// The automatic deployments of a new release.
#[derive(Debug)]
pub(in crate::toolsets) struct AutomaticDeployments {
    /// The environments. `None` if the caller cannot read the lifecycle.
    environments: Option<Vec<Environment>>,
    /// `true` if the release may be deployed for tenants.
    tenanted: bool,
}

impl AutomaticDeployments {
    /// Determines the automatic deployments of a release in any of these channels of a project.
    pub(in crate::toolsets) async fn read(
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

    /// Returns the policy action of creating the release: an execution if the release may be
    /// deployed automatically.
    pub(in crate::toolsets) fn action(&self) -> PolicyAction {
        let nowhere = self.environments.as_ref().is_some_and(Vec::is_empty);
        if nowhere { PolicyAction::Release } else { PolicyAction::Run }
    }

    /// Adds the environments of the automatic deployments to an access set.
    pub(in crate::toolsets) fn add_access(&self, access_set: AccessSet) -> AccessSet {
        let Some(environments) = &self.environments else {
            return access_set.with_incomplete([ResourceKind::Environment, ResourceKind::Tenant]);
        };
        let tenants = (self.tenanted && !environments.is_empty()).then_some(ResourceKind::Tenant);
        let documents = environments.iter().map(Environment::access_entry);
        access_set.with_resources(ResourceKind::Environment, documents).with_incomplete(tenants)
    }

    /// Adds the automatic deployments to the preview.
    pub(in crate::toolsets) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        match &self.environments {
            None => {
                preview.line("Automatic deployment to", "unknown: the lifecycle is not visible")
            }
            Some(environments) => {
                let names: Vec<_> = environments.iter().map(Named::label).collect();
                preview.list_line("Automatic deployment to", &names)
            }
        }
    }
}

/// Returns the environments of automatic deployments before any promotion: those of the first phase
/// of each lifecycle, and of the next phase if a phase is optional.
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
