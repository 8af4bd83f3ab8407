//! The plain form of decisions: every rule at every combination of what a call reaches. Decisions
//! that leave combinations out are compared with it.

use crate::{
    config::{ENVIRONMENT_WORD, Effect, Risk},
    rules::{Decision, Rules, Situation, Step, Tier, rule::Fit, situation::One, targets::Target},
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
    let decisions = worst.into_iter().map(|(decision, _)| decision).collect();
    (Decision { risk, ..together(decisions) }, steps)
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
            (Fit::No("tiers"), "it is not about calls that only read".to_owned())
        } else {
            let fit = rule.fits(situation, target);
            let said = match (fit, rule.effect) {
                (Fit::Yes, _) => "it matches".to_owned(),
                (Fit::No(what), _) => format!("`{what}` does not match"),
                (Fit::Unknown(what), Effect::Allow) => {
                    format!("`{what}` is not known, and then nothing is let through by it")
                }
                (Fit::Unknown(what), _) if reads => format!("`{what}` is not known"),
                (Fit::Unknown(what), _) => format!("`{what}` is not known, so it counts"),
            };
            (fit, said)
        };
        let matched = match fit {
            Fit::Yes => true,
            Fit::Unknown(_) => strict && rule.effect != Effect::Allow,
            Fit::No(_) => false,
        };
        steps.push(Step { rule: rule.name.clone(), effect: rule.effect, said, matched });
        if matched {
            let unknown = if let Fit::Unknown(what) = fit { Some(what) } else { None };
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

fn together(decisions: Vec<Decision>) -> Decision {
    let mut apart: Vec<Decision> = Vec::new();
    for decision in decisions {
        let is_new = apart.iter().all(|known| known.typed != decision.typed);
        if apart.is_empty() || decision.typed.is_some() && is_new {
            apart.push(decision);
        }
    }
    let joined = |of: fn(&Decision) -> Option<&String>, between: &str| {
        let all: Vec<&str> = apart.iter().filter_map(of).map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join(between))
    };
    let rule = joined(|decision| decision.rule.as_ref(), ", ");
    let typed = joined(|decision| decision.typed.as_ref(), " ");
    let message = joined(|decision| decision.message.as_ref(), "; ");
    let unknown = apart.iter().find_map(|decision| decision.unknown);
    Decision { rule, typed, message, unknown, ..apart.into_iter().next().unwrap() }
}
