//! Applies the policy to a call.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Context, Error, Tier, Way};
use crate::{
    config::{Effect, Risk},
    octopus::{self, About, Instance, Kind, Session, Touches},
    rules::{self, Decision, Deed, Moment, Of, Situation},
};

/// The tool and toolset that a call is evaluated as.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Name of the tool.
    pub tool: &'static str,
    /// Name of its toolset.
    pub toolset: &'static str,
}

/// The policy decision on a call, for records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The rule that decided; `None` if no rule applies.
    pub rule: Option<String>,
    /// The effect of the decision.
    pub effect: Effect,
    /// The risk of the call.
    pub risk: Risk,
    /// How an executed change was approved.
    pub way: Option<Way>,
}

/// Collects the decision while a call runs. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Decisions(Arc<Mutex<Option<Decided>>>);

impl Decisions {
    /// Returns the last decision, if any.
    pub fn last(&self) -> Option<Decided> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, decision: &Decision) {
        let Decision { rule, effect, risk, .. } = decision.clone();
        let decided = Decided { rule, effect, risk, way: None };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(decided);
    }

    /// Adds how the change was approved.
    pub(super) fn agreed(&self, way: Way) {
        if let Some(decided) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            decided.way = Some(way);
        }
    }
}

/// The sessions of a call at other instances than its own. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Visits(Arc<Mutex<Vec<Visit>>>);

type Visit = (Arc<Instance>, Session);

impl Visits {
    pub(super) fn note(&self, instance: &Arc<Instance>, session: &Session) {
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visits.push((Arc::clone(instance), session.clone()));
    }

