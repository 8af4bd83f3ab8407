//! Checks that the lifecycle of a release allows its deployment to the targets.

use crate::{
    approval::ChangePreview,
    octopus::{
        AccessedResource, Id, Named, ResourceKind, Space,
        environments::Environment,
        projects::Project,
        promotions::{self, AllowedEnvironment, DeploymentTemplate, Progression},
        releases::Release,
        tenants::Tenant,
    },
    tool::Error,
    toolsets::executions::Targets,
};

/// Maximum number of names in an error message.
const MAX_NAMES: usize = 10;

/// The result of the check.
#[derive(Debug)]
pub(super) struct LifecycleCheck {
    /// `false` if the caller cannot read which targets are allowed.
    is_complete: bool,
}

impl LifecycleCheck {
    /// Checks the targets against the environments and tenants to which Octopus offers to deploy the
    /// release. Octopus rejects deployments to all others.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the reason and the allowed environments.
    pub(super) async fn read(
        space: &Space,
        project: &Project,
        release: &Release,
        targets: &Targets,
    ) -> Result<Self, Error> {
        let Some(template) = promotions::deployment_template(space, &release.id).await? else {
            return Ok(Self { is_complete: false });
        };
        let pairs = targets.pairs();
        let mut is_complete = true;
        let mut blocked: Vec<(&Environment, Option<&Tenant>)> = Vec::new();
        for (environment, tenant) in pairs {
            match allowed(&template, tenant) {
                None => is_complete = false,
                Some(allowed)
                    if allowed.iter().any(|one| one.id.as_ref() == Some(&environment.id)) => {}
                Some(_) => blocked.push((environment, tenant)),
            }
        }
        let Some((environment, tenant)) = blocked.first().copied() else {
            return Ok(Self { is_complete });
        };
        let progression = promotions::progression(space, &release.id).await?;
        let reason = reason(progression.as_ref(), environment, tenant.is_some());
        let tenants: Vec<&str> = blocked
            .iter()
            .filter(|(other, _)| other.id == environment.id)
            .filter_map(|(_, tenant)| tenant.map(Named::name))
            .collect();
        let for_tenants = match tenants.as_slice() {
            [] => String::new(),
            tenants => format!(" for {}", names(tenants)),
        };
        let open = allowed(&template, tenant).unwrap_or_default();
        // The error contains the names of these environments.
        space.session().access_recorder().record(|access_set| {
            for (one, id) in
                open.iter().filter_map(|one| Some((one, one.id.as_ref()?))).take(MAX_NAMES)
            {
                let name = one.name.clone();
                let entry = AccessedResource { name, ..AccessedResource::with_id(id.as_str()) };
                access_set.add(ResourceKind::Environment, entry);
            }
        });
        let open: Vec<&str> = open
            .iter()
            .filter_map(|one| one.name.as_deref().or(one.id.as_ref().map(Id::as_str)))
            .collect();
        let open = if open.is_empty() { "none".to_owned() } else { names(&open) };
        Err(Error::Invalid(format!(
            "release {} of {} cannot be deployed to {}{for_tenants}: {reason}. Allowed environments: {open}",
            release.version,
            project.name,
            environment.label(),
        )))
    }

    /// Adds a warning to the preview if the check was incomplete.
    pub(super) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        let warning = (!self.is_complete)
            .then_some("not checked: the allowed environments of the release are not visible");
        preview.line_if("Lifecycle", warning)
    }
}

/// Returns the environments that are allowed for a tenant, or without a tenant. `None` if the
/// instance does not say.
fn allowed<'t>(
    template: &'t DeploymentTemplate,
    tenant: Option<&Tenant>,
) -> Option<&'t [AllowedEnvironment]> {
    let Some(tenant) = tenant else { return template.promote_to.as_deref() };
    let tenants = template.tenant_promotions.as_ref()?;
    let own = tenants.iter().find(|promotion| promotion.id.as_ref() == Some(&tenant.id));
    Some(own.map(|promotion| promotion.promote_to.as_slice()).unwrap_or_default())
}

/// Returns the reason why a release cannot be deployed to an environment.
fn reason(progression: Option<&Progression>, environment: &Environment, tenanted: bool) -> String {
    let other = if tenanted {
        "its lifecycle does not allow it yet, the tenant is not connected to it or does not match the \
         channel, or this credential may not deploy there"
    } else {
        "its lifecycle does not allow it yet, or this credential may not deploy there"
    };
    let Some(progression) = progression.filter(|progression| !progression.phases.is_empty()) else {
        return other.to_owned();
    };
    let phase = progression.phases.iter().find(|phase| phase.contains(&environment.id));
    let Some(phase) = phase else {
        // A phase without environments contains all environments that no other phase contains.
        let is_open = |phase: &promotions::PhaseProgress| {
            phase.automatic_deployment_targets.is_empty()
                && phase.optional_deployment_targets.is_empty()
        };
        return if progression.phases.iter().any(is_open) {
            other.to_owned()
        } else {
            format!("no phase of its lifecycle contains {}", environment.label())
        };
    };
    match (phase.progress.as_deref(), phase.blocked) {
        (Some("Pending"), _) => format!(
            "it has not reached the phase '{}' of its lifecycle; deploy to the earlier phases first",
            phase.name
        ),
        (_, true) => format!("the phase '{}' of its lifecycle is blocked", phase.name),
        _ => other.to_owned(),
    }
}

fn names(names: &[&str]) -> String {
    let shown = names.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
