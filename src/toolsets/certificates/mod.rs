//! Toolset `certificates`: certificates that deployments use.

mod find_certificates;
mod summary;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "certificates",
    summary: "Certificates",
    paths: &["certificates"],
    tools: &[Definition::of::<find_certificates::FindCertificates>()],
    resources: &[],
};
