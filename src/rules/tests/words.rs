//! Several matching rules: confirmation words and denials.

use super::*;

#[test]
fn where_rules_want_different_words_all_of_them_are_typed() {
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
        let decision = rules.decide(&deploys(environments));
        let said = (decision.rule.as_deref(), decision.typed.as_deref());
        assert_eq!(said, (Some(rule), Some(typed)), "{environments:?}");
    }
    // Also if it is unknown which rule matches.
    let mut situation = deploys(&[]);
    situation.environments = Of::unknown();
    let typed = rules.decide(&situation).typed.unwrap();
    assert!(["europe", "america"].iter().all(|word| typed.contains(word)), "{typed}");
}

#[test]
fn a_read_may_be_denied_where_what_a_rule_asks_for_is_not_known() {
    let rules =
        rules(r#"[{"name":"r","effect":"deny","tiers":["read"],"environments":["production"]}]"#);
    let mut situation = deploys(&["Production"]);
    (situation.tier, situation.deed) = (Tier::Read, Deed::Read);
    for (environments, denied, may_be) in [
        (Of::known(vec![Thing::called("Production")]), true, true),
        (Of::known(vec![Thing::called("Test")]), false, false),
        (Of::unknown(), false, true),
        (Of::none(), false, false),
    ] {
        situation.environments = environments;
        let said = [rules.decide(&situation), rules.decide_strictly(&situation)];
        let is_denied = said.map(|decision| decision.effect == Effect::Deny);
        assert_eq!(is_denied, [denied, may_be], "{situation:?}");
    }
}

#[test]
fn what_begins_later_is_judged_by_now_and_by_then() {
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
        let situation = Situation { times, ..deploys(&["Staging"]) };
        assert_eq!(rules.decide(&situation).rule.as_deref(), Some(rule), "{:?}", situation.times);
    }
}

#[test]
fn more_places_than_can_be_judged_are_refused_and_as_many_as_can_are_not() {
    let rules = rules(
        r#"[{"name":"r","effect":"allow","tiers":["read","write"],"projects":["*"],
            "environments":["*"],"tenants":["*"]}]"#,
    );
    let many = |count: usize| {
        Of::known((0..count).map(|number| tagged(&format!("thing {number}"), &[])).collect())
    };
    for (each, effect) in [(21, Effect::Allow), (22, Effect::Deny), (1_000, Effect::Deny)] {
        let mut situation = deploys(&[]);
        (situation.projects, situation.environments) = (many(each), many(each));
        situation.tenants = many(each);
        for tier in [Tier::Write, Tier::Read] {
            situation.tier = tier;
            let decision = rules.decide(&situation);
            assert_eq!(decision.effect, effect, "{each} {tier:?}");
            assert_eq!(decision.message.is_some(), effect == Effect::Deny);
        }
    }
}
