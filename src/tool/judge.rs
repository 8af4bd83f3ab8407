//! What the rules say of a call.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Context, Error, Tier, Way};
use crate::{
    config::{Effect, Risk},
    octopus::{self, About, Instance, Kind, Session, Touches},
    rules::{self, Decision, Deed, Moment, Of, Situation},
};

/// Which tool a call is of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// The tool.
    pub tool: &'static str,
    /// Its toolset.
    pub toolset: &'static str,
}

/// What was decided on a call, for records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The rule that decided; none where no rule is about the call.
    pub rule: Option<String>,
    /// What happened to the call.
    pub effect: Effect,
    /// What could come of it.
    pub risk: Risk,
    /// How somebody agreed to it, where it was done.
    pub way: Option<Way>,
}

/// Where it is written down while a call runs. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Decisions(Arc<Mutex<Option<Decided>>>);

impl Decisions {
    /// The last that was decided, where anything was.
    pub fn last(&self) -> Option<Decided> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, decision: &Decision) {
        let Decision { rule, effect, risk, .. } = decision.clone();
        let decided = Decided { rule, effect, risk, way: None };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(decided);
    }

    /// Says how somebody agreed.
    pub(super) fn agreed(&self, way: Way) {
        if let Some(decided) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            decided.way = Some(way);
        }
    }
}

/// What a call reached at other instances than its own. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Visits(Arc<Mutex<Vec<Visit>>>);

type Visit = (Arc<Instance>, Session);

impl Visits {
    pub(super) fn note(&self, instance: &Arc<Instance>, session: &Session) {
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visits.push((Arc::clone(instance), session.clone()));
    }

    /// The instances and what was touched there.
    pub fn so_far(&self) -> Vec<(Arc<Instance>, Session)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Context {
    /// Decides on a change, and refuses what the rules refuse. What begins later is judged by now
    /// and by then.
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

    /// Looks up the groups of projects, where any rule asks for them.
    pub async fn with_groups(&self, mut touches: Touches) -> Result<Touches, Error> {
        if self.rules.ask_groups() {
            octopus::name(&self.session, &mut touches, About::Groups).await?;
        }
        Ok(touches)
    }

    /// The instances that a call read at: its own, unless nothing was touched there and something
    /// elsewhere.
    pub(super) fn read_at(&self) -> Vec<(Arc<Instance>, Session)> {
        let mut visits = self.visits.so_far();
        if visits.is_empty() || self.session.touched().so_far() != Touches::default() {
            visits.insert(0, (Arc::clone(&self.instance), self.session.clone()));
        }
        visits
    }

    /// Decides on what was read, by what is written down of it: what the rules refuse does not go
    /// out.
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

    /// Decides on a read by everything that it reaches, and refuses what the rules about reads refuse
    /// or may refuse: a kind that `reached` marks as unsure counts as unknown, a kind without things
    /// does not come into it. `reasons` say why something is unknown, and are part of the refusal.
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

    /// Everything that is known of a call.
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

/// Leaves only those kinds unknown of which more is reached than is known, and not those of which
/// nothing is reached.
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

/// Adds the reasons why something is unknown to the message of a refusal for that.
fn explain(decision: &mut Decision, reasons: impl IntoIterator<Item = String>) {
    if decision.effect == Effect::Deny && decision.unknown.is_some() {
        let said = decision.message.take().into_iter().chain(reasons).collect::<Vec<_>>();
        decision.message = (!said.is_empty()).then(|| said.join("; "));
    }
}

/// Why a call is refused, where it is.
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
