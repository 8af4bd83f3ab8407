//! The tools, a folder for each toolset and a file for each tool.
#![allow(clippy::doc_markdown, reason = "doc comments here are what a model reads")]

mod core;
mod deployments;
mod kubernetes;
mod projects;
mod releases;
mod tasks;
mod tenants;

use crate::tool::Toolset;

/// Every toolset, in the order in which tools are listed.
pub const TOOLSETS: &[Toolset] = &[
    core::TOOLSET,
    projects::TOOLSET,
    deployments::TOOLSET,
    releases::TOOLSET,
    tasks::TOOLSET,
    tenants::TOOLSET,
    kubernetes::TOOLSET,
];
