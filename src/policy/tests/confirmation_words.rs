//! Several matching rules: confirmation words and denials.

use super::*;

#[test]
fn requires_all_confirmation_words_of_equally_strict_rules() {
    let rules = rules(
        r#"[
            {"name":"eu","effect":"confirm","type":"europe","environments":["prod eu"],"message":"m"},
            {"name":"us","effect":"confirm","type":"america","environments":["prod us"]},
            {"name":"ca","effect":"confirm","type":"america","environments":["prod ca"]},
            {"name":"name","effect":"confirm","type":"environment","environments":["vault*"]},
            {"name":"ask","effect":"confirm","environments":["staging"]}
        ]"#,
    );
    for (environments, rule, typed) in [
        (&["Staging", "Prod EU"][..], "eu", "europe"),
        (&["Prod EU", "Staging", "Prod US"], "eu, us", "europe america"),
        (&["Prod US", "Prod EU", "Prod CA"], "us, eu", "america europe"),
        (&["Prod US", "Prod CA"], "us", "america"),
        (&["Vault 1", "Prod EU", "Vault 2"], "name, eu", "Vault 1, Vault 2 europe"),
    ] {
        let decision = rules.decide(&deployment_to(environments));
        let actual = (decision.rule.as_deref(), decision.confirmation_word.as_deref());
        assert_eq!(actual, (Some(rule), Some(typed)), "{environments:?}");
    }
    // Also if it is unknown which rule matches.
    let mut input = deployment_to(&[]);
    input.environments = ResourceSet::unknown();
    let typed = rules.decide(&input).confirmation_word.unwrap();
    assert!(["europe", "america"].iter().all(|word| typed.contains(word)), "{typed}");
}

#[test]
fn strict_decision_denies_read_of_unknown_resources() {
    let rules =
        rules(r#"[{"name":"r","effect":"deny","tiers":["read"],"environments":["production"]}]"#);
    let mut input = deployment_to(&["Production"]);
    (input.tier, input.action) = (Tier::Read, PolicyAction::Read);
    for (environments, denied, may_be) in [
        (ResourceSet::known(vec![ResourceRef::named("Production")]), true, true),
        (ResourceSet::known(vec![ResourceRef::named("Test")]), false, false),
        (ResourceSet::unknown(), false, true),
        (ResourceSet::none(), false, false),
    ] {
        input.environments = environments;
        let actual = [rules.decide(&input), rules.decide_strictly(&input)];
        let is_denied = actual.map(|decision| decision.effect == Effect::Deny);
        assert_eq!(is_denied, [denied, may_be], "{input:?}");
    }
}

#[test]
fn evaluates_scheduled_calls_now_and_at_start() {
    let rules = rules(
        r#"[
            {"name":"shut","effect":"deny","times":[{"days":"fri"}]},
            {"name":"open","effect":"allow","times":[{"days":"thu"}]},
            {"name":"ask","effect":"confirm"}
        ]"#,
    );
    let at = |day: u8| Moment::At(format!("2026-11-{day:02}T12:00:00Z").parse().unwrap());
    let (thursday, friday, monday) = (at(5), at(6), at(9));
    for (times, rule) in [
        (vec![thursday], "open"),
        (vec![thursday, friday], "shut"),
        (vec![friday, thursday], "shut"),
        (vec![thursday, monday], "ask"),
        (vec![thursday, Moment::Unknown], "shut"),
    ] {
        let input = PolicyInput { times, ..deployment_to(&["Staging"]) };
        assert_eq!(rules.decide(&input).rule.as_deref(), Some(rule), "{:?}", input.times);
    }
}

#[test]
fn denies_calls_above_target_limit() {
    let rules = rules(
        r#"[{"name":"r","effect":"allow","tiers":["read","write"],"projects":["*"],
            "environments":["*"],"tenants":["*"]}]"#,
    );
    let many = |count: usize| {
        ResourceSet::known(
            (0..count).map(|number| tagged(&format!("thing {number}"), &[])).collect(),
        )
    };
    for (each, effect) in [(21, Effect::Allow), (22, Effect::Deny), (1_000, Effect::Deny)] {
        let mut input = deployment_to(&[]);
        (input.projects, input.environments) = (many(each), many(each));
        input.tenants = many(each);
        for tier in [Tier::Write, Tier::Read] {
            input.tier = tier;
            let decision = rules.decide(&input);
            assert_eq!(decision.effect, effect, "{each} {tier:?}");
            assert_eq!(decision.message.is_some(), effect == Effect::Deny);
        }
    }
}
