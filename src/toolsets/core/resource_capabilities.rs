//! The resource `catalog-capabilities`.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    access::{ToolAccess, ToolMetadata},
    octopus::{OctopusVersion, instance_info},
    policy::Tier,
    tool::{Contents, Context, Error, Resource},
};

/// Capabilities: version of the instance, enabled toolsets, whether changes are allowed, each tool
/// and whether the instance supports it, and the feature flags of Octopus.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CapabilitiesResource {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    server: ServerInfo,
    session: SessionModes,
    tools: Vec<ToolEntry>,
    feature_flags: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerInfo {
    version: String,
    installation_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionModes {
    enabled_toolsets: Vec<&'static str>,
    read_only_mode: bool,
    allow_deletes: bool,
    /// Approval of changes: the setting `tools.confirm`. Absent if changes are disabled.
    confirm: Option<Value>,
    /// The space that the settings or the request pin.
    space: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolEntry {
    name: &'static str,
    toolset: &'static str,
    read_only: bool,
    minimum_octopus_version: Option<String>,
    /// True if the arguments decide whether a call reads, writes or deletes.
    method_gated: Option<bool>,
    /// Tiers that calls can use here: read, write, delete.
    tiers_available: Option<Vec<&'static str>>,
    /// False if the instance is too old; otherwise absent.
    available: Option<bool>,
    reason: Option<String>,
}

impl Resource for CapabilitiesResource {
    const NAME: &'static str = "catalog-capabilities";
    const TITLE: &'static str = "Capabilities";
    const TEMPLATE: &'static str = "octopus://api/capabilities";
    const KEEPS_TO_PROJECT: bool = true;
    const KEPT_FOR: Duration = Duration::from_mins(1);

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let (root, features) =
            tokio::join!(instance_info::root(&cx.session), instance_info::features(&cx.session));
        let root = root?;
        let version = root.parse_version().ok();
        let policy = &cx.access;
        let mut tools: Vec<ToolEntry> = policy
            .index()
            .toolsets
            .iter()
            .flat_map(|toolset| toolset.tools.iter().map(|tool| (toolset.name, tool)))
            .filter(|(toolset, tool)| policy.is_visible(toolset, tool))
            .map(|(toolset, tool)| tool_entry(toolset, tool, policy, version))
            .collect();
        tools.sort_by_key(|tool| tool.name);
        let capabilities = Capabilities {
            server: ServerInfo { version: root.version, installation_id: root.installation_id },
            session: SessionModes {
                enabled_toolsets: policy.toolsets().collect::<BTreeSet<_>>().into_iter().collect(),
                read_only_mode: policy.is_read_only(),
                allow_deletes: policy.ceiling() == Tier::Delete,
                confirm: serde_json::to_value(cx.approval_gate.mode())
                    .ok()
                    .filter(|_| !policy.is_read_only()),
                space: cx.pinned_space.clone(),
            },
            tools,
            // Some users lack the permission to read them, and old versions have none.
            feature_flags: features.ok(),
        };
        serde_json::to_value(capabilities)
            .map(Contents::Json)
            .map_err(|error| Error::Output(error.to_string()))
    }
}

fn tool_entry(
    toolset: &'static str,
    tool: &ToolMetadata,
    policy: &ToolAccess,
    version: Option<OctopusVersion>,
) -> ToolEntry {
    let is_gated = tool.min_tier != tool.tier;
    let tiers = [Tier::Read, Tier::Write, Tier::Delete].into_iter();
    let tiers =
        tiers.filter(|tier| (tool.min_tier..=tool.tier.min(policy.ceiling())).contains(tier));
    let too_old = version.filter(|version| *version < tool.since);
    ToolEntry {
        name: tool.name,
        toolset,
        read_only: tool.tier == Tier::Read,
        minimum_octopus_version: (tool.since > OctopusVersion::MIN_SUPPORTED)
            .then(|| tool.since.to_string()),
        method_gated: is_gated.then_some(true),
        tiers_available: is_gated.then(|| tiers.map(Tier::name).collect()),
        available: too_old.map(|_| false),
        reason: too_old
            .map(|has| format!("needs Octopus {} or later; this instance is {has}", tool.since)),
    }
}
