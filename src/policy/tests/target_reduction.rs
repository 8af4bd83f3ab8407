//! Kinds of resources that no rule depends on do not multiply the number of evaluated targets.

use serde_json::{Map, Value, json};

use super::{reference, *};
use crate::text::step_counter;

fn many(count: usize) -> ResourceSet {
    ResourceSet::known((0..count).map(|number| tagged(&format!("thing {number}"), &[])).collect())
}

/// A call with this access level on 50 projects, 5 environments and 100 tenants.
fn large_call(tier: Tier) -> PolicyInput {
    PolicyInput {
        tier,
        action: if tier == Tier::Read { PolicyAction::Read } else { PolicyAction::Run },
        projects: many(50),
        environments: many(5),
        tenants: many(100),
        ..deployment_to(&[])
    }
}

#[test]
fn evaluates_read_of_many_targets_by_space_rule() {
    let rules = rules(
        r#"[
            {"name":"write","effect":"deny","projects":["x"],"environments":["x"],"tenants":["x"]},
            {"name":"other","effect":"deny","tiers":["read"],"tools":["list_*"],"tenants":["x"]},
            {"name":"r","effect":"deny","tiers":["read"],"spaces":["Secret"]},
            {"name":"all","effect":"allow","tiers":["read"]},
            {"name":"late","effect":"deny","tiers":["read"],"projects":["x"],"tenants":["x"]}
        ]"#,
    );
    for (space, effect) in [("Default", Effect::Allow), ("Secret", Effect::Deny)] {
        let space = ResourceSet::known(vec![ResourceRef::named(space)]);
        let decision = rules.decide_strictly(&PolicyInput { space, ..large_call(Tier::Read) });
        assert_eq!((decision.effect, decision.message), (effect, None));
    }
}

#[test]
fn confirmation_word_lists_environments_without_conditions() {
    for (matcher, word) in [
        (r#""spaces":["default"]"#, "thing 0, thing 1, thing 2, thing 3, thing 4"),
        (r#""environments":["thing 3","thing 1"]"#, "thing 1, thing 3"),
    ] {
        let rules = rules(&format!(
            r#"[{{"name":"r","effect":"confirm","type":"environment",{matcher}}}]"#
        ));
        let decision = rules.decide(&large_call(Tier::Write));
        assert_eq!(decision.confirmation_word.as_deref(), Some(word), "{matcher}");
    }
}

#[test]
fn explains_only_the_deciding_target() {
    let rules = rules(
        r#"[
            {"name":"a","effect":"deny","environments":["x"]},
            {"name":"b","effect":"deny","tenants":["x"]}
        ]"#,
    );
    let input = large_call(Tier::Write);
    let (_, decided) = step_counter::count(|| rules.decide(&input));
    assert_eq!((decided, rules.estimated_comparisons(&input)), (5 * 100 * 2, 5 * 100 * 2 + 5));
    let (explanation, explained) = step_counter::count(|| rules.explain(&input));
    assert_eq!((explanation.steps.len(), explained), (2, decided + 2));
}

fn list(words: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let list = prop::sample::subsequence(words, 1..=2).prop_map(|words| json!(words));
    prop::option::weighted(0.3, list)
}

/// A rule with any conditions, as written in the settings.
fn any_rule() -> impl Strategy<Value = config::RuleSettings> {
    let rule_fields = (
        prop::sample::select(vec!["r1", "r2", "r3", "r4"]),
        prop::sample::select(vec!["allow", "confirm", "deny"]),
        prop::option::of(prop::sample::select(vec!["environment", "yes", "no"])),
        prop::option::of(prop::sample::select(vec!["never", "later"])),
    );
    let call_conditions = (
        list(&["deploy_*", "!deploy_*", "other"]),
        prop::option::of(prop::sample::subsequence(vec!["read", "write", "delete"], 1..=3)),
        list(&["read", "low", "medium", "high", "destructive"]),
        list(&["developers", "operators"]),
        prop::option::weighted(0.2, prop::sample::select(vec!["fri", "thu"])),
    );
    let resource_conditions = (
        list(&["default", "secret", "!secret"]),
        list(&["a*", "b", "!c"]),
        list(&["back", "front"]),
        list(&["dev*", "prod*", "!vault"]),
        list(&["Ring/1", "Ring/2", "!Ring/2"]),
        list(&["acme", "z*"]),
        list(&["Tier/1", "Tier/2"]),
    );
    (rule_fields, call_conditions, resource_conditions).prop_map(
        |(rule_fields, call_conditions, resource_conditions)| {
            let (name, effect, typed, message) = rule_fields;
            let (tools, tiers, risks, groups, days) = call_conditions;
            let (spaces, projects, project_groups, environments, environment_tags, tenants, tags) =
                resource_conditions;
            let typed = typed.filter(|_| effect == "confirm");
            let fields = [
                ("name", Some(json!(name))),
                ("effect", Some(json!(effect))),
                ("type", typed.map(|word| json!(word))),
                ("message", message.map(|message| json!(message))),
                ("tools", tools),
                ("tiers", tiers.map(|tiers| json!(tiers))),
                ("risks", risks),
                ("groups", groups),
                ("times", days.map(|days| json!([{ "days": days }]))),
                ("spaces", spaces),
                ("projects", projects),
                ("project_groups", project_groups),
                ("environments", environments),
                ("environment_tags", environment_tags),
                ("tenants", tenants),
                ("tenant_tags", tags),
            ];
            let given =
                fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
            serde_json::from_value(Value::Object(given.collect::<Map<_, _>>())).unwrap()
        },
    )
}

/// Resources of one kind with different degrees of knowledge, and possibly further unknown ones.
fn any_resources(
    names: &'static [&'static str],
    tags: &'static [&'static str],
) -> impl Strategy<Value = ResourceSet> {
    let group = prop::option::of(prop::sample::select(vec!["back", "front"]));
    let tags = prop::option::of(prop::sample::subsequence(tags, 0..=tags.len()));
    let resource = (prop::sample::select(names), 0..4, tags, group);
    let resource = resource.prop_map(|(name, nameless, tags, group)| ResourceRef {
        id: name.to_owned(),
        name: (nameless > 0).then(|| name.to_owned()),
        slug: None,
        tags: tags.map(|tags| tags.into_iter().map(str::to_owned).collect()),
        group: group.map(|group| Box::new(ResourceRef::named(group))),
    });
    let more = prop::bool::weighted(0.2);
    (prop::collection::vec(resource, 0..4), more)
        .prop_map(|(resources, more)| ResourceSet { resources, has_unknown: more })
}

