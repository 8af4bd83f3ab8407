//! The only code path that executes changes.
//!
//! A [`WriteTool`] plans a change. The [`ApprovalGate`](crate::approval::ApprovalGate) then
//! requires approval. After approval the plan is computed again and compared with the approved
//! preview, and that request is sent once. Sending requires a [`WritePermit`], which is only
//! created here.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use rmcp::model::JsonObject;
use serde_json::Value;

use super::{
    AuditScope, Context, Error, Plan, WriteTool,
    invocation::{ensure_version, parse_arguments, recheck_version, to_value},
    output::RunOutcome,
};
use crate::{
    approval::{
        ApprovalArguments, ApprovalError, ApprovalRequirement, ChangePreview, GateDecision,
        MAX_SEND_DURATION, with_send_limit,
    },
    octopus::{self, ChangeResponse, WritePermit},
    policy::Decision,
};

/// Runs a call of a write tool: parses, plans, applies the policy, requires approval, sends and
/// reports.
pub(super) fn call_write_tool<T: WriteTool>(
    arguments: JsonObject,
    cx: &Context,
) -> BoxFuture<'_, Result<RunOutcome, Error>> {
    Box::pin(async move {
        let approval = cx.approval_arguments(T::NAME, arguments)?;
        let input: T = parse_arguments(approval.tool_arguments())?;
        cx.audit.update(|record| record.tier = Some(input.tier().name()));
        cx.access.ensure_tier(input.tier())?;
        ensure_version(T::NAME, T::SINCE, cx).await?;
        if approval.token.is_some() {
            cx.audit.record_change(approval.change_id);
            cx.ensure_credential_valid()?;
        }
        if let Some(reply) = cx.approval_gate.previous_reply(&approval).await? {
            return Ok(RunOutcome::Changed(report_answer(input, reply, true, cx).await));
        }
        cx.audit.record_change(approval.change_id);
        let planned = match input.plan(cx).await {
            Ok(Plan::NoChange(output)) => {
                cx.audit.update(|record| record.change = None);
                return Ok(RunOutcome::Answer(to_value(output, cx).await?));
            }
            Ok(Plan::Change(preview)) => {
                let id = cx.audit.change_mark().map(|change| change.to_string());
                Ok(preview.with_audit_id(id))
            }
            Err(error) => {
                recheck_version(T::SINCE, cx).await;
                Err(error)
            }
        };
        let authorized = match planned {
            Ok(preview) => authorize(&approval, &input, preview, cx).await,
            Err(error) => Err(error),
        };
        let (preview, decision, gate_decision) = match authorized {
            Ok(authorized) => authorized,
            // The same change may just have been executed, which can cause this error.
            Err(error) => match cx.approval_gate.previous_reply(&approval).await? {
                Some(reply) => {
                    return Ok(RunOutcome::Changed(report_answer(input, reply, true, cx).await));
                }
                None => return Err(error),
            },
        };
        let approval_method = match gate_decision {
            GateDecision::RequestApproval(request) => {
                cx.audit.update(|record| record.consent = Some(request.method.name()));
                return Ok(RunOutcome::ApprovalRequired(request));
            }
            GateDecision::Execute(method) => method,
        };
        let route = format!("{} {}", preview.request.method, preview.request.path.route());
        let caller = &cx.caller.name;
        let Decision { rule, effect, risk, .. } = &decision;
        let (rule, effect, risk) = (rule.as_deref(), effect.as_str(), risk.as_str());
        cx.decision_recorder.record_approval(approval_method);
        tracing::info!(
            tool = T::NAME,
            caller,
            ?approval_method,
            route,
            rule,
            effect,
            risk,
            "change approved"
        );
        if cx.audit.is_enabled() {
            let user = cx.acting_users.lookup(&cx.session).await;
            cx.audit.update(|record| record.user = user);
        }
        cx.audit.write_intent(approval_method, &route).await?;
        let session = match cx.audit.change_mark() {
            Some(change) => cx.session.with_audit_id(&change.to_string()),
            None => cx.session.clone(),
        };
        let (send_cx, request) = (cx.clone(), preview.request);
        let send = async move {
            // Boxed because the future is large, and each caller would embed it.
            let send = Box::pin(session.send(&request, WritePermit::after_approval()));
            let reply = send_recorded(&send_cx.audit, MAX_SEND_DURATION, send).await?;
            send_cx.record_initiator(&request, &reply).await;
            Ok(reply)
        };
        let (reply, repeated) = cx.approval_gate.execute_once(&approval, send).await?;
        Ok(RunOutcome::Changed(report_answer(input, reply, repeated, cx).await))
    })
}

