//! The tools: one folder per toolset, one file per tool.
//!
//! The input type of a tool is its contract: the doc comment is the description, the fields are the
//! arguments. Resources are in files named `resource_*.rs`. Modules directly in this folder are
//! shared by several toolsets.
#![allow(clippy::doc_markdown, reason = "models read these doc comments as plain text")]

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
mod tasks;
mod tenants;
mod text_search;

use crate::tool::Toolset;

/// All toolsets, in the order in which their tools are listed.
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
