//! Executions v1: releases, deployments and runbook runs by name, made in one request.

mod deploy;
mod lookup;
mod release;
mod run;

use super::super::answer::{Answered, Refusal};
use super::super::version::Since;
use super::super::world::World;
use super::changes::Change;

/// `/releases`, `/deployments` and `/runbook-runs`, below `create`.
pub(super) fn answer(change: &Change<'_>, draft: &mut World, path: &[&str]) -> Answered {
    change.call.since(Since::Executions)?;
    match path {
        ["releases", "create", "v1"] => release::create(change, draft),
        ["deployments", "create", "untenanted", "v1"] => deploy::untenanted(change, draft),
        ["deployments", "create", "tenanted", "v1"] => deploy::tenanted(change, draft),
        ["runbook-runs", "create", "v1"] => run::published(change, draft),
        ["runbook-runs", "git", "create", "v1"] => {
            change.call.since(Since::GitRunbooks)?;
            run::in_git(change, draft)
        }
        _ => Err(Refusal::NoRoute),
    }
}
