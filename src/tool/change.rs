//! Tools that change Octopus, and the one way in which a change is made.
//!
//! A [`Change`] never sends anything. It plans: it reads what is there, and gives the whole request
//! with what a person should see of it ([`Proposal`]). Then somebody agrees ([`super::Gate`]), the
//! plan is made anew and compared with what was shown, and that very request is sent, once. The
//! [`Permit`] that sending takes is made here and nowhere else.

use futures::future::BoxFuture;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Alias, Context, Error, Tier,
    brought::Brought,
    definition::{Ran, old_enough, parse},
    gate::Verdict,
    proposal::Proposal,
};
use crate::octopus::{Answer, OctopusVersion, Permit};

/// A tool that changes Octopus, or can. As with [`super::Tool`], the type is its input.
pub trait Change: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The name on the wire, and of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// The name for people.
    const TITLE: &'static str;
    /// The most it can do to Octopus.
    const TIER: Tier = Tier::Write;
    /// The least it can do. Lower than `TIER` only where the arguments decide.
    const LEAST: Tier = Self::TIER;
    /// Whether it can undo or replace what is there, rather than add to it.
    const DESTRUCTIVE: bool = true;
    /// The first version of Octopus that it works with.
    const SINCE: OctopusVersion = OctopusVersion::OLDEST;
    /// Other names that it answers to.
    const ALIASES: &'static [Alias] = &[];

    /// What it answers. Fields without a value are left out of the answer.
    type Output: Serialize + JsonSchema + 'static;

    /// What this very call does to Octopus.
    fn tier(&self) -> Tier {
        Self::TIER
    }

    /// Reads what is there and says what this call would change. Called again, on the same state,
    /// it gives the same.
    fn plan(&self, cx: &Context) -> impl Future<Output = Result<Plan<Self::Output>, Error>> + Send;

    /// Makes the answer of the call from that of Octopus. What it looks up may be missing: the
    /// change has been made by now, and a failure here would hide it.
    fn report(
        self,
        answer: Answer,
        cx: &Context,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// What a call comes to before anybody has agreed to anything.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made for each call, and moved once")]
pub enum Plan<T> {
    /// There is nothing to change, and this is the answer.
    Nothing(T),
    /// This would be changed.
    Change(Proposal),
}

/// Parses, gates, plans, asks, sends, reports.
pub(super) fn change<T: Change>(
    arguments: JsonObject,
    cx: &Context,
) -> BoxFuture<'_, Result<Ran, Error>> {
    Box::pin(async move {
        let brought = Brought::of(T::NAME, arguments, cx)?;
        let input: T = parse(brought.arguments())?;
        cx.policy.permit(input.tier())?;
        old_enough(T::NAME, T::SINCE, cx).await?;
        if let Some(answer) = cx.gate.made(&brought).await? {
            return answer_of(input, answer, true, cx).await;
        }
        let decided = match input.plan(cx).await {
            Ok(Plan::Nothing(output)) => return done(&output, false),
            Ok(Plan::Change(proposal)) => {
                cx.gate.decide(&brought, &proposal).map(|verdict| (proposal, verdict))
            }
            Err(error) => Err(error),
        };
        let (proposal, verdict) = match decided {
            Ok(decided) => decided,
            // The same call may have been made a moment ago, and is what is in the way now.
            Err(error) => match cx.gate.made(&brought).await? {
                Some(answer) => return answer_of(input, answer, true, cx).await,
                None => return Err(error),
            },
        };
        let way = match verdict {
            Verdict::Ask(question) => return Ok(Ran::Ask(question)),
            Verdict::Go(way) => way,
        };
        let route = format!("{} {}", proposal.order.method, proposal.order.path.route());
        let caller = &cx.caller.name;
        tracing::info!(tool = T::NAME, caller, ?way, route, "a change was agreed to");
        let (session, order) = (cx.session.clone(), proposal.order);
        let send = async move { session.send(&order, Permit::after_consent()).await };
        let (answer, repeated) = cx.gate.once(&brought, send).await?;
        answer_of(input, answer, repeated, cx).await
    })
}

async fn answer_of<T: Change>(
    input: T,
    answer: Answer,
    repeated: bool,
    cx: &Context,
) -> Result<Ran, Error> {
    done(&input.report(answer, cx).await?, repeated)
}

/// An answer. One that was given before says so.
fn done<T: Serialize>(output: &T, repeated: bool) -> Result<Ran, Error> {
    let mut value =
        serde_json::to_value(output).map_err(|error| Error::Output(error.to_string()))?;
    if let (Value::Object(object), true) = (&mut value, repeated) {
        object.insert("repeated".to_owned(), Value::Bool(true));
    }
    Ok(Ran::Done(value))
}