/// Sends a request and writes its outcome to the audit record, also after a panic or a timeout.
async fn send_recorded(
    audit: &AuditScope,
    limit: Duration,
    send: impl Future<Output = Result<ChangeResponse, octopus::Error>>,
) -> Result<ChangeResponse, octopus::Error> {
    let sent = with_send_limit(limit, send).await;
    let outcome =
        sent.as_ref().map_err(|error| ApprovalError::of_sent_change(error.clone()).into());
    audit.record_outcome(outcome.as_ref().copied());
    sent
}

impl Context {
    /// Splits the arguments of a write tool into those of the tool and those of the approval.
    pub(super) fn approval_arguments(
        &self,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<ApprovalArguments, ApprovalError> {
        let seal = self.approval_gate.seal();
        ApprovalArguments::parse(tool, arguments, &self.session, &self.client_approval, seal)
    }

    /// Rejects calls whose caller's credential has expired. In a session, an approval request can
    /// stay open longer than the credential is valid.
    fn ensure_credential_valid(&self) -> Result<(), Error> {
        let expired = self.caller.expires.is_some_and(|expires| expires <= Timestamp::now());
        if expired { Err(Error::CredentialExpired) } else { Ok(()) }
    }
}

/// Applies the four-eyes rule and the policy, and then the approval gate.
async fn authorize<T: WriteTool>(
    approval: &ApprovalArguments,
    input: &T,
    preview: ChangePreview,
    cx: &Context,
) -> Result<(ChangePreview, Decision, GateDecision), Error> {
    cx.check_four_eyes(&preview.request).await?;
    let action = preview.policy_action.unwrap_or(T::POLICY_ACTION);
    let decision = cx
        .check_change_policy(input.tier(), action, &preview.access_set, preview.begins_at)
        .await?;
    let preview = preview.with_rule(&decision);
    let gate_decision =
        cx.approval_gate.decide(approval, &preview, &ApprovalRequirement::of(&decision))?;
    Ok((preview, decision, gate_decision))
}

/// Creates the answer of a call from the reply of Octopus. An error here does not undo the change.
async fn report_answer<T: WriteTool>(
    input: T,
    reply: ChangeResponse,
    repeated: bool,
    cx: &Context,
) -> Result<Value, Error> {
    cx.audit.record_reply(&reply, repeated);
    // A compute budget that was spent before the change must not hide its outcome.
    let cx = Context { session: cx.session.with_fresh_compute(), ..cx.clone() };
    let mut value = to_value(input.report(reply, &cx).await?, &cx).await?;
    // Mark answers of changes that were executed before.
    if let (Value::Object(object), true) = (&mut value, repeated) {
        object.insert("repeated".to_owned(), Value::Bool(true));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::audit::Outcome;

    /// Returns the result and error kind in the audit record of a change whose request ends like
    /// `send`.
    async fn recorded_outcome(
        send: impl Future<Output = Result<ChangeResponse, octopus::Error>>,
    ) -> (Outcome, Option<&'static str>) {
        let audit = AuditScope::default();
        let sent = send_recorded(&audit, Duration::ZERO, send).await;
        assert!(sent.is_err_and(|error| !error.is_rejection()));
        let mut written = None;
        audit.update(|record| written = Some((record.result, record.error)));
        written.unwrap()
    }

    #[tokio::test]
    async fn records_timeout_and_panic_as_unknown_outcome() {
        let unsure = (Outcome::Failed, Some("unsure"));
        assert_eq!(recorded_outcome(pending()).await, unsure);
        assert_eq!(recorded_outcome(async { panic!("in the middle") }).await, unsure);
    }
}
