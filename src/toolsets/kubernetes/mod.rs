//! Toolset `kubernetes`: live status of deployed Kubernetes objects.

mod get_kubernetes_live_status;

use crate::tool::{Definition, Toolset};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "kubernetes",
    summary: "Live status of deployed Kubernetes objects",
    paths: &[
        "projects/*/environments/*/untenanted",
        "projects/*/environments/*/tenants",
        "observability",
        "machines/*/livestatus",
    ],
    tools: &[Definition::of::<get_kubernetes_live_status::GetKubernetesLiveStatus>()],
    resources: &[],
};
