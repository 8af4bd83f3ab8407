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
    situation: &PolicyInput,
    strict: bool,
) -> (Decision, Vec<RuleStep>) {
    let mut worst: Vec<(Decision, Vec<Target<'_>>)> = Vec::new();
    let mut steps = Vec::new();
    let targets = targets(rules, situation);
    for target in &targets {
        let (decisions, said) = at(rules, situation, target, strict);
        for decision in decisions {
            let known = worst.first().map(|(known, _)| strictness(known));
            if known.is_none_or(|known| strictness(&decision) > known) {
                worst = vec![(decision, vec![*target])];
                steps.clone_from(&said);
            } else if known == Some(strictness(&decision)) {
                match worst.iter_mut().find(|(known, _)| known.rule == decision.rule) {
                    Some((known, targets)) => {
                        targets.push(*target);
                        known.unknown_condition =
                            known.unknown_condition.or(decision.unknown_condition);
                    }
                    None => worst.push((decision, vec![*target])),
                }
            }
        }
    }
    for (decision, targets) in &mut worst {
        if decision.confirmation_word.as_deref() == Some(TYPE_ENVIRONMENT_NAME) {
            decision.confirmation_word = Some(word(targets, decision.rule.as_deref()));
        }
    }
    let risk = targets.iter().map(|target| target.risk.0).max().unwrap();
    let decision = merge_decisions(worst.into_iter().map(|(decision, _)| decision)).unwrap();
    (Decision { risk, ..decision }, steps)
}

fn targets<'s>(rules: &PolicyEngine, situation: &'s PolicyInput) -> Vec<Target<'s>> {
    let mut targets = Vec::new();
    for &time in &situation.times {
        for space in situation.space.each() {
            for project in situation.projects.each() {
                for environment in situation.environments.each() {
                    for tenant in situation.tenants.each() {
                        let risk = rules.high_risk.risk_of(situation.action, environment);
                        targets.push(Target { time, space, project, environment, tenant, risk });
                    }
                }
            }
        }
    }
    targets
}

fn at(
    rules: &PolicyEngine,
    situation: &PolicyInput,
    target: &Target<'_>,
    strict: bool,
) -> (Vec<Decision>, Vec<RuleStep>) {
    let reads = situation.tier == Tier::Read;
    let of = |rule: Option<&crate::policy::rule::CompiledRule>, effect, unknown| Decision {
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
        let (fit, said) = if reads && !rule.covers_reads {
            (RuleMatch::No("tiers"), "the rule does not cover reads".to_owned())
        } else {
            let fit = rule.matches(situation, target);
            (fit, match_reason(fit, rule.effect, reads))
        };
        let matched = match fit {
            RuleMatch::Yes => true,
            RuleMatch::Unknown(_) => strict && rule.effect != Effect::Allow,
            RuleMatch::No(_) => false,
        };
        steps.push(RuleStep {
            rule: rule.name.clone(),
            effect: rule.effect,
            reason: said,
            matched,
        });
        if matched {
            let unknown =
                if let RuleMatch::Unknown(condition) = fit { Some(condition) } else { None };
            let asks = reads && rule.effect == Effect::Confirm;
            let effect = if asks { Effect::Allow } else { rule.effect };
            decisions.push(of(Some(rule), effect, unknown));
        }
        if fit == RuleMatch::Yes {
            return (decisions, steps);
        }
    }
    decisions.push(of(None, if reads { Effect::Allow } else { rules.default_effect }, None));
    (decisions, steps)
}

fn strictness(decision: &Decision) -> (Effect, bool) {
    (decision.effect, decision.confirmation_word.is_some())
}

fn word<'a>(targets: &[Target<'a>], rule: Option<&str>) -> String {
    let picks: [fn(&Target<'a>) -> TargetResource<'a>; 3] =
        [|target| target.environment, |target| target.project, |target| target.space];
    for pick in picks {
        let mut names: Vec<&str> = Vec::new();
        for one in targets.iter().map(pick) {
            if let TargetResource::Known(thing) = one
                && !names.contains(&thing.display_name())
            {
                names.push(thing.display_name());
            }
        }
        if !names.is_empty() {
            return names.join(", ");
        }
    }
    rule.unwrap_or("yes").to_owned()
}
