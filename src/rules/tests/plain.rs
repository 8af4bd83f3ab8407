//! Reference implementation of decisions: evaluates every rule at every combination of resources.
//! Optimized decisions are compared with it.

use crate::{
    config::{ENVIRONMENT_WORD, Effect, Risk},
    rules::{
        Decision, Rules, Situation, Step, Tier, explain::said, found::together, rule::Fit,
        situation::One, targets::Target,
    },
};

pub(super) fn decide(rules: &Rules, situation: &Situation, strict: bool) -> (Decision, Vec<Step>) {
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
                        known.unknown = known.unknown.or(decision.unknown);
                    }
                    None => worst.push((decision, vec![*target])),
                }
            }
        }
    }
    for (decision, targets) in &mut worst {
        if decision.typed.as_deref() == Some(ENVIRONMENT_WORD) {
            decision.typed = Some(word(targets, decision.rule.as_deref()));
        }
    }
    let risk = targets.iter().map(|target| target.risk.0).max().unwrap();
    let decision = together(worst.into_iter().map(|(decision, _)| decision)).unwrap();
    (Decision { risk, ..decision }, steps)
}

fn targets<'s>(rules: &Rules, situation: &'s Situation) -> Vec<Target<'s>> {
    let mut targets = Vec::new();
    for &time in &situation.times {
        for space in situation.space.each() {
            for project in situation.projects.each() {
                for environment in situation.environments.each() {
                    for tenant in situation.tenants.each() {
                        let risk = rules.high_risk.of_deed(situation.deed, environment);
                        targets.push(Target { time, space, project, environment, tenant, risk });
                    }
                }
            }
        }
    }
    targets
}

fn at(
    rules: &Rules,
    situation: &Situation,
    target: &Target<'_>,
    strict: bool,
) -> (Vec<Decision>, Vec<Step>) {
    let reads = situation.tier == Tier::Read;
    let of = |rule: Option<&crate::rules::rule::Rule>, effect, unknown| Decision {
        rule: rule.map(|rule| rule.name.clone()),
        effect,
        typed: rule.and_then(|rule| rule.typed.clone()).filter(|_| effect == Effect::Confirm),
        message: rule.and_then(|rule| rule.message.clone()),
        risk: Risk::Read,
        unknown,
    };
    let (mut decisions, mut steps) = (Vec::new(), Vec::new());
    for rule in &rules.rules {
        let (fit, said) = if reads && !rule.reads {
            (Fit::No("tiers"), "the rule does not cover reads".to_owned())
        } else {
            let fit = rule.fits(situation, target);
            (fit, said(fit, rule.effect, reads))
        };
        let matched = match fit {
            Fit::Yes => true,
            Fit::Unknown(_) => strict && rule.effect != Effect::Allow,
            Fit::No(_) => false,
        };
        steps.push(Step { rule: rule.name.clone(), effect: rule.effect, said, matched });
        if matched {
            let unknown = if let Fit::Unknown(condition) = fit { Some(condition) } else { None };
            let asks = reads && rule.effect == Effect::Confirm;
            let effect = if asks { Effect::Allow } else { rule.effect };
            decisions.push(of(Some(rule), effect, unknown));
        }
        if fit == Fit::Yes {
            return (decisions, steps);
        }
    }
    decisions.push(of(None, if reads { Effect::Allow } else { rules.otherwise }, None));
    (decisions, steps)
}

fn strictness(decision: &Decision) -> (Effect, bool) {
    (decision.effect, decision.typed.is_some())
}

fn word<'a>(targets: &[Target<'a>], rule: Option<&str>) -> String {
    let picks: [fn(&Target<'a>) -> One<'a>; 3] =
        [|target| target.environment, |target| target.project, |target| target.space];
    for pick in picks {
        let mut names: Vec<&str> = Vec::new();
        for one in targets.iter().map(pick) {
            if let One::Thing(thing) = one
                && !names.contains(&thing.shown())
            {
                names.push(thing.shown());
            }
        }
        if !names.is_empty() {
            return names.join(", ");
        }
    }
    rule.unwrap_or("yes").to_owned()
}
