//! Deployment freezes that apply to the targets of an execution.

use serde_json::Value;

use super::{Schedule, Targets, options::FreezeOverride};
use crate::{
    approval::ChangePreview,
    octopus::{
        Error as OctopusError, Named, OctopusVersion, Space,
        freezes::{self, Freeze, FreezeState},
        projects::Project,
    },
    text::nearest::nearest,
    tool::Error,
};

/// Maximum number of targets that the description of a freeze names.
const MAX_NAMED_TARGETS: usize = 5;

/// Deployment freezes that apply to the targets of an execution at its start.
#[derive(Debug)]
pub(in crate::toolsets) struct DeploymentFreezes {
    covering: Vec<CoveringFreeze>,
    /// Reason why there may be freezes that are not in `covering`.
    unread: Option<Unread>,
}

/// Reason why freezes were not read.
#[derive(Debug, Clone, Copy)]
enum Unread {
    /// This version of Octopus has no freezes.
    Unsupported(OctopusVersion),
    /// The caller cannot read them.
    NotVisible,
    /// The instance has more freezes than this server reads, or freezes in an unknown form.
    Incomplete,
}

/// A freeze that applies to a target, or may apply.
#[derive(Debug)]
struct CoveringFreeze {
    name: String,
    /// The frozen targets and the end of the freeze.
    description: String,
    state: FreezeState,
    is_overridden: bool,
}

impl DeploymentFreezes {
    /// Reads the freezes of the instance that apply to the targets at the start of the execution.
    pub(in crate::toolsets) async fn read(
        space: &Space,
        project: &Project,
        targets: &Targets,
        schedule: Schedule,
    ) -> Result<Self, Error> {
        let without = |unread| Self { covering: Vec::new(), unread };
        let version = space.session().version().await?;
        if version < freezes::SINCE {
            return Ok(without(Some(Unread::Unsupported(version))));
        }
        let list = match freezes::list(space, schedule.run_at).await {
            // Early access versions lack the path unless the feature is enabled.
            Err(OctopusError::NotFound { .. } | OctopusError::Forbidden { .. }) => {
                return Ok(without(Some(Unread::NotVisible)));
            }
            list => list?,
        };
        let start = schedule.run_at.unwrap_or_else(|| space.session().now());
        let covering = list.freezes.iter().filter_map(|freeze| {
            let state = freeze.state_at(start);
            if state == FreezeState::Inactive {
                return None;
            }
            let description = describe(freeze, project, targets)?;
            let name = freeze.name.clone();
            Some(CoveringFreeze { name, description, state, is_overridden: false })
        });
        let covering = covering.collect();
        Ok(Self { covering, unread: list.is_incomplete.then_some(Unread::Incomplete) })
    }

    /// Marks the freezes with these names as overridden.
    ///
    /// # Errors
    ///
    /// - [`Error::Octopus`] if the version has no freezes.
    /// - [`Error::Argument`] for `deploymentFreezeNames` if no freeze with a name applies.
    pub(in crate::toolsets) fn with_overrides(mut self, names: &[String]) -> Result<Self, Error> {
        for name in names {
            let wanted = name.trim().to_lowercase();
            let mut is_known = false;
            for freeze in &mut self.covering {
                if freeze.name.to_lowercase() == wanted {
                    freeze.is_overridden = true;
                    is_known = true;
                }
            }
            if is_known {
                continue;
            }
            match self.unread {
                None => return Err(self.unknown(name)),
                Some(Unread::Unsupported(actual)) => {
                    return Err(OctopusError::TooOld {
                        feature: "deploymentFreezeNames",
                        required: freezes::SINCE,
                        actual,
                    }
                    .into());
                }
                Some(Unread::NotVisible | Unread::Incomplete) => {
                    self.covering.push(CoveringFreeze {
                        name: name.clone(),
                        description: "not checked".to_owned(),
                        state: FreezeState::Possible,
                        is_overridden: true,
                    });
                }
            }
        }
        Ok(self)
    }

