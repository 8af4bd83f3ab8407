//! `octopus-mcp policy test`: shows the policy decision for a described call.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::Failure;
use crate::{
    app,
    config::{Effect, LoadedConfig},
    policy::{
        Moment, PolicyAction, PolicyEngine, PolicyInput, ResourceRef, ResourceSet, RuleStep, Tier,
    },
    tool,
};

/// The subcommands of `policy`.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Show which rule decides on a call, and why. Exit code: 0 allow, 3 confirm, 4 deny.
    Test(Box<CallArguments>),
}

/// Description of a call. An omitted option means that the call has no such value; `?` is a value
/// that is unknown.
#[derive(Debug, Args)]
pub(super) struct CallArguments {
    /// Name of the tool.
    #[arg(long, value_name = "NAME")]
    tool: String,
    /// Tier of the call [default: the highest tier of the tool].
    #[arg(long)]
    tier: Option<TierArgument>,
    /// Name of the caller.
    #[arg(long, value_name = "NAME", default_value = "anybody")]
    caller: String,
    /// Issuer and subject of the caller's access token.
    #[arg(long, value_name = "ISSUER|SUBJECT")]
    subject: Option<String>,
    /// Group of the caller; can be repeated.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Name of the instance [default: the default instance].
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Name of the space.
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
    /// Name of the project.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Project group of the project.
    #[arg(long, value_name = "NAME", requires = "project")]
    project_group: Option<String>,
    /// Name of an environment; can be repeated.
    #[arg(long = "environment", value_name = "NAME")]
    environments: Vec<String>,
    /// Tag of the environments; can be repeated.
    #[arg(long = "environment-tag", value_name = "SET/TAG", requires = "environments")]
    environment_tags: Vec<String>,
    /// Name of a tenant; can be repeated.
    #[arg(long = "tenant", value_name = "NAME")]
    tenants: Vec<String>,
    /// Tag of the tenants; can be repeated.
    #[arg(long = "tenant-tag", value_name = "SET/TAG", requires = "tenants")]
    tenant_tags: Vec<String>,
    /// Time of the call, such as 2026-11-06T17:30:00+01:00 [default: now].
    #[arg(long, value_name = "TIME")]
    time: Option<Timestamp>,
    /// Time at which the change begins, if it is later; `?` if it is unknown.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    begins: Option<Moment>,
    /// Expected decision: exit with 0 if it matches, else with 1.
    #[arg(long)]
    expect: Option<EffectArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TierArgument {
    Read,
    Write,
    Delete,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EffectArgument {
    Allow,
    Confirm,
    Deny,
}

/// Prints the policy decision for the described call and the rules that were evaluated.
pub(super) fn test(mut loaded: LoadedConfig, call: &CallArguments) -> Result<(), Failure> {
    // Only the `policy` settings are used, so errors in other settings are ignored.
    loaded.drop_errors(|key| !key.starts_with("policy."));
    let config = loaded.into_config().map_err(Failure::Settings)?;
    let rules = PolicyEngine::from_settings(&config.policy).map_err(Failure::Other)?;
    let catalog = app::catalog();
    let entry = catalog.get(&call.tool).ok_or_else(|| {
        let name = call.tool.escape_debug();
        Failure::Other(format!("tool '{name}' not found; `octopus-mcp tools` lists all tools"))
    })?;
    let instance = call.instance.clone().or(config.default_instance().map(str::to_owned));
    let input = policy_input(call, entry, instance.unwrap_or_else(|| "?".to_owned()));
    let (decision, steps) = (rules.decide(&input), rules.explain(&input));
    let mut text = String::new();
    let rule = decision.rule.as_deref().unwrap_or("no rule matches; policy.otherwise decides");
    let _ = writeln!(text, "rule:    {rule}");
    let typed =
        decision.confirmation_word.as_ref().map(|word| format!(" (the user must type '{word}')"));
    let _ = writeln!(text, "effect:  {}{}", decision.effect.as_str(), typed.unwrap_or_default());
    let _ = writeln!(text, "risk:    {}", decision.risk.as_str());
    if let Some(message) = &decision.message {
        let _ = writeln!(text, "message: {message}");
    }
    if !steps.is_empty() {
        text.push_str("\nRules in order:\n");
    }
    for RuleStep { rule, effect, reason, .. } in &steps {
        let _ = writeln!(text, "  {rule} ({}): {reason}", effect.as_str());
    }
    app::print(&text);
    let code = match (decision.effect, call.expect) {
        (effect, Some(expected)) => u8::from(effect != expected.effect()),
        (Effect::Allow, None) => 0,
        (Effect::Confirm, None) => 3,
        (Effect::Deny, None) => 4,
    };
    if code == 0 { Ok(()) } else { Err(Failure::Code(code)) }
}

impl EffectArgument {
    fn effect(self) -> Effect {
        match self {
            Self::Allow => Effect::Allow,
            Self::Confirm => Effect::Confirm,
            Self::Deny => Effect::Deny,
        }
    }
}

fn policy_input(call: &CallArguments, entry: &tool::Entry, instance: String) -> PolicyInput {
    let tier = match call.tier {
        Some(TierArgument::Read) => Tier::Read,
        Some(TierArgument::Write) => Tier::Write,
        Some(TierArgument::Delete) => Tier::Delete,
        None => entry.metadata.tier,
    };
    let action = match (tier, entry.metadata.policy_action) {
        (Tier::Read, _) => PolicyAction::Read,
        (Tier::Delete, _) => PolicyAction::Delete,
        (Tier::Write, PolicyAction::Read) => PolicyAction::Run,
        (Tier::Write, action) => action,
    };
    let group = call.project_group.as_ref().map(|group| Box::new(ResourceRef::named(group)));
    let project = |project: ResourceRef| ResourceRef { group: group.clone(), ..project };
    let environment =
        |environment| ResourceRef { tags: Some(call.environment_tags.clone()), ..environment };
    let tenant = |tenant| ResourceRef { tags: Some(call.tenant_tags.clone()), ..tenant };
    PolicyInput {
        tool: call.tool.clone(),
        toolset: entry.toolset.to_owned(),
        tier,
        action,
        instance,
        callers: std::iter::once(&call.caller).chain(&call.subject).cloned().collect(),
        groups: call.groups.iter().cloned().collect(),
        times: std::iter::once(Moment::At(call.time.unwrap_or_else(Timestamp::now)))
            .chain(call.begins)
            .collect(),
        space: resources(call.space.iter(), |space| space),
        projects: resources(call.project.iter(), project),
        environments: resources(call.environments.iter(), environment),
        tenants: resources(call.tenants.iter(), tenant),
    }
}

fn parse_moment(text: &str) -> Result<Moment, jiff::Error> {
    if text == "?" { Ok(Moment::Unknown) } else { text.parse().map(Moment::At) }
}

fn resources<'a>(
    names: impl Iterator<Item = &'a String>,
    complete: impl Fn(ResourceRef) -> ResourceRef,
) -> ResourceSet {
    let (unknown, given): (Vec<&String>, Vec<&String>) = names.partition(|name| *name == "?");
    let resources = given.into_iter().map(|name| complete(ResourceRef::named(name))).collect();
    ResourceSet { resources, has_unknown: !unknown.is_empty() }
}
