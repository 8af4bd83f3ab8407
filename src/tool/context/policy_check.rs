//! Applies the policy to a call.

use std::sync::Arc;

use super::{CalledTool, PolicyCall};
use crate::{
    config::Effect,
    octopus::{self, AccessSet, Instance, NameDetail, ResourceKind, Session},
    policy::{Decision, Moment, PolicyAction, PolicyInput, Tier},
    tool::{Context, Error},
};

impl Context {
    /// Evaluates the policy for a change and rejects denied changes. A change that begins later is
    /// evaluated for the current time and for the time it begins.
    pub(in crate::tool) async fn check_change_policy(
        &self,
        tier: Tier,
        action: PolicyAction,
        access_set: &AccessSet,
        start: Option<Moment>,
    ) -> Result<Decision, Error> {
        let access_set = self.with_project_groups(access_set.clone()).await?;
        let mut input = self.policy_input(self.called_tool, tier, action, &access_set);
        input.times.extend(start);
        let decision = self.decide(&input, true).await?;
        self.decision_recorder.record(&decision);
        self.audit.record_access(&access_set);
        self.audit.record_decision(&decision);
        denial(&decision).map_or(Ok(decision), Err)
    }

    /// Looks up the project groups of the access set, if any rule matches by project group.
    pub async fn with_project_groups(&self, mut access_set: AccessSet) -> Result<AccessSet, Error> {
        if self.policy.uses_project_groups() {
            octopus::resolve_names(&self.session, &mut access_set, NameDetail::NamesAndGroups)
                .await?;
        }
        Ok(access_set)
    }

    /// Returns the instances that the call read. The instance of the call is omitted if the call
    /// read only other instances.
    fn read_sessions(&self) -> Vec<(Arc<Instance>, Session)> {
        let mut sessions = self.visited_instances.sessions();
        if sessions.is_empty() || self.session.access_recorder().snapshot() != AccessSet::default()
        {
            sessions.insert(0, (Arc::clone(&self.instance), self.session.clone()));
        }
        sessions
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
        let detail = if self.policy.uses_project_groups() {
            NameDetail::NamesAndGroups
        } else {
            NameDetail::Names
        };
        for (instance, session) in self.read_sessions() {
            let mut access_set = session.access_recorder().snapshot();
            octopus::resolve_owners(&session, &mut access_set).await?;
            octopus::resolve_names(&session, &mut access_set, detail).await?;
            let mut input =
                self.policy_input(self.called_tool, Tier::Read, PolicyAction::Read, &access_set);
            input.instance.clone_from(&instance.name);
            let mut decision = self.decide(&input, false).await?;
            let is_unknown = access_set.has_unidentified() || access_set.has_unnamed(detail);
            if decision.effect != Effect::Deny && is_unknown {
                limit_unknown_kinds(&mut input, &access_set);
                decision = self.decide(&input, true).await?;
                add_reasons(&mut decision, access_set.reasons(detail));
            }
            if decision.effect == Effect::Deny || self.decision_recorder.last().is_none() {
                self.decision_recorder.record(&decision);
                self.audit.record_decision(&decision);
            }
            if let Some(error) = denial(&decision) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Evaluates the policy for a read by its access set.
    ///
    /// Rejects reads that the policy denies or may deny. A resource kind that the access set marks
    /// as incomplete is unknown, and a kind without resources is not evaluated. The error message
    /// includes `reasons`, which explain unknown resources.
    pub async fn check_access_set(
        &self,
        access_set: &mut AccessSet,
        reasons: &[String],
    ) -> Result<(), Error> {
        let detail = if self.policy.uses_project_groups() {
            NameDetail::NamesAndGroups
        } else {
            NameDetail::Names
        };
        octopus::resolve_names(&self.session, access_set, detail).await?;
        let mut input =
            self.policy_input(self.called_tool, Tier::Read, PolicyAction::Read, access_set);
        limit_unknown_kinds(&mut input, access_set);
        let mut decision = self.decide(&input, true).await?;
        if decision.effect != Effect::Deny {
            return Ok(());
        }
        add_reasons(&mut decision, reasons.iter().cloned().chain(access_set.reasons(detail)));
        self.decision_recorder.record(&decision);
        self.audit.record_access(access_set);
        self.audit.record_decision(&decision);
        denial(&decision).map_or(Ok(()), Err)
    }

    /// Creates the policy input of a call.
    pub fn policy_input(
        &self,
        tool: CalledTool,
        tier: Tier,
        action: PolicyAction,
        access_set: &AccessSet,
    ) -> PolicyInput {
        let times = vec![Moment::At(self.policy.now())];
        let (caller, instance) = (&self.caller, self.instance.name.as_str());
        PolicyCall { tool, tier, action, instance, caller, times, access_set }.input()
    }
}

/// Marks only the resource kinds as unknown that the access set marks as incomplete.
fn limit_unknown_kinds(input: &mut PolicyInput, access_set: &AccessSet) {
    for (set, kind) in [
        (&mut input.space, ResourceKind::Space),
        (&mut input.projects, ResourceKind::Project),
        (&mut input.environments, ResourceKind::Environment),
        (&mut input.tenants, ResourceKind::Tenant),
    ] {
        set.has_unknown = access_set.is_incomplete(kind);
    }
}

/// Adds the reasons for unknown resources to the message of a denial that is based on them.
fn add_reasons(decision: &mut Decision, reasons: impl IntoIterator<Item = String>) {
    if decision.effect == Effect::Deny && decision.unknown_condition.is_some() {
        let messages = decision.message.take().into_iter().chain(reasons).collect::<Vec<_>>();
        decision.message = (!messages.is_empty()).then(|| messages.join("; "));
    }
}

/// Returns the error of a denied call.
fn denial(decision: &Decision) -> Option<Error> {
    let Decision { rule, effect, message, unknown_condition: unknown, .. } = decision.clone();
    (effect == Effect::Deny).then_some(Error::Denied { rule, message, unknown })
}
