//! Restrictions of the caller's access, and who can change them.

use super::explain_access::Restriction;
use crate::{
    access::{DenyReason, ToolMetadata},
    policy::Tier,
    tool::Context,
};

impl From<DenyReason> for Restriction {
    fn from(hidden: DenyReason) -> Self {
        Self { what: hidden.to_string(), changed_by: hidden.remedy() }
    }
}

fn restriction(what: String, setting: &str) -> Restriction {
    Restriction { what, changed_by: format!("the administrator of this server, with {setting}") }
}

/// Returns the first restriction that denies every call of this tier.
pub(super) fn tier_restriction(cx: &Context, tier: Tier) -> Option<Restriction> {
    cx.access.tier_deny_reason(tier).map(Restriction::from)
}

/// Returns the restrictions that apply to all calls.
pub(super) fn restrictions(cx: &Context) -> Vec<Restriction> {
    let mut ceilings: Vec<Restriction> = tier_restriction(cx, Tier::Write)
        .or_else(|| tier_restriction(cx, Tier::Delete))
        .into_iter()
        .collect();
    let toolsets = cx.access.index().toolsets.iter();
    for toolset in toolsets.filter(|toolset| !cx.access.is_enabled(toolset.name)) {
        let first = toolset.tools.first();
        let reason = first.and_then(|tool| cx.access.deny_reason(toolset.name, tool));
        ceilings.extend(reason.map(Restriction::from));
    }
    let granted = &cx.caller.grants;
    for (kind, names) in [("instances", &granted.instances), ("spaces", &granted.spaces)] {
        if let Some(names) = names {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let kind = format!("you are granted only these {kind}: {}", names.join(", "));
            ceilings.push(restriction(kind, "your grants"));
        }
    }
    if let Some(space) = &cx.pinned_space {
        let what = format!("every call uses the space '{space}'");
        ceilings.push(restriction(what, "the instance's `space`; or the URL pins it"));
    }
    if let Some(project) = cx.pinned_project() {
        let what = format!("every call uses the project '{project}'");
        let changed_by = "the configuration of your client: the URL or X-Octopus-Project";
        ceilings.push(Restriction { what, changed_by: changed_by.to_owned() });
    }
    if cx.policy.requires_four_eyes() {
        let what = "users cannot respond to interruptions of tasks that they started";
        ceilings.push(restriction(what.to_owned(), "policy.four_eyes"));
    }
    ceilings
}

/// Returns the restriction that hides a tool from the caller.
pub(super) async fn hiding_restriction(
    cx: &Context,
    toolset: &'static str,
    tool: &ToolMetadata,
) -> Option<Restriction> {
    if let Some(hidden) = cx.access.deny_reason(toolset, tool) {
        return Some(hidden.into());
    }
    let has = cx.session.version_for(tool.since).await.ok()?;
    DenyReason::too_old(tool, has).map(Restriction::from)
}
