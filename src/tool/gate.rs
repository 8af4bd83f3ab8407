//! The approval gate: every change passes it before it is executed.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use uuid::Uuid;

use super::{
    Error, Seal,
    brought::{Brought, Nonce, Token},
    drift,
    ledger::{Key, Ledger, Name},
    proposal::{Fact, Proposal},
    seal::Unsealed,
};
use crate::{
    config::{Confirm, Effect},
    octopus::{self, Reply},
    rules::Decision,
    store::Store,
};

/// Lifetime of an approval request.
pub(super) const GOOD_FOR: Duration = Duration::from_mins(5);
/// Maximum memory for the lines of open previews, which explain what changed since.
const SHOWN_BYTES: u64 = 16 * 1024 * 1024;

/// Requires approval of changes and executes each approved change once. One instance serves the
/// whole server.
#[derive(Debug)]
pub struct Gate {
    confirm: Confirm,
    seal: Seal,
    ledger: Arc<Ledger>,
    shown: Cache<Nonce, Arc<Vec<Fact>>>,
}

/// A request for approval of a change.
#[derive(Debug)]
pub struct Question {
    /// Name of the kind of change, e.g. `deployment`.
    pub action: &'static str,
    /// The preview text for the person.
    pub words: String,
    /// The sealed token, which the client returns with the approval.
    pub sealed: String,
    /// How the approval is given.
    pub way: Way,
    /// The word that the person must type, if a rule requires one.
    pub word: Option<String>,
    /// Number of invisible characters removed from text of Octopus.
    pub removed: usize,
    /// Number of secrets redacted from text of Octopus.
    pub redacted: usize,
}

/// The approval that a policy rule requires.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Whether approval is required even if the settings skip it.
    consent: bool,
    /// The word that must be typed.
    word: Option<String>,
}

impl Demand {
    pub(super) fn of(decision: &Decision) -> Self {
        Self { consent: decision.effect == Effect::Confirm, word: decision.typed.clone() }
    }
}

/// How a change is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A person approves through the client (MCP elicitation).
    Person,
    /// The call is repeated with the code from the preview.
    Code,
    /// The call has `confirm: true`, and the settings accept it.
    Argument,
    /// The settings require no approval.
    Nobody,
}

impl Way {
    /// Returns the method's name for audit records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Code => "code",
            Self::Argument => "argument",
            Self::Nobody => "nobody",
        }
    }
}

/// The decision of the gate.
#[derive(Debug)]
pub(super) enum Verdict {
    Go(Way),
    Ask(Question),
}

