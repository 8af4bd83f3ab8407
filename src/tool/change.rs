//! Tools that change Octopus, and the one code path that executes a change.
//!
//! A [`WriteTool`] never sends a change. It plans: it reads the current state and returns the
//! complete request with a [`ChangePreview`] for a person. The
//! [`ApprovalGate`](super::ApprovalGate) then requires approval. After approval the plan is
//! computed again and compared with the approved preview, and that request is sent once. Sending
//! requires a [`WritePermit`], which is only created here.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Alias, Context, Error, Tier, Trail,
    brought::Brought,
    definition::{Ran, old_enough, parse, to_value},
    gate::{Demand, Verdict, unsure},
    ledger::{LONGEST_SEND, limited},
    proposal::Proposal,
};
use crate::{
    octopus::{self, OctopusVersion, Permit, Reply},
    rules::{Decision, Deed},
};

/// A tool that can change Octopus. As with [`super::Tool`], the type is its input.
pub trait Change: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Name on the wire; also the name of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// Display name.
    const TITLE: &'static str;
    /// The highest tier of its calls.
    const TIER: Tier = Tier::Write;
    /// The lowest tier of its calls. Lower than `TIER` only if the tier depends on the arguments.
    const LEAST: Tier = Self::TIER;
    /// Kind of change, from which the policy derives the risk.
    const DEED: Deed = Deed::Run;
    /// Whether it can overwrite or delete existing state (MCP `destructiveHint`).
    const DESTRUCTIVE: bool = true;
    /// First version of Octopus that supports it.
    const SINCE: OctopusVersion = OctopusVersion::OLDEST;
    /// Aliases of the name.
    const ALIASES: &'static [Alias] = &[];
    /// Whether the tool has the argument `maxBytes`, as in [`super::Tool::TAKES_MAX_BYTES`].
    const TAKES_MAX_BYTES: bool = false;

    /// Structured output. Fields without a value are omitted from the answer.
    type Output: Serialize + JsonSchema + Send + 'static;

    /// Returns the tier of this call.
    fn tier(&self) -> Tier {
        Self::TIER
    }

    /// Reads the current state and returns the change of this call. Must return an equal plan for
    /// the same state.
    fn plan(&self, cx: &Context) -> impl Future<Output = Result<Plan<Self::Output>, Error>> + Send;

    /// Creates the answer of the call from the parsed reply of Octopus. Objects that it looks up
    /// may be missing. The change is already executed, so this must not fail where it can be
    /// avoided.
    fn report(
        self,
        reply: Reply,
        cx: &Context,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// The plan of a call, before any approval.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "created once for each call, and moved once")]
pub enum Plan<T> {
    /// Nothing has to be changed; this is the answer.
    Nothing(T),
    /// The change that needs approval.
    Change(Proposal),
}

/// Runs a call of a write tool: parses, plans, applies the policy, requires approval, sends and
/// reports.
pub(super) fn change<T: Change>(
    arguments: JsonObject,
    cx: &Context,
) -> BoxFuture<'_, Result<Ran, Error>> {
    Box::pin(async move {
        let brought = Brought::of(T::NAME, arguments, cx)?;
        let input: T = parse(brought.arguments())?;
        cx.trail.note(|record| record.tier = Some(input.tier().name()));
        cx.policy.permit(input.tier())?;
        old_enough(T::NAME, T::SINCE, cx).await?;
        if brought.token.is_some() {
            cx.trail.change(brought.change);
            cx.still_good()?;
        }
        if let Some(reply) = cx.gate.made(&brought).await? {
            return Ok(Ran::Changed(answer_of(input, reply, true, cx).await));
        }
        cx.trail.change(brought.change);
        let planned = match input.plan(cx).await {
            Ok(Plan::Nothing(output)) => {
                cx.trail.note(|record| record.change = None);
                return Ok(Ran::Done(to_value(output, cx).await?));
            }
            Ok(Plan::Change(proposal)) => {
                let id = cx.trail.marked().map(|change| change.to_string());
                Ok(proposal.audited(id))
            }
            Err(error) => Err(error),
        };
        let decided = match planned {
            Ok(proposal) => weigh(&brought, &input, proposal, cx).await,
            Err(error) => Err(error),
        };
        let (proposal, decision, verdict) = match decided {
            Ok(decided) => decided,
            // The same change may just have been executed and be the reason for this error.
            Err(error) => match cx.gate.made(&brought).await? {
                Some(reply) => {
                    return Ok(Ran::Changed(answer_of(input, reply, true, cx).await));
                }
                None => return Err(error),
            },
        };
        let way = match verdict {
            Verdict::Ask(question) => {
                cx.trail.note(|record| record.consent = Some(question.way.name()));
                return Ok(Ran::Ask(question));
            }
            Verdict::Go(way) => way,
        };
        let route = format!("{} {}", proposal.order.method, proposal.order.path.route());
        let caller = &cx.caller.name;
        let Decision { rule, effect, risk, .. } = &decision;
        let (rule, effect, risk) = (rule.as_deref(), effect.name(), risk.name());
        cx.decisions.agreed(way);
        tracing::info!(tool = T::NAME, caller, ?way, route, rule, effect, risk, "change approved");
        if cx.trail.is_on() {
            let user = cx.acting.user(&cx.session).await;
            cx.trail.note(|record| record.user = user);
        }
        cx.trail.intent(way, &route).await?;
        let session = match cx.trail.marked() {
            Some(change) => cx.session.marked(&change.to_string()),
            None => cx.session.clone(),
        };
        let (cx_of_deed, order) = (cx.clone(), proposal.order);
        let send = async move {
            // Boxed because the future is large, and each caller would embed it.
            let send = Box::pin(session.send(&order, Permit::after_consent()));
            let reply = recorded(&cx_of_deed.trail, LONGEST_SEND, send).await?;
            cx_of_deed.started(&order, &reply).await;
            Ok(reply)
        };
        let (reply, repeated) = cx.gate.once(&brought, send).await?;
        Ok(Ran::Changed(answer_of(input, reply, repeated, cx).await))
    })
}

