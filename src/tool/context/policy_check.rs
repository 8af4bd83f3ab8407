//! Applies the policy to a call.

use std::sync::Arc;

use super::CalledTool;
use crate::{
    config::Effect,
    octopus::{self, AccessSet, Instance, NameDetail, ResourceKind, Session},
    policy::{self, Decision, Moment, PolicyAction, PolicyInput, ResourceSet, Tier},
    tool::{Context, Error},
};

impl Context {
    /// Evaluates the policy for a change and rejects denied changes. A change that begins later is
    /// evaluated for the current time and for the time it begins.
    pub(in crate::tool) async fn check_change_policy(
        &self,
        tier: Tier,
        deed: PolicyAction,
        touches: &AccessSet,
        begins: Option<Moment>,
    ) -> Result<Decision, Error> {
        let deed = if tier == Tier::Delete { PolicyAction::Delete } else { deed };
        let touches = self.with_project_groups(touches.clone()).await?;
        let mut situation = self.policy_input(self.called_tool, tier, deed, &touches);
        situation.times.extend(begins);
        let decision = self.decide(&situation, true).await?;
        self.decision_recorder.record(&decision);
        self.audit.record_access(&touches);
        self.audit.record_decision(&decision);
        denial(&decision).map_or(Ok(decision), Err)
    }

    /// Looks up the project groups of the access set, if any rule matches by project group.
    pub async fn with_project_groups(&self, mut touches: AccessSet) -> Result<AccessSet, Error> {
        if self.policy.uses_project_groups() {
            octopus::resolve_names(&self.session, &mut touches, NameDetail::NamesAndGroups).await?;
        }
        Ok(touches)
    }

    /// Returns the instances where the call read. Its own instance is left out if the call read
    /// only at other instances.
    fn read_sessions(&self) -> Vec<(Arc<Instance>, Session)> {
        let mut visits = self.visited_instances.sessions();
        if visits.is_empty() || self.session.access_recorder().snapshot() != AccessSet::default() {
            visits.insert(0, (Arc::clone(&self.instance), self.session.clone()));
        }
        visits
    }

    /// Records the access set of a call that changes nothing.
    pub(in crate::tool) fn record_read_access(&self) {
        if !self.audit.is_change() {
            for (_, session) in self.read_sessions() {
                self.audit.record_access(&session.access_recorder().snapshot());
            }
        }
    }

    /// Evaluates the policy for a finished read, by its access set. A denied read returns an error
    /// instead of its answer.
    pub(in crate::tool) async fn check_read_policy(&self) -> Result<(), Error> {
        if !self.policy.has_read_rules() {
            return Ok(());
        }
        let about = if self.policy.uses_project_groups() {
            NameDetail::NamesAndGroups
        } else {
            NameDetail::Names
        };
        for (instance, session) in self.read_sessions() {
            let mut touches = session.access_recorder().snapshot();
            octopus::resolve_owners(&session, &mut touches).await?;
            octopus::resolve_names(&session, &mut touches, about).await?;
            let mut situation =
                self.policy_input(self.called_tool, Tier::Read, PolicyAction::Read, &touches);
            situation.instance.clone_from(&instance.name);
            let mut decision = self.decide(&situation, false).await?;
            let is_unknown = touches.has_unidentified() || touches.has_unnamed(about);
            if decision.effect != Effect::Deny && is_unknown {
                limit_unknown_kinds(&mut situation, &touches);
                decision = self.decide(&situation, true).await?;
                add_reasons(&mut decision, touches.reasons(about));
            }
            if decision.effect == Effect::Deny || self.decision_recorder.last().is_none() {
                self.decision_recorder.record(&decision);
                self.audit.record_decision(&decision);
            }
            if let Some(refused) = denial(&decision) {
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
    pub async fn check_access_set(
        &self,
        reached: &mut AccessSet,
        reasons: &[String],
    ) -> Result<(), Error> {
        let about = if self.policy.uses_project_groups() {
            NameDetail::NamesAndGroups
        } else {
            NameDetail::Names
        };
        octopus::resolve_names(&self.session, reached, about).await?;
        let mut situation =
            self.policy_input(self.called_tool, Tier::Read, PolicyAction::Read, reached);
        limit_unknown_kinds(&mut situation, reached);
        let mut decision = self.decide(&situation, true).await?;
        if decision.effect != Effect::Deny {
            return Ok(());
        }
        add_reasons(&mut decision, reasons.iter().cloned().chain(reached.reasons(about)));
        self.decision_recorder.record(&decision);
        self.audit.record_access(reached);
        self.audit.record_decision(&decision);
        denial(&decision).map_or(Ok(()), Err)
    }

    /// Creates the policy input of a call.
    pub fn policy_input(
        &self,
        asked: CalledTool,
        tier: Tier,
        deed: PolicyAction,
        touches: &AccessSet,
    ) -> PolicyInput {
        let of = |kind: ResourceKind| ResourceSet {
            resources: touches.resources(kind).iter().map(policy_object).collect(),
            has_unknown: touches.is_incomplete(kind)
                || tier == Tier::Read && touches.resources(kind).is_empty(),
        };
        PolicyInput {
            tool: asked.name.to_owned(),
            toolset: asked.toolset.to_owned(),
            tier,
            action: deed,
            instance: self.instance.name.clone(),
            callers: self.caller.policy_names(),
            groups: (*self.caller.groups).clone(),
            times: vec![Moment::At(self.policy.now())],
            space: of(ResourceKind::Space),
            projects: of(ResourceKind::Project),
            environments: of(ResourceKind::Environment),
            tenants: of(ResourceKind::Tenant),
        }
    }
}

/// Marks only those kinds as unknown that the access set marks as unsure.
fn limit_unknown_kinds(situation: &mut PolicyInput, reached: &AccessSet) {
    for (of, kind) in [
        (&mut situation.space, ResourceKind::Space),
        (&mut situation.projects, ResourceKind::Project),
        (&mut situation.environments, ResourceKind::Environment),
        (&mut situation.tenants, ResourceKind::Tenant),
    ] {
        of.has_unknown = reached.is_incomplete(kind);
    }
}

/// Adds the reasons why something is unknown to the message of a denial for that.
fn add_reasons(decision: &mut Decision, reasons: impl IntoIterator<Item = String>) {
    if decision.effect == Effect::Deny && decision.unknown_condition.is_some() {
        let said = decision.message.take().into_iter().chain(reasons).collect::<Vec<_>>();
        decision.message = (!said.is_empty()).then(|| said.join("; "));
    }
}

/// Returns the error of a denied call.
fn denial(decision: &Decision) -> Option<Error> {
    let Decision { rule, effect, message, unknown_condition: unknown, .. } = decision.clone();
    (effect == Effect::Deny).then_some(Error::Denied { rule, message, unknown })
}

fn policy_object(thing: &octopus::AccessedResource) -> policy::ResourceRef {
    let octopus::AccessedResource { id, name, slug, tags, group, group_name } = thing.clone();
    let group = group.map(|id| {
        Box::new(policy::ResourceRef { id, name: group_name, ..policy::ResourceRef::default() })
    });
    policy::ResourceRef { id, name, slug, tags, group }
}
