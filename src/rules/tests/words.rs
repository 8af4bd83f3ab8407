//! Several rules at once: the words that are typed, and what may be denied.

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
    // Where it cannot be known which of them it is, too.
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
        let said = (rules.decide(&situation).effect == Effect::Deny, rules.may_deny(&situation));
        assert_eq!(said, (denied, may_be), "{situation:?}");
    }
}
