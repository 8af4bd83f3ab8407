//! Tables and properties of decisions.

mod confirmation_words;
mod reference;
mod target_reduction;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::{self, Effect, ListSetting, PolicySettings, Risk};

fn rules(text: &str) -> PolicyEngine {
    PolicyEngine::from_settings(&policy(text)).unwrap()
}

fn policy(rules: &str) -> PolicySettings {
    let rules: Vec<config::RuleSettings> = serde_json::from_str(rules).unwrap();
    PolicySettings { rules, ..PolicySettings::default() }
}

fn tagged(name: &str, tags: &[&str]) -> ResourceRef {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    ResourceRef { tags: Some(tags), ..ResourceRef::named(name) }
}

fn deployment_to(environments: &[&str]) -> PolicyInput {
    PolicyInput {
        tool: "deploy_release".to_owned(),
        toolset: "deployments".to_owned(),
        tier: Tier::Write,
        action: PolicyAction::Run,
        instance: "emea".to_owned(),
        callers: vec!["agent-7".to_owned()],
        groups: BTreeSet::from(["developers".to_owned()]),
        times: vec![Moment::At("2026-11-06T15:30:00Z".parse().unwrap())],
        space: ResourceSet::known(vec![ResourceRef::named("Default")]),
        projects: ResourceSet::known(vec![ResourceRef {
            group: Some(Box::new(ResourceRef::named("Back Office"))),
            ..ResourceRef::named("Billing")
        }]),
        environments: ResourceSet::known(
            environments.iter().map(|name| tagged(name, &[])).collect(),
        ),
        tenants: ResourceSet::none(),
    }
}

