//! Toolset `context`: the caller, their access and last calls, and the Git branches of projects.

mod credential;
mod explain_access;
mod get_branches;
mod get_current_user;
mod resource_calls;
mod restrictions;

use crate::tool::{Definition, ResourceDefinition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "context",
    summary: "The caller, and Git branches",
    paths: &["projects/*/git", "git-credentials", "/users/*/spaces", "/users/*/teams"],
    tools: &[
        Definition::of::<get_current_user::GetCurrentUser>(),
        Definition::of::<get_branches::GetBranches>(),
        Definition::of::<explain_access::ExplainAccess>(),
    ],
    resources: &[ResourceDefinition::of::<resource_calls::CallsResource>()],
};
