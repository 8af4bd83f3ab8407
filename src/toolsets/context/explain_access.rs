//! `explain_access`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::why;
use crate::{
    octopus::{
        Kind, Touches, environments::Environment, projects::Project, tenants::Tenant, users,
    },
    rules::Deed,
    tool::{Asked, Context, Definition, Error, Tier, Tool},
};

/// Say who the caller is here, and what hides or refuses a tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExplainAccess {
    /// A tool, shown or not.
    tool: Option<String>,
    /// To ask the rules.
    space_name: Option<String>,
    /// Likewise.
    project: Option<String>,
    /// Likewise.
    environment: Option<String>,
    /// Likewise.
    tenant: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    caller: CallerAccess,
    octopus: OctopusAccess,
    /// What nobody and nothing gets past, each with who can change it.
    ceilings: Vec<Ceiling>,
    tool: Option<ToolAccess>,
    decision: Option<DecisionAccess>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CallerAccess {
    name: String,
    /// How this server knows.
    known_by: &'static str,
    issuer: Option<String>,
    groups: Vec<String>,
    /// The most that the caller is granted.
    scope: &'static str,
    expires: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OctopusAccess {
    instance: String,
    /// What acts there.
    credential: &'static str,
    user: Option<String>,
    username: Option<String>,
    is_service: Option<bool>,
    /// Why Octopus does not say who that is.
    problem: Option<String>,
    rights: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ceiling {
    pub(super) what: String,
    pub(super) changed_by: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ToolAccess {
    name: String,
    toolset: &'static str,
    tier: &'static str,
    since: String,
    /// Whether it can be called.
    is_shown: bool,
    /// The layer that hides or refuses it.
    hidden: Option<Ceiling>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DecisionAccess {
    /// None where no rule is about such a call.
    rule: Option<String>,
    effect: &'static str,
    risk: &'static str,
    word_to_type: Option<String>,
    message: Option<String>,
    /// Why each rule, in order, is or is not about such a call.
    rules: Vec<String>,
    changed_by: &'static str,
}

const RIGHTS: &str = "those of this user in Octopus; an administrator gives them in a team's roles";

impl Tool for ExplainAccess {
    const NAME: &'static str = "explain_access";
    const TITLE: &'static str = "Explain access";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = Access;

    async fn run(self, cx: &Context) -> Result<Access, Error> {
        let who = &cx.caller;
        let named = match &self.tool {
            None => None,
            Some(name) => Some(named(cx, name)?),
        };
        let decision = match named {
            Some((toolset, tool)) => Some(self.decision(cx, toolset, tool).await?),
            None => None,
        };
        let hidden = match named {
            Some((toolset, tool)) => why::hidden(cx, toolset, tool).await,
            None => None,
        };
        Ok(Access {
            caller: CallerAccess {
                name: who.name.clone(),
                known_by: who.way.name(),
                issuer: who.issuer.clone(),
                groups: who.groups.iter().cloned().collect(),
                scope: who.grants.scope.name(),
                expires: who.expires.map(|moment| moment.to_string()),
            },
            octopus: octopus(cx).await,
            ceilings: why::ceilings(cx),
            tool: named.map(|(toolset, tool)| ToolAccess {
                name: tool.name.to_owned(),
                toolset,
                tier: tool.tier.name(),
                since: tool.since.to_string(),
                is_shown: cx.policy.shows(toolset, tool),
                hidden,
            }),
            decision,
        })
    }
}

/// The tool with this name, whether the caller sees it or not.
fn named(cx: &Context, name: &str) -> Result<(&'static str, &'static Definition), Error> {
    let toolsets = cx.policy.catalog().iter();
    let mut tools = toolsets.flat_map(|set| set.tools.iter().map(move |tool| (set.name, tool)));
    let found = tools.find(|(_, tool)| tool.name.eq_ignore_ascii_case(name.trim()));
    found.ok_or_else(|| Error::Argument {
        field: "tool".to_owned(),
        reason: format!("there is no tool '{}', here or elsewhere", name.escape_debug()),
    })
}

async fn octopus(cx: &Context) -> OctopusAccess {
    let me = users::me(&cx.session).await;
    let (user, problem) = match me {
        Ok(user) => (Some(user), None),
        Err(error) => (None, Some(error.to_string())),
    };
    OctopusAccess {
        instance: cx.instance.name.clone(),
        credential: cx.session.credentials().kind(),
        username: user.as_ref().map(|user| user.username.clone()),
        is_service: user.as_ref().map(|user| user.is_service),
        user: user.map(|user| user.id.into_string()),
        problem,
        rights: RIGHTS,
    }
}

impl ExplainAccess {
    /// What the rules would say of a call of the tool there. What is left out is not known.
    async fn decision(
        &self,
        cx: &Context,
        toolset: &'static str,
        tool: &'static Definition,
    ) -> Result<DecisionAccess, Error> {
        let kinds = [Kind::Space, Kind::Project, Kind::Environment, Kind::Tenant];
        let given = [&self.space_name, &self.project, &self.environment, &self.tenant];
        let left_out = kinds.into_iter().zip(given).filter(|(_, given)| given.is_none());
        let mut touches = Touches::default().unsure(left_out.map(|(kind, _)| kind));
        let somewhere = given.iter().any(|given| given.is_some()) || cx.fixed_space.is_some();
        if somewhere {
            let space = cx.space(self.space_name.as_deref()).await?;
            space.touches(&mut touches);
            if let Some(project) = space.find_some::<Project>(self.project.as_deref()).await? {
                touches.add(Kind::Project, project.thing());
            }
            let environment = self.environment.as_deref();
            if let Some(environment) = space.find_some::<Environment>(environment).await? {
                touches.add(Kind::Environment, environment.thing());
            }
            if let Some(tenant) = space.find_some::<Tenant>(self.tenant.as_deref()).await? {
                touches.add(Kind::Tenant, tenant.thing());
            }
        }
        if self.tenant.is_none() {
            // Most things are done for no tenant in particular.
            touches = touches.sure(Kind::Tenant);
        }
        let deed = if tool.tier == Tier::Delete { Deed::Delete } else { tool.deed };
        let asked = Asked { tool: tool.name, toolset };
        let touches = cx.with_groups(touches).await?;
        let situation = cx.situation(asked, tool.tier, deed, &touches);
        let (decision, steps) = (cx.rules.decide(&situation), cx.rules.steps(&situation));
        Ok(DecisionAccess {
            rule: decision.rule,
            effect: decision.effect.name(),
            risk: decision.risk.name(),
            word_to_type: decision.typed,
            message: decision.message,
            rules: steps.iter().map(|step| format!("{}: {}", step.rule, step.said)).collect(),
            changed_by: "whoever runs this server, in policy.rules",
        })
    }
}