    /// Returns the instances and their sessions.
    pub fn so_far(&self) -> Vec<(Arc<Instance>, Session)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Context {
    /// Evaluates the policy for a change and rejects denied changes. A change that begins later is
    /// evaluated for the current time and for the time it begins.
    pub(super) async fn judge_change(
        &self,
        tier: Tier,
        deed: Deed,
        touches: &Touches,
        begins: Option<Moment>,
    ) -> Result<Decision, Error> {
        let deed = if tier == Tier::Delete { Deed::Delete } else { deed };
        let touches = self.with_groups(touches.clone()).await?;
        let mut situation = self.situation(self.asked, tier, deed, &touches);
        situation.times.extend(begins);
        let decision = self.decide(&situation, true).await?;
        self.decisions.note(&decision);
        self.trail.touches(&touches);
        self.trail.decided(&decision);
        refused(&decision).map_or(Ok(decision), Err)
    }

    /// Looks up the project groups of the access set, if any rule matches by project group.
    pub async fn with_groups(&self, mut touches: Touches) -> Result<Touches, Error> {
        if self.rules.ask_groups() {
            octopus::name(&self.session, &mut touches, About::Groups).await?;
        }
        Ok(touches)
    }

    /// Returns the instances where the call read. Its own instance is left out if the call read
    /// only at other instances.
    pub(super) fn read_at(&self) -> Vec<(Arc<Instance>, Session)> {
        let mut visits = self.visits.so_far();
        if visits.is_empty() || self.session.touched().so_far() != Touches::default() {
            visits.insert(0, (Arc::clone(&self.instance), self.session.clone()));
        }
        visits
    }

    /// Evaluates the policy for a finished read, by its access set. A denied read returns an error
    /// instead of its answer.
    pub(super) async fn judge_read(&self) -> Result<(), Error> {
        if !self.rules.are_about_reads() {
            return Ok(());
        }
        let about = if self.rules.ask_groups() { About::Groups } else { About::Names };
        for (instance, session) in self.read_at() {
            let mut touches = session.touched().so_far();
            octopus::follow(&session, &mut touches).await?;
            octopus::name(&session, &mut touches, about).await?;
            let mut situation = self.situation(self.asked, Tier::Read, Deed::Read, &touches);
            situation.instance.clone_from(&instance.name);
            let mut decision = self.decide(&situation, false).await?;
            let is_unknown = touches.has_unnamed() || touches.has_nameless(about);
            if decision.effect != Effect::Deny && is_unknown {
                limit_to_reached(&mut situation, &touches);
                decision = self.decide(&situation, true).await?;
                explain(&mut decision, touches.reasons(about));
            }
            if decision.effect == Effect::Deny || self.decisions.last().is_none() {
                self.decisions.note(&decision);
                self.trail.decided(&decision);
            }
            if let Some(refused) = refused(&decision) {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Evaluates the policy for a read by everything that it reaches.
    ///
    /// Rejects reads that the policy denies or may deny: a kind of objects that `reached` marks as
    /// unsure counts as unknown, and a kind without objects is not evaluated. `reasons` explain why
    /// something is unknown; the error message includes them.
    pub async fn judge_reach(
        &self,
        reached: &mut Touches,
        reasons: &[String],
    ) -> Result<(), Error> {
        let about = if self.rules.ask_groups() { About::Groups } else { About::Names };
        octopus::name(&self.session, reached, about).await?;
        let mut situation = self.situation(self.asked, Tier::Read, Deed::Read, reached);
        limit_to_reached(&mut situation, reached);
        let mut decision = self.decide(&situation, true).await?;
        if decision.effect != Effect::Deny {
            return Ok(());
        }
        explain(&mut decision, reasons.iter().cloned().chain(reached.reasons(about)));
        self.decisions.note(&decision);
        self.trail.touches(reached);
        self.trail.decided(&decision);
        refused(&decision).map_or(Ok(()), Err)
    }

    /// Creates the policy input of a call.
    pub fn situation(&self, asked: Asked, tier: Tier, deed: Deed, touches: &Touches) -> Situation {
        let of = |kind: Kind| Of {
            things: touches.of(kind).iter().map(thing).collect(),
            more: touches.is_unsure(kind) || tier == Tier::Read && touches.of(kind).is_empty(),
        };
        Situation {
            tool: asked.tool.to_owned(),
            toolset: asked.toolset.to_owned(),
            tier: match tier {
                Tier::Read => rules::Tier::Read,
                Tier::Write => rules::Tier::Write,
                Tier::Delete => rules::Tier::Delete,
            },
            deed,
            instance: self.instance.name.clone(),
            callers: self.caller.words(),
            groups: (*self.caller.groups).clone(),
            times: vec![Moment::At(self.rules.now())],
            space: of(Kind::Space),
            projects: of(Kind::Project),
            environments: of(Kind::Environment),
            tenants: of(Kind::Tenant),
        }
    }
}

/// Marks only those kinds as unknown that the access set marks as unsure.
fn limit_to_reached(situation: &mut Situation, reached: &Touches) {
    for (of, kind) in [
        (&mut situation.space, Kind::Space),
        (&mut situation.projects, Kind::Project),
        (&mut situation.environments, Kind::Environment),
        (&mut situation.tenants, Kind::Tenant),
    ] {
        of.more = reached.is_unsure(kind);
    }
}

/// Adds the reasons why something is unknown to the message of a denial for that.
fn explain(decision: &mut Decision, reasons: impl IntoIterator<Item = String>) {
    if decision.effect == Effect::Deny && decision.unknown.is_some() {
        let said = decision.message.take().into_iter().chain(reasons).collect::<Vec<_>>();
        decision.message = (!said.is_empty()).then(|| said.join("; "));
    }
}

/// Returns the error of a denied call.
fn refused(decision: &Decision) -> Option<Error> {
    let Decision { rule, effect, message, unknown, .. } = decision.clone();
    (effect == Effect::Deny).then_some(Error::Denied { rule, message, unknown })
}

fn thing(thing: &octopus::Thing) -> rules::Thing {
    let octopus::Thing { id, name, slug, tags, group, group_name } = thing.clone();
    let group =
        group.map(|id| Box::new(rules::Thing { id, name: group_name, ..rules::Thing::default() }));
    rules::Thing { id, name, slug, tags, group }
}