fn any_input() -> impl Strategy<Value = PolicyInput> {
    let tier = prop::sample::select(vec![Tier::Read, Tier::Write, Tier::Delete]);
    let action = prop::sample::select(vec![PolicyAction::Release, PolicyAction::Run]);
    let at = |day: u8| Moment::At(format!("2026-11-{day:02}T12:00:00Z").parse().unwrap());
    let times = prop::sample::subsequence(vec![at(5), at(6), at(9), Moment::Unknown], 1..=2);
    let resources = (
        any_resources(&["default", "secret"], &[]),
        any_resources(&["alpha", "a", "b", "c"], &[]),
        any_resources(&["Dev", "Production", "Prod EU", "Vault"], &["Ring/1", "Ring/2"]),
        any_resources(&["Acme", "Zenith", "Other"], &["Tier/1", "Tier/2"]),
    );
    (tier, action, times, resources).prop_map(|(tier, action, times, resources)| {
        let (space, projects, environments, tenants) = resources;
        let action = match tier {
            Tier::Read => PolicyAction::Read,
            Tier::Write => action,
            Tier::Delete => PolicyAction::Delete,
        };
        let known = deployment_to(&[]);
        PolicyInput { tier, action, times, space, projects, environments, tenants, ..known }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Decisions and explanations equal those of the reference implementation.
    #[test]
    fn decisions_equal_reference_implementation(
        rules in prop::collection::vec(any_rule(), 0..6),
        otherwise in prop::sample::select(vec![Effect::Allow, Effect::Confirm, Effect::Deny]),
        tagged in any::<bool>(),
        input in any_input(),
    ) {
        let mut policy = PolicySettings { rules, otherwise, ..PolicySettings::default() };
        if tagged {
            policy.high_risk_environment_tags = ListSetting(vec!["Ring/1".to_owned()]);
        }
        let rules = PolicyEngine::from_settings(&policy).unwrap();
        let strict = input.tier != Tier::Read;
        let (decision, steps) = reference::decide(&rules, &input, strict);
        prop_assert_eq!(rules.decide(&input), decision);
        prop_assert_eq!(rules.explain(&input).steps, steps);
        let (decision, _) = reference::decide(&rules, &input, true);
        prop_assert_eq!(rules.decide_strictly(&input), decision);
    }
}
