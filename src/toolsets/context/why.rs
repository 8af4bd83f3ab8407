//! Restrictions of the caller's access, and who can change them.

use super::explain_access::Ceiling;
use crate::tool::{Context, Definition, Hidden, Tier};

impl From<Hidden> for Ceiling {
    fn from(hidden: Hidden) -> Self {
        Self { what: hidden.to_string(), changed_by: hidden.changed_by() }
    }
}

fn ceiling(what: String, setting: &str) -> Ceiling {
    Ceiling { what, changed_by: format!("the administrator of this server, with {setting}") }
}

/// Returns the first restriction that denies every call of this tier.
fn forbids(cx: &Context, tier: Tier) -> Option<Ceiling> {
    cx.policy.forbids(tier).map(Ceiling::from)
}

/// Returns the restrictions that apply to all calls.
pub(super) fn ceilings(cx: &Context) -> Vec<Ceiling> {
    let mut ceilings: Vec<Ceiling> =
        forbids(cx, Tier::Write).or_else(|| forbids(cx, Tier::Delete)).into_iter().collect();
    for toolset in cx.policy.catalog().iter().filter(|toolset| !cx.policy.is_on(toolset.name)) {
        let first = toolset.tools.first();
        let why = first.and_then(|tool| cx.policy.why(toolset.name, tool));
        ceilings.extend(why.map(Ceiling::from));
    }
    let granted = &cx.caller.grants;
    for (what, some) in [("instances", &granted.instances), ("spaces", &granted.spaces)] {
        if let Some(some) = some {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            let what = format!("you are granted only these {what}: {}", some.join(", "));
            ceilings.push(ceiling(what, "your grants"));
        }
    }
    if let Some(space) = &cx.fixed_space {
        let what = format!("every call uses the space '{space}'");
        ceilings.push(ceiling(what, "the instance's `space`; or the URL pins it"));
    }
    if let Some(project) = cx.fixed_project() {
        let what = format!("every call uses the project '{project}'");
        let changed_by = "the configuration of your client: the URL or X-Octopus-Project";
        ceilings.push(Ceiling { what, changed_by: changed_by.to_owned() });
    }
    if cx.rules.four_eyes() {
        let what = "users cannot respond to interruptions of tasks that they started";
        ceilings.push(ceiling(what.to_owned(), "policy.four_eyes"));
    }
    ceilings
}

/// Returns the restriction that hides a tool from the caller, or denies its highest tier.
pub(super) async fn hidden(
    cx: &Context,
    toolset: &'static str,
    tool: &Definition,
) -> Option<Ceiling> {
    if let Some(hidden) = cx.policy.why(toolset, tool) {
        return Some(hidden.into());
    }
    if let Ok(has) = cx.session.version().await
        && let Some(old) = Hidden::too_old(tool, has)
    {
        return Some(old.into());
    }
    forbids(cx, tool.tier)
}