impl Gate {
    /// Creates a gate with this approval mode.
    pub fn new(confirm: Confirm, seal: Seal) -> Self {
        let bytes = |_: &Nonce, facts: &Arc<Vec<Fact>>| {
            let bytes: usize =
                facts.iter().map(|fact| fact.about.len() + fact.says.len() + 64).sum();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let shown = Cache::builder()
            .max_capacity(SHOWN_BYTES)
            .weigher(bytes)
            .time_to_live(GOOD_FOR)
            .build();
        Self { confirm, seal, ledger: Arc::new(Ledger::new(Store::memory())), shown }
    }

    /// Returns a gate that shares executed changes with other replicas through this store.
    #[must_use]
    pub fn sharing(&self, store: &Arc<Store>) -> Self {
        Self { ledger: Arc::new(Ledger::new(Arc::clone(store))), ..self.with(self.confirm) }
    }

    /// Returns a gate with another approval mode that shares the open requests and executed
    /// changes.
    #[must_use]
    pub fn with(&self, confirm: Confirm) -> Self {
        let Self { seal, ledger, shown, .. } = self;
        Self { confirm, seal: seal.clone(), ledger: Arc::clone(ledger), shown: shown.clone() }
    }

    /// Returns the approval mode.
    pub fn confirm(&self) -> Confirm {
        self.confirm
    }

    /// Returns the reply of Octopus if the same call was executed before.
    pub(super) async fn made(&self, brought: &Brought) -> Result<Option<Reply>, Error> {
        let counts = match brought.name {
            Name::Given(_) | Name::Asked { .. } => true,
            Name::Call(_) => self.asks_nobody(brought),
        };
        if !counts {
            return Ok(None);
        }
        let found = self.ledger.find(&brought.whose, brought.name, &brought.bound()).await?;
        let Some(deed) = found else { return Ok(None) };
        deed.result().await?.map(Some).map_err(unsure)
    }

    fn asks_nobody(&self, brought: &Brought) -> bool {
        match self.confirm {
            Confirm::Never => true,
            Confirm::Argument => brought.bare && !brought.can_ask,
            Confirm::Ask | Confirm::Code => false,
        }
    }

    /// Decides whether a change may be executed now or requires approval.
    ///
    /// # Errors
    ///
    /// Returns an error if the approval does not match the change, or if the required method is not
    /// available.
    pub(super) fn decide(
        &self,
        brought: &Brought,
        proposal: &Proposal,
        demand: &Demand,
    ) -> Result<Verdict, Error> {
        if let Some(token) = &brought.token {
            if token.way == Way::Code && self.confirm == Confirm::Ask {
                return Err(Error::CannotAsk);
            }
            if token.proposal != proposal.digest() {
                let shown = self.shown.get(&token.nonce);
                let shown = shown.as_ref().map_or(&[][..], |facts| facts.as_slice());
                return Err(Error::Drift(drift::difference(&token.facts, shown, proposal)));
            }
            let typed = brought.typed.as_deref().map(str::trim);
            if demand.word.as_deref().is_some_and(|word| typed != Some(word.trim())) {
                return Err(Error::Consent(
                    "nothing was changed: the typed word does not match the word that the rule \
                     requires (exact match)",
                ));
            }
            return Ok(Verdict::Go(token.way));
        }
        if self.asks_nobody(brought) && !demand.consent {
            let way = if self.confirm == Confirm::Never { Way::Nobody } else { Way::Argument };
            return Ok(Verdict::Go(way));
        }
        let way = match self.confirm {
            _ if brought.can_ask => Way::Person,
            Confirm::Ask => return Err(Error::CannotAsk),
            _ => Way::Code,
        };
        let question = self.ask(brought, proposal, way)?;
        Ok(Verdict::Ask(Question { word: demand.word.clone(), ..question }))
    }

    pub(super) fn ask(
        &self,
        brought: &Brought,
        proposal: &Proposal,
        way: Way,
    ) -> Result<Question, Error> {
        let words = proposal.words()?;
        let nonce: Nonce = brought.change.into_bytes();
        let mut token = nonce.to_vec();
        // The ID of the change is older than the request. An equal change may have ended between
        // the two.
        token.extend(Uuid::now_v7().into_bytes());
        token.extend(proposal.digest());
        token.extend(proposal.facts.iter().flat_map(Fact::digest));
        let sealed = self.seal.seal(&token, &purpose(&brought.call, way), GOOD_FOR);
        self.shown.insert(nonce, Arc::new(proposal.facts.clone()));
        let Proposal { action, removed, redacted, .. } = *proposal;
        Ok(Question { action, words, sealed, way, word: None, removed, redacted })
    }

    pub(super) fn open(&self, sealed: &str, call: &Key, way: Way) -> Result<Token, Error> {
        let foreign = Error::Consent(
            "nothing was changed: the approval is not valid for this call. It covers only the \
             caller, tool and arguments that were shown",
        );
        let token = self.seal.open(sealed, &purpose(call, way)).map_err(|why| match why {
            Unsealed::Expired => {
                Error::Consent("nothing was changed: the approval request expired after 5 minutes")
            }
            Unsealed::Foreign => foreign.clone(),
        })?;
        let read = || {
            let (nonce, rest) = token.split_first_chunk()?;
            let (asked, rest) = rest.split_first_chunk()?;
            let (proposal, facts) = rest.split_first_chunk()?;
            let (facts, rest) = facts.as_chunks();
            let facts = facts.to_vec();
            let (nonce, asked, proposal) = (*nonce, Uuid::from_bytes(*asked), *proposal);
            rest.is_empty().then_some(Token { nonce, asked, proposal, facts, way })
        };
        read().ok_or(foreign)
    }

    /// Executes the change once for each idempotency key. Returns the reply, and whether it is of
    /// an earlier execution.
    pub(super) async fn once(
        &self,
        brought: &Brought,
        work: impl Future<Output = Result<Reply, octopus::Error>> + Send + 'static,
    ) -> Result<(Reply, bool), Error> {
        let Brought { whose, name, .. } = brought;
        let asked_here = |token: &Token| self.shown.contains_key(&token.nonce);
        let asked_here = brought.token.as_ref().is_some_and(asked_here);
        match self.ledger.once(*whose, *name, brought.bound(), asked_here, work).await {
            Ok((result, repeated)) => result.map(|reply| (reply, repeated)).map_err(unsure),
            Err(why) => Err(why.into()),
        }
    }
}

fn purpose(call: &Key, way: Way) -> Vec<u8> {
    let mut purpose = match way {
        Way::Person => b"person".to_vec(),
        _ => b"code".to_vec(),
    };
    purpose.extend(call);
    purpose
}

/// Converts an error of a sent change. Only a refusal by Octopus proves that the change was not
/// made.
pub(super) fn unsure(error: octopus::Error) -> Error {
    if error.is_refusal() { Error::Octopus(error) } else { Error::Unsure(error) }
}
