//! The tools, a folder for each toolset and a file for each tool.
#![allow(clippy::doc_markdown, reason = "doc comments here are what a model reads")]

mod accounts;
mod attribution;
mod certificates;
mod context;
mod core;
mod deployments;
mod events;
mod executions;
mod feature_toggles;
mod git_ref;
mod interruptions;
mod kubernetes;
mod machines;
mod portal_url;
mod projects;
mod releases;
mod runbooks;
mod scope;
mod search;
mod tasks;
mod tenants;

use crate::tool::Toolset;

/// Every toolset, in the order in which tools are listed.
pub const TOOLSETS: &[Toolset] = &[
    core::TOOLSET,
    projects::TOOLSET,
    deployments::TOOLSET,
    releases::TOOLSET,
    runbooks::TOOLSET,
    tasks::TOOLSET,
    tenants::TOOLSET,
    kubernetes::TOOLSET,
    machines::TOOLSET,
    context::TOOLSET,
    certificates::TOOLSET,
    accounts::TOOLSET,
    interruptions::TOOLSET,
    feature_toggles::TOOLSET,
    events::TOOLSET,
];
