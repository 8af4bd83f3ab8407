//! Tables and properties of decisions.

mod collapsed;
mod plain;
mod words;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::{self, Effect, List, Policy, Risk};

fn rules(text: &str) -> Rules {
    Rules::of(&policy(text)).unwrap()
}

fn policy(rules: &str) -> Policy {
    let rules: Vec<config::Rule> = serde_json::from_str(rules).unwrap();
    Policy { rules, ..Policy::default() }
}

fn tagged(name: &str, tags: &[&str]) -> Thing {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Thing { tags: Some(tags), ..Thing::called(name) }
}

fn deploys(environments: &[&str]) -> Situation {
    Situation {
        tool: "deploy_release".to_owned(),
        toolset: "deployments".to_owned(),
        tier: Tier::Write,
        deed: Deed::Run,
        instance: "emea".to_owned(),
        callers: vec!["agent-7".to_owned()],
        groups: BTreeSet::from(["developers".to_owned()]),
        times: vec![Moment::At("2026-11-06T15:30:00Z".parse().unwrap())],
        space: Of::known(vec![Thing::called("Default")]),
        projects: Of::known(vec![Thing {
            group: Some(Box::new(Thing::called("Back Office"))),
            ..Thing::called("Billing")
        }]),
        environments: Of::known(environments.iter().map(|name| tagged(name, &[])).collect()),
        tenants: Of::none(),
    }
}

/// Each condition, with a value that matches and one that does not.
#[test]
fn each_matcher_is_asked() {
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
        let mut situation = deploys(&[]);
        situation.environments = Of::known(vec![tagged("Production", &["Stage/Live"])]);
        situation.tenants = Of::known(vec![tagged("Acme", &["Tier/Gold"])]);
        for (matcher, effect) in [(matcher, Effect::Deny), (other, Effect::Allow)] {
            let rules = rules(&format!(r#"[{{"name":"r","effect":"deny",{matcher}}}]"#));
            assert_eq!(rules.decide(&situation).effect, effect, "{matcher}");
        }
    }
}

#[test]
fn the_first_rule_that_matches_decides_place_by_place() {
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
        let decision = rules.decide(&deploys(environments));
        let said = (decision.rule.as_deref(), decision.effect, decision.typed.as_deref());
        assert_eq!(said, (rule, effect, typed), "{environments:?}");
    }
}