/// Sends a request and writes its outcome to the audit record, also after a panic or a timeout.
async fn recorded(
    trail: &Trail,
    limit: Duration,
    send: impl Future<Output = Result<Reply, octopus::Error>>,
) -> Result<Reply, octopus::Error> {
    let sent = limited(limit, send).await;
    let came = sent.as_ref().map_err(|error| unsure(error.clone()));
    trail.came(came.as_ref().copied());
    sent
}

impl Context {
    /// Rejects calls whose caller's credential has expired. In a session, an approval request may
    /// stay open longer than the credential is valid.
    fn still_good(&self) -> Result<(), Error> {
        let expired = self.caller.expires.is_some_and(|expires| expires <= Timestamp::now());
        if expired { Err(Error::Expired) } else { Ok(()) }
    }
}

/// Applies the four-eyes rule and the policy, and then the approval gate.
async fn weigh<T: Change>(
    brought: &Brought,
    input: &T,
    proposal: Proposal,
    cx: &Context,
) -> Result<(Proposal, Decision, Verdict), Error> {
    cx.four_eyes(&proposal.order).await?;
    let deed = proposal.deed.unwrap_or(T::DEED);
    let decision = cx.judge_change(input.tier(), deed, &proposal.touches, proposal.begins).await?;
    let proposal = proposal.ruled(&decision);
    let verdict = cx.gate.decide(brought, &proposal, &Demand::of(&decision))?;
    Ok((proposal, decision, verdict))
}

/// Creates the answer of a call from the reply of Octopus. An error here does not undo the change.
async fn answer_of<T: Change>(
    input: T,
    reply: Reply,
    repeated: bool,
    cx: &Context,
) -> Result<Value, Error> {
    cx.trail.answered(&reply, repeated);
    // A compute budget that was spent before the change must not hide its outcome.
    let cx = Context { session: cx.session.with_new_compute(), ..cx.clone() };
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
    async fn record_of(
        send: impl Future<Output = Result<Reply, octopus::Error>>,
    ) -> (Outcome, Option<&'static str>) {
        let trail = Trail::default();
        let sent = recorded(&trail, Duration::ZERO, send).await;
        assert!(sent.is_err_and(|error| !error.is_refusal()));
        let mut written = None;
        trail.note(|record| written = Some((record.result, record.error)));
        written.unwrap()
    }

    #[tokio::test]
    async fn request_that_never_ends_or_panics_is_recorded_as_unsure() {
        let unsure = (Outcome::Failed, Some("unsure"));
        assert_eq!(record_of(pending()).await, unsure);
        assert_eq!(record_of(async { panic!("in the middle") }).await, unsure);
    }
}
