//! `explain_access`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{credential::CredentialFacts, restrictions};
use crate::{
    access::ToolMetadata,
    octopus::{
        AccessSet, ResourceKind, environments::Environment, projects::Project, tenants::Tenant,
        users,
    },
    policy::{Effect, Explanation, Moment},
    tool::{Context, DescribedCall, EnvironmentArg, Error, ProjectArg, SpaceArg, TenantArg, Tool},
};

/// Explain who the caller is, what limits their access, and why a tool is hidden or denied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExplainAccess {
    /// Tool name, also of a hidden tool.
    tool: Option<String>,
    /// Space (name, slug or ID) for the decision on the tool.
    space_name: Option<SpaceArg>,
    project: Option<ProjectArg>,
    environment: Option<EnvironmentArg>,
    tenant: Option<TenantArg>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    caller: CallerAccess,
    octopus: OctopusAccess,
    /// Restrictions of all calls, each with who can change it.
    ceilings: Vec<Restriction>,
    tool: Option<ToolAccess>,
    decision: Option<DecisionAccess>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CallerAccess {
    name: String,
    /// Authentication method.
    known_by: &'static str,
    issuer: Option<String>,
    groups: Vec<String>,
    /// Highest granted scope: read, deploy or admin.
    scope: &'static str,
    expires: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OctopusAccess {
    instance: String,
    /// Kind of the credential that is sent to Octopus.
    credential: &'static str,
    user: Option<String>,
    username: Option<String>,
    is_service: Option<bool>,
    /// Standard or Agent, for service accounts.
    service_account_type: Option<String>,
    #[serde(flatten)]
    credential_facts: CredentialFacts,
    /// Reason why the Octopus user is unknown.
    problem: Option<String>,
    rights: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restriction {
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
    /// Whether the tool is listed and can be called.
    is_shown: bool,
    /// Restriction that hides the tool.
    hidden: Option<Restriction>,
    /// Restriction that denies some calls of a tool that is shown, e.g. deletions.
    limited: Option<Restriction>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DecisionAccess {
    /// Deciding policy rule. Absent if no rule matches.
    rule: Option<String>,
    /// `deny` for a hidden tool.
    effect: &'static str,
    /// Tier of the call: the highest that the caller may use.
    tier: &'static str,
    risk: &'static str,
    word_to_type: Option<String>,
    message: Option<String>,
    /// Result of each rule, in order, with the reason.
    rules: Vec<String>,
    changed_by: String,
}

const RIGHTS: &str = "the permissions of this user in Octopus; an administrator grants them with the roles of a team";

impl Tool for ExplainAccess {
    const NAME: &'static str = "explain_access";
    const TITLE: &'static str = "Explain access";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = Access;

    async fn run(self, cx: &Context) -> Result<Access, Error> {
        let caller = &cx.caller;
        let named = match &self.tool {
            None => None,
            Some(name) => Some(find_tool(cx, name)?),
        };
        let hidden = match named {
            Some((toolset, tool)) => restrictions::hiding_restriction(cx, toolset, tool).await,
            None => None,
        };
        let decision = match named {
            Some((toolset, tool)) => Some(self.decision(cx, toolset, tool, hidden.as_ref()).await?),
            None => None,
        };
        Ok(Access {
            caller: CallerAccess {
                name: caller.name.clone(),
                known_by: caller.method.into(),
                issuer: caller.issuer.clone(),
                groups: caller.groups.iter().cloned().collect(),
                scope: caller.grants.scope.into(),
                expires: caller.expires.map(|moment| moment.to_string()),
            },
            octopus: octopus_access(cx).await,
            ceilings: restrictions::restrictions(cx),
            tool: named.map(|(toolset, tool)| ToolAccess {
                name: tool.name.to_owned(),
                toolset,
                tier: tool.tier.name(),
                since: tool.since.to_string(),
                is_shown: hidden.is_none(),
                limited: match &hidden {
                    Some(_) => None,
                    None => restrictions::tier_restriction(cx, tool.tier),
                },
                hidden,
            }),
            decision,
        })
    }
}

/// Finds the tool with this name, listed for the caller or not.
fn find_tool(cx: &Context, name: &str) -> Result<(&'static str, &'static ToolMetadata), Error> {
    let toolsets = cx.access.index().toolsets.iter();
    let mut tools = toolsets.flat_map(|set| set.tools.iter().map(move |tool| (set.name, *tool)));
    let found = tools.find(|(_, tool)| tool.name.eq_ignore_ascii_case(name.trim()));
    found.ok_or_else(|| Error::Argument {
        field: "tool".to_owned(),
        reason: format!("tool '{}' not found in this server", name.escape_debug()),
    })
}

async fn octopus_access(cx: &Context) -> OctopusAccess {
    let me = users::me(&cx.session).await;
    let (user, problem) = match me {
        Ok(user) => (Some(user), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let credential_facts = match &user {
        Some(user) => CredentialFacts::read(cx, user).await,
        None => CredentialFacts::default(),
    };
    OctopusAccess {
        service_account_type: user.as_ref().and_then(|user| user.service_account_type.clone()),
        credential_facts,
        instance: cx.instance.name.clone(),
        credential: cx.session.credentials().type_name(),
        username: user.as_ref().map(|user| user.username.clone()),
        is_service: user.as_ref().map(|user| user.is_service),
        user: user.map(|user| user.id.into_string()),
        problem,
        rights: RIGHTS,
    }
}

impl ExplainAccess {
    /// Returns the decision on a call of the tool. Kinds without an argument are unknown.
    async fn decision(
        &self,
        cx: &Context,
        toolset: &'static str,
        tool: &'static ToolMetadata,
        hidden: Option<&Restriction>,
    ) -> Result<DecisionAccess, Error> {
        let mut access_set = AccessSet::default();
        let needs_space = cx.pinned_space.is_some()
            || self.space_name.is_some()
            || self.project.is_some()
            || self.environment.is_some()
            || self.tenant.is_some();
        if needs_space {
            let space = cx.resolve_space(self.space_name.as_deref()).await?;
            space.record_access(&mut access_set);
            if let Some(project) = space.find_optional::<Project>(self.project.as_deref()).await? {
                access_set.add(ResourceKind::Project, project.access_entry());
            }
            let environment = self.environment.as_deref();
            if let Some(environment) = space.find_optional::<Environment>(environment).await? {
                access_set.add(ResourceKind::Environment, environment.access_entry());
            }
            if let Some(tenant) = space.find_optional::<Tenant>(self.tenant.as_deref()).await? {
                access_set.add(ResourceKind::Tenant, tenant.access_entry());
            }
        }
        let access_set = cx.with_project_groups(access_set).await?;
        let resolved = access_set.clone();
        let is_omitted = |kind: ResourceKind| resolved.resources(kind).is_empty();
        // The highest tier that the caller may use.
        let tier = tool.tier.min(cx.access.ceiling()).max(tool.min_tier);
        let call = DescribedCall::new(toolset, tool, tier, access_set, is_omitted);
        let times = vec![Moment::At(cx.policy.now())];
        let input = call.input(&cx.caller, &cx.instance.name, times);
        let Explanation { decision, steps, word_to_type } = cx.policy.explain(&input);
        let (tier, risk) = (tier.name(), decision.risk.as_str());
        if let Some(Restriction { what, changed_by }) = hidden {
            return Ok(DecisionAccess {
                rule: None,
                effect: Effect::Deny.as_str(),
                tier,
                risk,
                word_to_type: None,
                message: Some(what.clone()),
                rules: Vec::new(),
                changed_by: changed_by.clone(),
            });
        }
        Ok(DecisionAccess {
            rule: decision.rule,
            effect: decision.effect.as_str(),
            tier,
            risk,
            word_to_type,
            message: decision.message,
            rules: steps.iter().map(|step| format!("{}: {}", step.rule, step.reason)).collect(),
            changed_by: "the administrator of this server, in policy.rules".to_owned(),
        })
    }
}
