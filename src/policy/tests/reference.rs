//! Reference implementation of decisions: evaluates every rule at every combination of resources.
//! Optimized decisions are compared with it.

use crate::{
    config::{Effect, Risk, TYPE_ENVIRONMENT_NAME},
    policy::{
        Decision, PolicyEngine, PolicyInput, RuleStep, Tier, explain::match_reason,
        input::TargetResource, rule::RuleMatch, target::Target, verdict::merge_decisions,
    },
};

pub(super) fn decide(
    rules: &PolicyEngine,
    input: &PolicyInput,
    strict: bool,
) -> (Decision, Vec<RuleStep>) {
    let mut strictest: Vec<(Decision, Vec<Target<'_>>)> = Vec::new();
    let mut steps = Vec::new();
    let targets = targets(rules, input);
    for target in &targets {
        let (decisions, reason) = evaluate_target(rules, input, target, strict);
        for decision in decisions {
            let current = strictest.first().map(|(current, _)| strictness(current));
            if current.is_none_or(|current| strictness(&decision) > current) {
                strictest = vec![(decision, vec![*target])];
                steps.clone_from(&reason);
            } else if current == Some(strictness(&decision)) {
                match strictest.iter_mut().find(|(current, _)| current.rule == decision.rule) {
                    Some((current, targets)) => {
                        targets.push(*target);
                        current.unknown_condition =
                            current.unknown_condition.or(decision.unknown_condition);
                    }
                    None => strictest.push((decision, vec![*target])),
                }
            }
        }
    }
    for (decision, targets) in &mut strictest {
        if decision.confirmation_word.as_deref() == Some(TYPE_ENVIRONMENT_NAME) {
            decision.confirmation_word = Some(confirmation_word(targets, decision.rule.as_deref()));
        }
    }
    let risk = targets.iter().map(|target| target.risk.0).max().unwrap();
    let decision = merge_decisions(strictest.into_iter().map(|(decision, _)| decision)).unwrap();
    (Decision { risk, ..decision }, steps)
}

fn targets<'s>(rules: &PolicyEngine, input: &'s PolicyInput) -> Vec<Target<'s>> {
    let mut targets = Vec::new();
    for &time in &input.times {
        for space in input.space.each() {
            for project in input.projects.each() {
                for environment in input.environments.each() {
                    for tenant in input.tenants.each() {
                        let risk = rules.high_risk.risk_of(input.action, environment);
                        targets.push(Target { time, space, project, environment, tenant, risk });
                    }
                }
            }
        }
    }
    targets
}

fn evaluate_target(
    rules: &PolicyEngine,
    input: &PolicyInput,
    target: &Target<'_>,
    strict: bool,
) -> (Vec<Decision>, Vec<RuleStep>) {
    let is_read = input.tier == Tier::Read;
    let decision_of =
        |rule: Option<&crate::policy::rule::CompiledRule>, effect, unknown| Decision {
            rule: rule.map(|rule| rule.name.clone()),
            effect,
            confirmation_word: rule
                .and_then(|rule| rule.confirmation_word.clone())
                .filter(|_| effect == Effect::Confirm),
            message: rule.and_then(|rule| rule.message.clone()),
            risk: Risk::Read,
            unknown_condition: unknown,
        };
    let (mut decisions, mut steps) = (Vec::new(), Vec::new());
    for rule in &rules.rules {
        let (rule_match, reason) = if is_read && !rule.covers_reads {
            (RuleMatch::No("tiers"), "the rule does not cover reads".to_owned())
        } else {
            let rule_match = rule.matches(input, target);
            (rule_match, match_reason(rule_match, rule.effect, is_read))
        };
        let matched = match rule_match {
            RuleMatch::Yes => true,
            RuleMatch::Unknown(_) => strict && rule.effect != Effect::Allow,
            RuleMatch::No(_) => false,
        };
        steps.push(RuleStep { rule: rule.name.clone(), effect: rule.effect, reason, matched });
        if matched {
            let unknown =
                if let RuleMatch::Unknown(condition) = rule_match { Some(condition) } else { None };
            let is_confirmed_read = is_read && rule.effect == Effect::Confirm;
            let effect = if is_confirmed_read { Effect::Allow } else { rule.effect };
            decisions.push(decision_of(Some(rule), effect, unknown));
        }
        if rule_match == RuleMatch::Yes {
            return (decisions, steps);
        }
    }
    decisions.push(decision_of(
        None,
        if is_read { Effect::Allow } else { rules.default_effect },
        None,
    ));
    (decisions, steps)
}

fn strictness(decision: &Decision) -> (Effect, bool) {
    (decision.effect, decision.confirmation_word.is_some())
}

fn confirmation_word<'a>(targets: &[Target<'a>], rule: Option<&str>) -> String {
    let picks: [fn(&Target<'a>) -> TargetResource<'a>; 3] =
        [|target| target.environment, |target| target.project, |target| target.space];
    for pick in picks {
        let mut names: Vec<&str> = Vec::new();
        for one in targets.iter().map(pick) {
            if let TargetResource::Known(resource) = one
                && !names.contains(&resource.display_name())
            {
                names.push(resource.display_name());
            }
        }
        if !names.is_empty() {
            return names.join(", ");
        }
    }
    rule.unwrap_or("yes").to_owned()
}