/// Each condition, with a matching value and another value.
#[test]
fn evaluates_each_condition() {
    for (matcher, other) in [
        (r#""tools":["deploy_*"]"#, r#""tools":["run_runbook"]"#),
        (r#""toolsets":["deployments"]"#, r#""toolsets":["runbooks"]"#),
        (r#""tiers":["write"]"#, r#""tiers":["delete"]"#),
        (r#""risks":["high"]"#, r#""risks":["medium"]"#),
        (r#""instances":["EMEA"]"#, r#""instances":["apac"]"#),
        (r#""spaces":["default"]"#, r#""spaces":["other"]"#),
        (r#""projects":["bill*"]"#, r#""projects":["bill"]"#),
        (r#""project_groups":["back office"]"#, r#""project_groups":["front office"]"#),
        (r#""environments":["production"]"#, r#""environments":["staging"]"#),
        (r#""environment_tags":["stage/*"]"#, r#""environment_tags":["ring/*"]"#),
        (r#""tenants":["acme"]"#, r#""tenants":["other"]"#),
        (r#""tenant_tags":["Tier/Gold"]"#, r#""tenant_tags":["Tier/Silver"]"#),
        (r#""callers":["agent-*"]"#, r#""callers":["agent"]"#),
        (r#""groups":["Developers"]"#, r#""groups":["operators"]"#),
        (
            r#""times":[{"days":"fri","from":"16:00","zone":"Europe/Berlin"}]"#,
            r#""times":[{"days":"sat"},{"days":"fri","to":"16:00","zone":"Europe/Berlin"}]"#,
        ),
    ] {
        let mut input = deployment_to(&[]);
        input.environments = ResourceSet::known(vec![tagged("Production", &["Stage/Live"])]);
        input.tenants = ResourceSet::known(vec![tagged("Acme", &["Tier/Gold"])]);
        for (matcher, effect) in [(matcher, Effect::Deny), (other, Effect::Allow)] {
            let rules = rules(&format!(r#"[{{"name":"r","effect":"deny",{matcher}}}]"#));
            assert_eq!(rules.decide(&input).effect, effect, "{matcher}");
        }
    }
}

#[test]
fn first_matching_rule_decides_for_each_target() {
    let rules = rules(
        r#"[
            {"name":"dev","effect":"allow","environments":["dev*"]},
            {"name":"ask","effect":"confirm","environments":["staging","test"]},
            {"name":"word","effect":"confirm","type":"environment","environments":["prod*"]},
            {"name":"shut","effect":"deny","environments":["vault"],"message":"never"},
            {"name":"late","effect":"deny","environments":["dev*"]}
        ]"#,
    );
    for (environments, rule, effect, typed) in [
        (&["Development"][..], Some("dev"), Effect::Allow, None),
        (&["Lab"], None, Effect::Allow, None),
        (&["Development", "Staging"], Some("ask"), Effect::Confirm, None),
        (&["Staging", "Production"], Some("word"), Effect::Confirm, Some("Production")),
        (&["Prod EU", "Prod US"], Some("word"), Effect::Confirm, Some("Prod EU, Prod US")),
        (&["Staging", "Vault"], Some("shut"), Effect::Deny, None),
        (&["Vault", "Staging"], Some("shut"), Effect::Deny, None),
    ] {
        let decision = rules.decide(&deployment_to(environments));
        let actual =
            (decision.rule.as_deref(), decision.effect, decision.confirmation_word.as_deref());
        assert_eq!(actual, (rule, effect, typed), "{environments:?}");
    }
}

#[test]
fn unknown_resources_deny_changes_and_allow_reads() {
    let deny = rules(
        r#"[{"name":"r","effect":"deny","tiers":["read","write"],"environments":["production"]}]"#,
    );
    let mut input = deployment_to(&[]);
    input.environments = ResourceSet::unknown();
    let decision = deny.decide(&input);
    assert_eq!((decision.effect, decision.unknown_condition), (Effect::Deny, Some("environments")));
    input.tier = Tier::Read;
    assert_eq!(deny.decide(&input).effect, Effect::Allow);
    input.tier = Tier::Write;
    // Not applicable is not the same as unknown.
    input.environments = ResourceSet::none();
    assert_eq!(deny.decide(&input).effect, Effect::Allow);
    let mut allow = policy(r#"[{"name":"r","effect":"allow","environments":["*"]}]"#);
    allow.otherwise = Effect::Deny;
    let allow = PolicyEngine::from_settings(&allow).unwrap();
    input.environments = ResourceSet::unknown();
    assert_eq!(allow.decide(&input).effect, Effect::Deny);
    input.environments = ResourceSet::known(vec![ResourceRef::named("Test")]);
    assert_eq!(allow.decide(&input).effect, Effect::Allow);
}

#[test]
fn rules_cover_reads_only_if_configured_and_never_confirm_them() {
    let mut input = deployment_to(&["Production"]);
    (input.tier, input.action) = (Tier::Read, PolicyAction::Read);
    for (rule, effect) in [
        (r#"{"name":"r","effect":"deny","environments":["production"]}"#, Effect::Allow),
        (r#"{"name":"r","effect":"deny","tiers":["read"],"projects":["billing"]}"#, Effect::Deny),
        (r#"{"name":"r","effect":"deny","risks":["read"]}"#, Effect::Deny),
        (r#"{"name":"r","effect":"confirm","type":"x","tiers":["read"]}"#, Effect::Allow),
    ] {
        let decision = rules(&format!("[{rule}]")).decide(&input);
        assert_eq!((decision.effect, decision.confirmation_word), (effect, None), "{rule}");
    }
    let mut closed = policy("[]");
    closed.otherwise = Effect::Deny;
    assert_eq!(PolicyEngine::from_settings(&closed).unwrap().decide(&input).effect, Effect::Allow);
    input.tier = Tier::Write;
    assert_eq!(PolicyEngine::from_settings(&closed).unwrap().decide(&input).effect, Effect::Deny);
}

#[test]
fn risk_is_the_highest_of_all_targets() {
    let rules = rules("[]");
    for (environments, risk) in [
        (&["Development"][..], Risk::Medium),
        (&["Development", "Production"], Risk::High),
        (&["Pre-Production"], Risk::Medium),
        (&[], Risk::Medium),
    ] {
        assert_eq!(rules.decide(&deployment_to(environments)).risk, risk, "{environments:?}");
    }
}

#[test]
fn explanation_gives_reasons_of_earlier_rules() {
    let rules = rules(
        r#"[
            {"name":"a","effect":"deny","groups":["operators"]},
            {"name":"b","effect":"confirm","environments":["production"]},
            {"name":"c","effect":"deny"}
        ]"#,
    );
    let steps = rules.explain(&deployment_to(&["Production"])).steps;
    let actual: Vec<(&str, &str, bool)> =
        steps.iter().map(|s| (s.rule.as_str(), s.reason.as_str(), s.matched)).collect();
    assert_eq!(actual, [("a", "`groups` does not match", false), ("b", "matches", true)]);
}

const NAMES: [&str; 4] = ["Development", "Staging", "Production", "Vault"];

fn any_rules() -> impl Strategy<Value = PolicySettings> {
    let effect = prop::sample::select(vec![Effect::Allow, Effect::Confirm, Effect::Deny]);
    let names = |names: Vec<&'static str>| {
        let names = prop::sample::subsequence(names, 1..=2);
        let list =
            names.prop_map(|names| ListSetting(names.into_iter().map(str::to_owned).collect()));
        prop::option::of(list)
    };
    let tags = names(vec!["Ring/1", "Ring/2"]);
    let tenants = names(vec!["Acme", "Zenith"]);
    let risks = prop::option::of(prop::sample::subsequence(vec![Risk::Medium, Risk::High], 1..=2));
    let rule = (effect.clone(), names(NAMES.to_vec()), tags, tenants, risks, any::<bool>());
    let rule = rule.prop_map(|(effect, environments, environment_tags, tenants, risks, word)| {
        config::RuleSettings {
            name: "r".to_owned(),
            effect,
            confirmation_text: (word && effect == Effect::Confirm).then(|| "yes".to_owned()),
            environments,
            environment_tags,
            tenants,
            risks,
            ..config::RuleSettings::default()
        }
    });
    (prop::collection::vec(rule, 0..6), effect).prop_map(|(rules, otherwise)| PolicySettings {
        rules,
        otherwise,
        ..PolicySettings::default()
    })
}

fn any_environment() -> impl Strategy<Value = ResourceRef> {
    let tags = prop::sample::subsequence(vec!["Ring/1", "Ring/2"], 0..=2);
    (prop::sample::select(NAMES.to_vec()), tags).prop_map(|(name, tags)| tagged(name, &tags))
}

fn strictness(rules: &PolicyEngine, input: &PolicyInput) -> (Effect, bool) {
    let decision = rules.decide(input);
    (decision.effect, decision.confirmation_word.is_some())
}

proptest! {
    #[test]
    fn combined_decision_equals_strictest_single_decision(
        policy in any_rules(),
        environments in prop::collection::vec(any_environment(), 1..4),
        tenants in prop::sample::subsequence(vec!["Acme", "Zenith", "Other"], 0..=3),
    ) {
        let rules = PolicyEngine::from_settings(&policy).unwrap();
        let mut input = deployment_to(&[]);
        let tenants: Vec<ResourceRef> = tenants.into_iter().map(ResourceRef::named).collect();
        input.environments = ResourceSet::known(environments.clone());
        input.tenants = ResourceSet::known(tenants.clone());
        let combined = strictness(&rules, &input);
        let alone = |resources: Vec<ResourceRef>| {
            let each = resources.iter().map(|one| ResourceSet::known(vec![one.clone()])).collect::<Vec<_>>();
            if each.is_empty() { vec![ResourceSet::none()] } else { each }
        };
        let mut strictest = (Effect::Allow, false);
        for environment in alone(environments) {
            for tenant in alone(tenants.clone()) {
                input.environments = environment.clone();
                input.tenants = tenant;
                strictest = strictest.max(strictness(&rules, &input));
            }
        }
        prop_assert_eq!(combined, strictest);
    }

    #[test]
    fn unknown_resources_never_give_laxer_decisions(
        policy in any_rules(),
        environment in any_environment(),
        unknown_part in 0..3,
    ) {
        let rules = PolicyEngine::from_settings(&policy).unwrap();
        let mut input = deployment_to(&[]);
        input.environments = ResourceSet::known(vec![environment.clone()]);
        let known = strictness(&rules, &input);
        input.environments = match unknown_part {
            0 => ResourceSet::unknown(),
            1 => ResourceSet::known(vec![ResourceRef { tags: None, ..environment }]),
            _ => ResourceSet::known(vec![ResourceRef { name: None, id: "Environments-9".to_owned(), ..environment }]),
        };
        prop_assert!(strictness(&rules, &input) >= known);
    }

    /// A read that accesses more targets, or targets that are less known, never gets a laxer
    /// decision.
    #[test]
    fn additional_read_targets_never_give_laxer_decisions(
        policy in any_rules(),
        environments in prop::collection::vec(any_environment(), 1..4),
        more in any_environment(),
        unknown in any::<bool>(),
    ) {
        let mut policy = policy;
        policy.rules.iter_mut().for_each(|rule| rule.tiers = Some(vec![Tier::Read]));
        let rules = PolicyEngine::from_settings(&policy).unwrap();
        let mut input = PolicyInput { tier: Tier::Read, ..deployment_to(&[]) };
        input.environments = ResourceSet::known(environments.clone());
        let fewer = rules.decide_strictly(&input).effect;
        prop_assert!(fewer >= rules.decide(&input).effect);
        input.environments.resources.push(more);
        input.environments.has_unknown = unknown;
        prop_assert!(rules.decide_strictly(&input).effect >= fewer);
    }
}
