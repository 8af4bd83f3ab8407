//! What deploying a release and running a runbook share: how it is done, what it asks for, and
//! what Octopus is told (executions, version 1: `octopus.com/docs/octopus-rest-api`).

mod manner;
mod prompts;
mod targets;
mod times;

pub(super) use manner::Manner;
pub(super) use prompts::Prompts;
pub(super) use targets::{Targets, Tenancy};
pub(super) use times::Times;

use crate::octopus::OctopusVersion;

/// The first version with executions.
pub(super) const SINCE: OctopusVersion = OctopusVersion(2022, 3, 5512);