    /// Creates the error for an overridden freeze that does not apply.
    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.covering.iter().map(|freeze| freeze.name.as_str()).collect();
        let near = nearest(name, known.iter().copied(), 3);
        let hint = match (near.as_slice(), known.as_slice()) {
            (_, []) => "no freeze applies to it".to_owned(),
            ([], known) => format!("freezes that apply: '{}'", known.join("', '")),
            (near, _) => format!("did you mean '{}'?", near.join("', '")),
        };
        Error::Argument {
            field: "deploymentFreezeNames".to_owned(),
            reason: format!("no freeze '{name}' applies to this deployment at its start; {hint}"),
        }
    }

    /// Checks that the call overrides every active freeze.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the freezes and the way to override them.
    pub(in crate::toolsets) fn ensure_allowed(&self) -> Result<(), Error> {
        let is_blocking =
            |freeze: &&CoveringFreeze| freeze.state == FreezeState::Active && !freeze.is_overridden;
        let blocking: Vec<&CoveringFreeze> = self.covering.iter().filter(is_blocking).collect();
        if blocking.is_empty() {
            return Ok(());
        }
        let described: Vec<String> =
            blocking.iter().map(|f| format!("'{}' ({})", f.name, f.description)).collect();
        let names: Vec<String> =
            blocking.iter().map(|f| Value::from(f.name.as_str()).to_string()).collect();
        Err(Error::Invalid(format!(
            "Octopus does not create this deployment because of a deployment freeze: {}. Deploy after \
             its end. To override it, which the user must decide, give deploymentFreezeNames [{}] and \
             deploymentFreezeOverrideReason",
            described.join(", "),
            names.join(", ")
        )))
    }

    /// Returns the override for the request, if the call overrides freezes.
    pub(in crate::toolsets) fn freeze_override(
        &self,
        reason: Option<&str>,
    ) -> Option<FreezeOverride> {
        let overridden = self.covering.iter().filter(|freeze| freeze.is_overridden);
        let names: Vec<String> = overridden.map(|freeze| freeze.name.clone()).collect();
        let reason = reason.filter(|_| !names.is_empty())?.to_owned();
        Some(FreezeOverride { names, reason })
    }

    /// Adds the freezes to the preview of a deployment.
    pub(in crate::toolsets) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        let unread = match self.unread {
            None | Some(Unread::Unsupported(_)) => None,
            Some(Unread::NotVisible) => Some("not checked: this credential cannot read them"),
            Some(Unread::Incomplete) => Some("not all checked: too many, or not readable"),
        };
        preview
            .line_if("Deployment freezes", unread)
            .list_line("Freezes that may apply", &self.describe(FreezeState::Possible, false))
            .list_line("Overridden freezes", &self.describe(FreezeState::Active, true))
            .list_line("Overridden if active", &self.describe(FreezeState::Possible, true))
    }

    /// Adds the freezes to the preview of a runbook run. Only some versions of Octopus apply freezes
    /// to runs, so they are no reason to reject the call.
    pub(in crate::toolsets) fn add_to_run_preview(&self, preview: ChangePreview) -> ChangePreview {
        preview
            .list_line("Active deployment freezes", &self.describe(FreezeState::Active, false))
            .list_line("Freezes that may apply", &self.describe(FreezeState::Possible, false))
    }

    fn describe(&self, state: FreezeState, is_overridden: bool) -> Vec<String> {
        let is_shown = |freeze: &&CoveringFreeze| {
            freeze.state == state && freeze.is_overridden == is_overridden
        };
        let shown = self.covering.iter().filter(is_shown);
        shown.map(|freeze| format!("{} ({})", freeze.name, freeze.description)).collect()
    }
}

/// Returns the frozen targets and the end of a freeze. `None` if it applies to no target.
fn describe(freeze: &Freeze, project: &Project, targets: &Targets) -> Option<String> {
    let pairs = targets.pairs();
    let frozen = pairs.iter().filter(|(environment, tenant)| {
        freeze.covers(&project.id, &environment.id, tenant.map(|tenant| &tenant.id))
    });
    let names: Vec<String> = frozen
        .map(|(environment, tenant)| match tenant {
            None => environment.label().into_owned(),
            Some(tenant) => format!("{} for {}", environment.label(), tenant.label()),
        })
        .collect();
    if names.is_empty() {
        return None;
    }
    let shown = names.iter().take(MAX_NAMED_TARGETS).cloned().collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(MAX_NAMED_TARGETS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let until = match (&freeze.end, &freeze.recurring_schedule) {
        (_, Some(_)) => ", recurring".to_owned(),
        (Some(end), None) => format!(", until {end}"),
        (None, None) => String::new(),
    };
    Some(format!("{shown}{more}{until}"))
}
