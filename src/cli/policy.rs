//! `octopus-mcp policy test`.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::Failure;
use crate::{
    app,
    config::{Effect, Loaded},
    rules::{Deed, Moment, Of, Rules, Situation, Step, Thing, Tier},
    tool,
};

/// What there is to do with the policy.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Say which rule decides on a call, and why. Exit code: 0 allow, 3 confirm, 4 deny.
    Test(Box<Call>),
}

/// A call, as it is described. What is left out does not come into it; `?` is something that nobody
/// knows.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The tool.
    #[arg(long, value_name = "NAME")]
    tool: String,
    /// What the call does to Octopus [default: the most that the tool can].
    #[arg(long)]
    tier: Option<TierArgument>,
    /// The caller, as this server calls them.
    #[arg(long, value_name = "NAME", default_value = "anybody")]
    caller: String,
    /// Who the caller is to the issuer of their access tokens.
    #[arg(long, value_name = "ISSUER|SUBJECT")]
    subject: Option<String>,
    /// A group that the caller is in; may be repeated.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// The instance [default: the default instance].
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// The space.
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
    /// The project.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// The group of the project.
    #[arg(long, value_name = "NAME", requires = "project")]
    project_group: Option<String>,
    /// An environment; may be repeated.
    #[arg(long = "environment", value_name = "NAME")]
    environments: Vec<String>,
    /// A tag that the environments have; may be repeated.
    #[arg(long = "environment-tag", value_name = "SET/TAG", requires = "environments")]
    environment_tags: Vec<String>,
    /// A tenant; may be repeated.
    #[arg(long = "tenant", value_name = "NAME")]
    tenants: Vec<String>,
    /// A tag that the tenants have; may be repeated.
    #[arg(long = "tenant-tag", value_name = "SET/TAG", requires = "tenants")]
    tenant_tags: Vec<String>,
    /// The moment, as 2026-11-06T17:30:00+01:00 [default: now].
    #[arg(long, value_name = "TIME")]
    time: Option<Timestamp>,
    /// The moment at which it begins, where that is later; `?` is one that nobody knows.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    begins: Option<Moment>,
    /// Exit with 0 where this is decided, and with 1 where not.
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

/// Decides on a described call, and says why.
pub(super) fn test(mut loaded: Loaded, call: &Call) -> Result<(), Failure> {
    // What is decided does not depend on where Octopus is, or on who may listen.
    loaded.forgive(|key| !key.starts_with("policy."));
    let config = loaded.finish().map_err(Failure::Settings)?;
    let rules = Rules::of(&config.policy).map_err(Failure::Other)?;
    let catalog = app::catalog();
    let entry = catalog.named(&call.tool).ok_or_else(|| {
        let name = call.tool.escape_debug();
        Failure::Other(format!("there is no tool '{name}'; `octopus-mcp tools` lists them"))
    })?;
    let instance = call.instance.clone().or(config.default_instance().map(str::to_owned));
    let situation = situation(call, entry, instance.unwrap_or_else(|| "?".to_owned()));
    let (decision, steps) = (rules.decide(&situation), rules.steps(&situation));
    let mut text = String::new();
    let rule = decision.rule.as_deref().unwrap_or("none is about it: policy.otherwise decides");
    let _ = writeln!(text, "rule:    {rule}");
    let typed = decision.typed.as_ref().map(|word| format!(", and the person types '{word}'"));
    let _ = writeln!(text, "effect:  {}{}", decision.effect.name(), typed.unwrap_or_default());
    let _ = writeln!(text, "risk:    {}", decision.risk.name());
    if let Some(message) = &decision.message {
        let _ = writeln!(text, "message: {message}");
    }
    if !steps.is_empty() {
        text.push_str("\nThe rules in order:\n");
    }
    for Step { rule, effect, said, .. } in &steps {
        let _ = writeln!(text, "  {rule} ({}): {said}", effect.name());
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

fn situation(call: &Call, entry: &tool::Entry, instance: String) -> Situation {
    let tier = match (call.tier, entry.definition.tier) {
        (Some(TierArgument::Read), _) | (None, tool::Tier::Read) => Tier::Read,
        (Some(TierArgument::Write), _) | (None, tool::Tier::Write) => Tier::Write,
        (Some(TierArgument::Delete), _) | (None, tool::Tier::Delete) => Tier::Delete,
    };
    let deed = match (tier, entry.definition.deed) {
        (Tier::Read, _) => Deed::Read,
        (Tier::Delete, _) => Deed::Delete,
        (Tier::Write, Deed::Read) => Deed::Run,
        (Tier::Write, deed) => deed,
    };
    let group = call.project_group.as_ref().map(|group| Box::new(Thing::called(group)));
    let project = |thing: Thing| Thing { group: group.clone(), ..thing };
    let environment = |thing| Thing { tags: Some(call.environment_tags.clone()), ..thing };
    let tenant = |thing| Thing { tags: Some(call.tenant_tags.clone()), ..thing };
    Situation {
        tool: call.tool.clone(),
        toolset: entry.toolset.to_owned(),
        tier,
        deed,
        instance,
        callers: std::iter::once(&call.caller).chain(&call.subject).cloned().collect(),
        groups: call.groups.iter().cloned().collect(),
        times: std::iter::once(Moment::At(call.time.unwrap_or_else(Timestamp::now)))
            .chain(call.begins)
            .collect(),
        space: of(call.space.iter(), |thing| thing),
        projects: of(call.project.iter(), project),
        environments: of(call.environments.iter(), environment),
        tenants: of(call.tenants.iter(), tenant),
    }
}

fn moment(text: &str) -> Result<Moment, jiff::Error> {
    if text == "?" { Ok(Moment::Unknown) } else { text.parse().map(Moment::At) }
}

fn of<'a>(names: impl Iterator<Item = &'a String>, known: impl Fn(Thing) -> Thing) -> Of {
    let (open, given): (Vec<&String>, Vec<&String>) = names.partition(|name| *name == "?");
    let things = given.into_iter().map(|name| known(Thing::called(name))).collect();
    Of { things, more: !open.is_empty() }
}
