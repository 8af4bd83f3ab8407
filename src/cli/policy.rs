//! `octopus-mcp policy test`: shows the policy decision for a described call.

use std::{fmt::Write as _, sync::Arc};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::Failure;
use crate::{
    access::DenyReason,
    app,
    auth::{Identity, StaticTokens},
    config::{Config, Effect, LoadedConfig},
    octopus::{AccessSet, AccessedResource, ResourceKind, operations::Subject},
    policy::{Explanation, Moment, PolicyEngine, RuleStep, Tier},
    tool::{self, DescribedCall},
};

/// The subcommands of `policy`.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Show which rule decides on a call, and why. Exit code: 0 allow, 3 confirm, 4 deny.
    Test(Box<CallArguments>),
}

/// Description of a call. A space, project, environment or tag that is omitted or `?` is unknown,
/// as in `explain_access`. An empty value means that the call has none, as does an omitted tenant.
#[derive(Debug, Args)]
pub(super) struct CallArguments {
    /// Name of the tool.
    #[arg(long, value_name = "NAME")]
    tool: String,
    /// Tier of the call [default: the highest tier of the tool].
    #[arg(long)]
    tier: Option<TierArgument>,
    /// Name of the caller. The name of a configured token stands for the groups of the token, too.
    #[arg(long, value_name = "NAME", default_value = "anybody")]
    caller: String,
    /// Issuer and subject of the caller's access token.
    #[arg(long, value_name = "ISSUER|SUBJECT", value_parser = parse_subject)]
    subject: Option<CallerSubject>,
    /// Group of the caller, in addition to those of its token; can be repeated.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Name of the instance [default: the default instance].
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Name of the space [default: the space that the instance pins].
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

/// The value of an option that is unknown.
const UNKNOWN: &str = "?";

/// Issuer and subject of an access token.
#[derive(Debug, Clone)]
struct CallerSubject {
    issuer: String,
    subject: String,
}

/// Prints the policy decision for the described call and the rules that were evaluated.
pub(super) fn test(mut loaded: LoadedConfig, call: &CallArguments) -> Result<(), Failure> {
    // Errors in settings that the decision does not depend on are ignored.
    loaded.drop_errors(|key| !key.starts_with("policy."));
    let config = loaded.into_config().map_err(Failure::Settings)?;
    let rules = PolicyEngine::from_settings(&config.policy).map_err(Failure::Other)?;
    let catalog = app::catalog();
    let entry = catalog.get(&call.tool).ok_or_else(|| {
        let name = call.tool.escape_debug();
        Failure::Other(format!("tool '{name}' not found; `octopus-mcp tools` lists all tools"))
    })?;
    let instance = call.instance.as_deref().or(config.default_instance()).unwrap_or(UNKNOWN);
    let instances = config.instances_with_keys();
    let settings = instances.iter().find(|(name, ..)| *name == instance).map(|(.., one)| *one);
    let tier = call.tier.map_or(entry.metadata.tier, TierArgument::tier);
    let (caller, unreadable) = described_caller(call, &config);
    let now = call.time.unwrap_or_else(Timestamp::now);
    let times = std::iter::once(Moment::At(now)).chain(call.begins).collect();
    let space = settings.and_then(|settings| settings.space.as_deref());
    let input = described_call(call, entry, tier, space).input(&caller, instance, times);
    let Explanation { decision, steps, word_to_type } = rules.explain(&input);
    let mut text = String::new();
    let rule = decision.rule.as_deref().unwrap_or("no rule matches; policy.otherwise decides");
    let _ = writeln!(text, "rule:    {rule}");
    let typed = word_to_type.map(|word| format!(" (the user must type '{word}')"));
    let _ = writeln!(text, "effect:  {}{}", decision.effect.as_str(), typed.unwrap_or_default());
    let _ = writeln!(text, "risk:    {}", decision.risk.as_str());
    if let Some(message) = &decision.message {
        let _ = writeln!(text, "message: {message}");
    }
    let is_read_only = settings.is_some_and(|settings| settings.read_only);
    let read_only = is_read_only.then_some(instance);
    if let Some(denial) = access_denial(&config, &caller, read_only, entry, tier) {
        let _ = writeln!(
            text,
            "note:    the server denies this call before the policy is evaluated: {denial}; {}",
            denial.remedy()
        );
    }
    if let Some(error) = unreadable {
        let _ = writeln!(text, "note:    tokens of the tokens file are ignored: {error}");
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

impl TierArgument {
    fn tier(self) -> Tier {
        match self {
            Self::Read => Tier::Read,
            Self::Write => Tier::Write,
            Self::Delete => Tier::Delete,
        }
    }
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

/// Returns the described call for the policy.
/// `space` is the space that the settings of the instance pin.
fn described_call(
    call: &CallArguments,
    entry: &tool::Entry,
    tier: Tier,
    space: Option<&str>,
) -> DescribedCall {
    let space = call.space.as_deref().or(space);
    let mut access_set = AccessSet::default();
    let mut omitted = Vec::new();
    for (kind, subject, values, tags) in [
        (ResourceKind::Space, Subject::Space, space.into_iter().collect::<Vec<_>>(), None),
        (ResourceKind::Project, Subject::Project, texts(call.project.as_slice()), None),
        (
            ResourceKind::Environment,
            Subject::Environment,
            texts(&call.environments),
            Some(&call.environment_tags),
        ),
        (ResourceKind::Tenant, Subject::Tenant, texts(&call.tenants), Some(&call.tenant_tags)),
    ] {
        if values.is_empty() {
            omitted.push(kind);
        }
        for value in values {
            match value {
                "" => {}
                UNKNOWN => access_set = access_set.with_incomplete([kind]),
                value => {
                    let group =
                        call.project_group.clone().filter(|_| kind == ResourceKind::Project);
                    let resource = AccessedResource {
                        // An ID does not tell the name.
                        name: (!subject.is_id(value)).then(|| value.to_owned()),
                        tags: tags.and_then(|tags| known_tags(tags)),
                        group_name: group.clone(),
                        group,
                        ..AccessedResource::with_id(value)
                    };
                    access_set.add(kind, resource);
                }
            }
        }
    }
    DescribedCall::new(entry.toolset, entry.metadata, tier, access_set, |kind| {
        omitted.contains(&kind)
    })
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

/// Returns the tags; `None` if they are omitted or unknown.
fn known_tags(given: &[String]) -> Option<Vec<String>> {
    let is_known = !given.is_empty() && given.iter().all(|tag| tag != UNKNOWN);
    is_known.then(|| given.iter().filter(|tag| !tag.is_empty()).cloned().collect())
}

/// Returns the described caller. A caller with the name of a configured token has the groups and
/// grants of the token, in addition to the groups in the description.
/// Returns also the reason why the tokens file cannot be read.
fn described_caller(call: &CallArguments, config: &Config) -> (Identity, Option<String>) {
    let tokens = StaticTokens::from_config(config, |_| Ok(()));
    let (token, unreadable) = match tokens {
        Ok(tokens) => (tokens.identity(&call.caller), None),
        Err(error) => {
            (StaticTokens::without_file(config).identity(&call.caller), Some(error.to_string()))
        }
    };
    let mut identity = token.map_or_else(Identity::default, |token| (*token).clone());
    identity.name.clone_from(&call.caller);
    if let Some(CallerSubject { issuer, subject }) = &call.subject {
        identity.issuer = Some(issuer.clone());
        identity.subject.clone_from(subject);
    }
    identity.groups = Arc::new(identity.groups.iter().chain(&call.groups).cloned().collect());
    (identity, unreadable)
}

/// Returns the reason why the server denies the call before it evaluates the policy.
fn access_denial(
    config: &Config,
    caller: &Identity,
    read_only: Option<&str>,
    entry: &tool::Entry,
    tier: Tier,
) -> Option<DenyReason> {
    let access = app::tool_access(config).ok()?.for_caller(&caller.grants, read_only);
    access.deny_reason(entry.toolset, entry.metadata).or_else(|| access.tier_deny_reason(tier))
}

fn parse_moment(text: &str) -> Result<Moment, jiff::Error> {
    if text == "?" { Ok(Moment::Unknown) } else { text.parse().map(Moment::At) }
}

fn parse_subject(text: &str) -> Result<CallerSubject, String> {
    let (issuer, subject) = text
        .split_once('|')
        .ok_or("expected ISSUER|SUBJECT, e.g. https://login.example.com|alice")?;
    Ok(CallerSubject { issuer: issuer.to_owned(), subject: subject.to_owned() })
}