#[test]
fn what_is_not_known_refuses_a_change_and_lets_a_read_pass() {
    let deny = rules(
        r#"[{"name":"r","effect":"deny","tiers":["read","write"],"environments":["production"]}]"#,
    );
    let mut situation = deploys(&[]);
    situation.environments = Of::unknown();
    let decision = deny.decide(&situation);
    assert_eq!((decision.effect, decision.unknown), (Effect::Deny, Some("environments")));
    situation.tier = Tier::Read;
    assert_eq!(deny.decide(&situation).effect, Effect::Allow);
    situation.tier = Tier::Write;
    // Not applicable is not the same as unknown.
    situation.environments = Of::none();
    assert_eq!(deny.decide(&situation).effect, Effect::Allow);
    let mut allow = policy(r#"[{"name":"r","effect":"allow","environments":["*"]}]"#);
    allow.otherwise = Effect::Deny;
    let allow = Rules::of(&allow).unwrap();
    situation.environments = Of::unknown();
    assert_eq!(allow.decide(&situation).effect, Effect::Deny);
    situation.environments = Of::known(vec![Thing::called("Test")]);
    assert_eq!(allow.decide(&situation).effect, Effect::Allow);
}

#[test]
fn rules_are_about_reads_where_they_say_so_and_ask_nobody_there() {
    let mut situation = deploys(&["Production"]);
    (situation.tier, situation.deed) = (Tier::Read, Deed::Read);
    for (rule, effect) in [
        (r#"{"name":"r","effect":"deny","environments":["production"]}"#, Effect::Allow),
        (r#"{"name":"r","effect":"deny","tiers":["read"],"projects":["billing"]}"#, Effect::Deny),
        (r#"{"name":"r","effect":"deny","risks":["read"]}"#, Effect::Deny),
        (r#"{"name":"r","effect":"confirm","type":"x","tiers":["read"]}"#, Effect::Allow),
    ] {
        let decision = rules(&format!("[{rule}]")).decide(&situation);
        assert_eq!((decision.effect, decision.typed), (effect, None), "{rule}");
    }
    let mut closed = policy("[]");
    closed.otherwise = Effect::Deny;
    assert_eq!(Rules::of(&closed).unwrap().decide(&situation).effect, Effect::Allow);
    situation.tier = Tier::Write;
    assert_eq!(Rules::of(&closed).unwrap().decide(&situation).effect, Effect::Deny);
}

#[test]
fn risk_is_that_of_the_worst_place() {
    let rules = rules("[]");
    for (environments, risk) in [
        (&["Development"][..], Risk::Medium),
        (&["Development", "Production"], Risk::High),
        (&["Pre-Production"], Risk::Medium),
        (&[], Risk::Medium),
    ] {
        assert_eq!(rules.decide(&deploys(environments)).risk, risk, "{environments:?}");
    }
}

#[test]
fn steps_say_why_earlier_rules_did_not_decide() {
    let rules = rules(
        r#"[
            {"name":"a","effect":"deny","groups":["operators"]},
            {"name":"b","effect":"confirm","environments":["production"]},
            {"name":"c","effect":"deny"}
        ]"#,
    );
    let steps = rules.steps(&deploys(&["Production"]));
    let said: Vec<(&str, &str, bool)> =
        steps.iter().map(|s| (s.rule.as_str(), s.said.as_str(), s.matched)).collect();
    assert_eq!(said, [("a", "`groups` does not match", false), ("b", "matches", true)]);
}

const NAMES: [&str; 4] = ["Development", "Staging", "Production", "Vault"];

fn any_rules() -> impl Strategy<Value = Policy> {
    let effect = prop::sample::select(vec![Effect::Allow, Effect::Confirm, Effect::Deny]);
    let names = |names: Vec<&'static str>| {
        let names = prop::sample::subsequence(names, 1..=2);
        let list = names.prop_map(|names| List(names.into_iter().map(str::to_owned).collect()));
        prop::option::of(list)
    };
    let tags = names(vec!["Ring/1", "Ring/2"]);
    let tenants = names(vec!["Acme", "Zenith"]);
    let risks = prop::option::of(prop::sample::subsequence(vec![Risk::Medium, Risk::High], 1..=2));
    let rule = (effect.clone(), names(NAMES.to_vec()), tags, tenants, risks, any::<bool>());
    let rule = rule.prop_map(|(effect, environments, environment_tags, tenants, risks, word)| {
        config::Rule {
            name: "r".to_owned(),
            effect,
            typed: (word && effect == Effect::Confirm).then(|| "yes".to_owned()),
            environments,
            environment_tags,
            tenants,
            risks,
            ..config::Rule::default()
        }
    });
    (prop::collection::vec(rule, 0..6), effect).prop_map(|(rules, otherwise)| Policy {
        rules,
        otherwise,
        ..Policy::default()
    })
}

fn any_environment() -> impl Strategy<Value = Thing> {
    let tags = prop::sample::subsequence(vec!["Ring/1", "Ring/2"], 0..=2);
    (prop::sample::select(NAMES.to_vec()), tags).prop_map(|(name, tags)| tagged(name, &tags))
}

fn strictness(rules: &Rules, situation: &Situation) -> (Effect, bool) {
    let decision = rules.decide(situation);
    (decision.effect, decision.typed.is_some())
}

proptest! {
    #[test]
    fn together_is_as_strict_as_the_strictest_alone(
        policy in any_rules(),
        environments in prop::collection::vec(any_environment(), 1..4),
        tenants in prop::sample::subsequence(vec!["Acme", "Zenith", "Other"], 0..=3),
    ) {
        let rules = Rules::of(&policy).unwrap();
        let mut situation = deploys(&[]);
        let tenants: Vec<Thing> = tenants.into_iter().map(Thing::called).collect();
        situation.environments = Of::known(environments.clone());
        situation.tenants = Of::known(tenants.clone());
        let together = strictness(&rules, &situation);
        let alone = |things: Vec<Thing>| {
            let each = things.iter().map(|one| Of::known(vec![one.clone()])).collect::<Vec<_>>();
            if each.is_empty() { vec![Of::none()] } else { each }
        };
        let mut strictest = (Effect::Allow, false);
        for environment in alone(environments) {
            for tenant in alone(tenants.clone()) {
                situation.environments = environment.clone();
                situation.tenants = tenant;
                strictest = strictest.max(strictness(&rules, &situation));
            }
        }
        prop_assert_eq!(together, strictest);
    }

    #[test]
    fn not_knowing_is_never_laxer_than_whatever_it_turns_out_to_be(
        policy in any_rules(),
        environment in any_environment(),
        what in 0..3,
    ) {
        let rules = Rules::of(&policy).unwrap();
        let mut situation = deploys(&[]);
        situation.environments = Of::known(vec![environment.clone()]);
        let known = strictness(&rules, &situation);
        situation.environments = match what {
            0 => Of::unknown(),
            1 => Of::known(vec![Thing { tags: None, ..environment }]),
            _ => Of::known(vec![Thing { name: None, id: "Environments-9".to_owned(), ..environment }]),
        };
        prop_assert!(strictness(&rules, &situation) >= known);
    }

    /// A read that accesses more targets, or targets that are less known, never gets a laxer
    /// decision.
    #[test]
    fn more_places_of_a_read_are_never_laxer(
        policy in any_rules(),
        environments in prop::collection::vec(any_environment(), 1..4),
        more in any_environment(),
        unknown in any::<bool>(),
    ) {
        let mut policy = policy;
        policy.rules.iter_mut().for_each(|rule| rule.tiers = Some(vec![config::TierWord::Read]));
        let rules = Rules::of(&policy).unwrap();
        let mut situation = Situation { tier: Tier::Read, ..deploys(&[]) };
        situation.environments = Of::known(environments.clone());
        let fewer = rules.decide_strictly(&situation).effect;
        prop_assert!(fewer >= rules.decide(&situation).effect);
        situation.environments.things.push(more);
        situation.environments.more = unknown;
        prop_assert!(rules.decide_strictly(&situation).effect >= fewer);
    }
}
