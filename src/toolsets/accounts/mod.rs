//! Toolset `accounts`: accounts for clouds and machines that deployments use.

mod find_accounts;
mod summary;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "accounts",
    summary: "Accounts",
    paths: &["accounts"],
    tools: &[Definition::of::<find_accounts::FindAccounts>()],
    resources: &[],
};
