//! Options of an execution: schedule, deployment targets, skipped steps, guided failure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Times;
use crate::{
    octopus::{Named, Space, machines::Machine, previews::Preview},
    rules::Moment,
    text::nearest::nearest,
    tool::{Error, Proposal},
};

/// The options of an execution.
#[derive(Debug)]
pub(in crate::toolsets) struct Manner {
    pub(in crate::toolsets) times: Times,
    pub(in crate::toolsets) use_guided_failure: Option<bool>,
    pub(in crate::toolsets) force_package_download: Option<bool>,
    /// Names of deployment targets.
    pub(in crate::toolsets) only_on: Vec<String>,
    pub(in crate::toolsets) not_on: Vec<String>,
    pub(in crate::toolsets) skipped: Vec<String>,
}

impl Manner {
    /// Returns the names of deployment targets that the call gives by name, slug or ID.
    ///
    /// # Errors
    ///
    /// Rejects a name that is also the name, slug or ID of another target, because Octopus accepts only names.
    pub(in crate::toolsets) async fn machines(
        space: &Space,
        wanted: &[String],
    ) -> Result<Vec<String>, Error> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let machines = space.find_all::<Machine>(wanted).await?;
        machines.iter().try_for_each(super::ensure_plain_name)?;
        space.ensure_one_name(&machines).await?;
        Ok(machines.iter().map(|machine| machine.name().to_owned()).collect())
    }

    /// Checks that the skipped steps exist, and replaces their names by the spelling of Octopus.
    ///
    /// Does nothing without previews.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for `skipStepNames` if a step does not exist or its name is ambiguous.
    pub(in crate::toolsets) fn check_steps(
        &mut self,
        previews: Option<&[Preview]>,
    ) -> Result<(), Error> {
        let Some(previews) = previews else { return Ok(()) };
        let steps = previews.iter().flat_map(|preview| &preview.steps_to_execute);
        let steps: BTreeSet<&str> = steps.map(|step| step.action_name.as_str()).collect();
        // A map, because a call can name many steps.
        let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for step in &steps {
            by_name.entry(step.to_lowercase()).or_default().push(step);
        }
        for skipped in &mut self.skipped {
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
            (*found).clone_into(skipped);
        }
        Ok(())
    }

    /// Adds the options to the preview.
    pub(in crate::toolsets) fn show(&self, proposal: Proposal) -> Proposal {
        let Times { run_at, no_run_after } = self.times;
        let start = match run_at {
            Some(moment) => format!("at {moment}"),
            None => "immediately".to_owned(),
        };
        let yes_or_no = |on: Option<bool>| on.map(|on| if on { "yes" } else { "no" });
        proposal
            .beginning(run_at.map(Moment::At))
            .fact("Starts", start)
            .fact_if("Not after", no_run_after.map(|moment| moment.to_string()))
            .fact_list("Only on targets", &self.only_on)
            .fact_list("Not on targets", &self.not_on)
            .fact_list("Skipped steps", &self.skipped)
            .fact_if("Guided failure", yes_or_no(self.use_guided_failure))
            .fact_if("Downloads packages again", yes_or_no(self.force_package_download))
    }

    /// Writes the options to the body of the request. Octopus uses its own defaults for absent options.
    pub(in crate::toolsets) fn write(&self, body: &mut Map<String, Value>) {
        let Times { run_at, no_run_after } = self.times;
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
            ("SpecificMachineNames", &self.only_on),
            ("ExcludedMachineNames", &self.not_on),
            ("SkipStepNames", &self.skipped),
        ] {
            if !names.is_empty() {
                put(key, json!(names));
            }
        }
        if let Some(moment) = run_at {
            put("RunAt", json!(moment.to_string()));
        }
        if let Some(moment) = no_run_after {
            put("NoRunAfter", json!(moment.to_string()));
        }
    }
}
