//! Options of an execution: schedule, deployment targets, skipped steps, guided failure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Schedule, TargetPreviews};
use crate::{
    approval::ChangePreview,
    octopus::{Named, Space, machines::Machine},
    policy::Moment,
    text::nearest::nearest,
    tool::Error,
};

/// The options of an execution.
#[derive(Debug)]
pub(in crate::toolsets) struct ExecutionOptions {
    pub(in crate::toolsets) schedule: Schedule,
    pub(in crate::toolsets) use_guided_failure: Option<bool>,
    pub(in crate::toolsets) force_package_download: Option<bool>,
    /// Names of deployment targets.
    pub(in crate::toolsets) included_targets: Vec<String>,
    pub(in crate::toolsets) excluded_targets: Vec<String>,
    pub(in crate::toolsets) skipped_steps: Vec<String>,
    pub(in crate::toolsets) freeze_override: Option<FreezeOverride>,
}

/// Deployment freezes that the caller overrides.
#[derive(Debug)]
pub(in crate::toolsets) struct FreezeOverride {
    /// Their names in the spelling of Octopus, which accepts no IDs.
    pub(super) names: Vec<String>,
    pub(super) reason: String,
}

impl ExecutionOptions {
    /// Returns the names of deployment targets that the call gives by name, slug or ID.
    ///
    /// # Errors
    ///
    /// Rejects a name that is also the name, slug or ID of another target, because Octopus accepts
    /// only names.
    pub(in crate::toolsets) async fn target_names(
        space: &Space,
        requested: &[String],
    ) -> Result<Vec<String>, Error> {
        if requested.is_empty() {
            return Ok(Vec::new());
        }
        let machines = space.find_all::<Machine>(requested).await?;
        machines.iter().try_for_each(super::ensure_plain_name)?;
        space.ensure_unique_names(&machines).await?;
        Ok(machines.iter().map(|machine| machine.name().to_owned()).collect())
    }

    /// Checks that the skipped steps exist, and replaces their names by the spelling of Octopus.
    ///
    /// Does nothing without previews.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for `skipStepNames` if a step does not exist, cannot be skipped or its
    /// name is ambiguous.
    pub(in crate::toolsets) fn check_steps(
        &mut self,
        previews: &TargetPreviews,
    ) -> Result<(), Error> {
        let Some(previews) = previews.all() else { return Ok(()) };
        let all = previews.flat_map(|preview| &preview.steps_to_execute);
        let required = all.clone().filter(|step| step.can_be_skipped == Some(false));
        let required: BTreeSet<&str> = required.map(|step| step.action_name.as_str()).collect();
        let steps: BTreeSet<&str> = all.map(|step| step.action_name.as_str()).collect();
        // A map, because a call can name many steps.
        let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for step in &steps {
            by_name.entry(step.to_lowercase()).or_default().push(step);
        }
        for skipped in &mut self.skipped_steps {
            let matching = by_name.get(&skipped.to_lowercase()).map_or(&[][..], Vec::as_slice);
            if let [one, other, ..] = matching {
                return Err(Error::Argument {
                    field: "skipStepNames".to_owned(),
                    reason: format!(
                        "'{skipped}' matches the steps '{one}' and '{other}', whose names differ only \
                         in letter case; rename one of them"
                    ),
                });
            }
            let found = matching.first();
            let Some(found) = found else {
                let near = nearest(skipped, steps.iter().copied(), 3);
                let near = if near.is_empty() {
                    steps.iter().copied().collect::<Vec<_>>().join("', '")
                } else {
                    near.join("', '")
                };
                return Err(Error::Argument {
                    field: "skipStepNames".to_owned(),
                    reason: format!("step '{skipped}' not found; available steps: '{near}'"),
                });
            };
            if required.contains(found) {
                let mut others = steps.difference(&required).copied().peekable();
                let can = if others.peek().is_none() {
                    "no step can be skipped".to_owned()
                } else {
                    format!(
                        "steps that can be skipped: '{}'",
                        others.collect::<Vec<_>>().join("', '")
                    )
                };
                return Err(Error::Argument {
                    field: "skipStepNames".to_owned(),
                    reason: format!("step '{found}' is required and cannot be skipped; {can}"),
                });
            }
            (*found).clone_into(skipped);
        }
        Ok(())
    }

    /// Returns the reason for overriding deployment freezes.
    pub(in crate::toolsets) fn override_reason(&self) -> Option<&str> {
        self.freeze_override.as_ref().map(|given| given.reason.as_str())
    }

    /// Adds the options to the preview.
    pub(in crate::toolsets) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        let Schedule { run_at, no_run_after } = self.schedule;
        let start = match run_at {
            Some(moment) => format!("at {moment}"),
            None => "immediately".to_owned(),
        };
        let yes_or_no = |on: Option<bool>| on.map(|on| if on { "yes" } else { "no" });
        preview
            .with_begin(run_at.map(Moment::At))
            .line("Starts", start)
            .line_if("Not after", no_run_after.map(|moment| moment.to_string()))
            .list_line("Only on targets", &self.included_targets)
            .list_line("Not on targets", &self.excluded_targets)
            .list_line("Skipped steps", &self.skipped_steps)
            .line_if("Guided failure", yes_or_no(self.use_guided_failure))
            .line_if("Downloads packages again", yes_or_no(self.force_package_download))
    }

    /// Writes the options to the body of the request. Octopus uses its own defaults for absent
    /// options.
    pub(in crate::toolsets) fn write_to(&self, body: &mut Map<String, Value>) {
        let Schedule { run_at, no_run_after } = self.schedule;
        let mut put = |key: &str, value: Value| {
            body.insert(key.to_owned(), value);
        };
        if let Some(on) = self.use_guided_failure {
            put("UseGuidedFailure", json!(on));
        }
        if let Some(on) = self.force_package_download {
            put("ForcePackageDownload", json!(on));
        }
        for (key, names) in [
            ("SpecificMachineNames", &self.included_targets),
            ("ExcludedMachineNames", &self.excluded_targets),
            ("SkipStepNames", &self.skipped_steps),
        ] {
            if !names.is_empty() {
                put(key, json!(names));
            }
        }
        if let Some(FreezeOverride { names, reason }) = &self.freeze_override {
            put("DeploymentFreezeNames", json!(names));
            put("DeploymentFreezeOverrideReason", json!(reason));
        }
        if let Some(moment) = run_at {
            put("RunAt", json!(moment.to_string()));
        }
        if let Some(moment) = no_run_after {
            put("NoRunAfter", json!(moment.to_string()));
        }
    }
}
