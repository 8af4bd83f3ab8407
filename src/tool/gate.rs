//! The gate before every change: whether somebody has agreed to it, and to this very one.

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

/// How long a question is good for.
pub(super) const GOOD_FOR: Duration = Duration::from_mins(5);
/// How many bytes of questions are remembered, to say what was shown where it is so no more.
const SHOWN_BYTES: u64 = 16 * 1024 * 1024;

/// The gate before every change, one for the whole server.
#[derive(Debug)]
pub struct Gate {
    confirm: Confirm,
    seal: Seal,
    ledger: Arc<Ledger>,
    shown: Cache<Nonce, Arc<Vec<Fact>>>,
}

/// A question before a change.
#[derive(Debug)]
pub struct Question {
    /// What the change is called.
    pub action: &'static str,
    /// The words that a person reads.
    pub words: String,
    /// The question, sealed: to be sent back with the yes.
    pub sealed: String,
    /// How the yes comes back.
    pub way: Way,
    /// The word that comes back with it, where a rule wants one typed.
    pub word: Option<String>,
    /// How many invisible characters were removed from the words of Octopus.
    pub removed: usize,
    /// How many secrets were taken out of them.
    pub redacted: usize,
}

/// What a rule wants of a yes.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Whether somebody must agree, whatever the settings let pass.
    consent: bool,
    /// The word that must be typed.
    word: Option<String>,
}

impl Demand {
    pub(super) fn of(decision: &Decision) -> Self {
        Self { consent: decision.effect == Effect::Confirm, word: decision.typed.clone() }
    }
}

/// How consent comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A person is asked through the client.
    Person,
    /// The call comes again with a code.
    Code,
    /// The call says `confirm: true`, and the settings allow that.
    Argument,
    /// The settings ask nobody.
    Nobody,
}

impl Way {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Code => "code",
            Self::Argument => "argument",
            Self::Nobody => "nobody",
        }
    }
}

/// What the gate says.
#[derive(Debug)]
pub(super) enum Verdict {
    Go(Way),
    Ask(Question),
}

impl Gate {
    /// A gate that lets consent down as far as this.
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

    /// The same gate, which shares with other replicas what was done.
    #[must_use]
    pub fn sharing(&self, store: &Arc<Store>) -> Self {
        Self { ledger: Arc::new(Ledger::new(Arc::clone(store))), ..self.with(self.confirm) }
    }

    /// The same gate, that lets consent down as far as this: it knows the questions and the deeds.
    #[must_use]
    pub fn with(&self, confirm: Confirm) -> Self {
        let Self { seal, ledger, shown, .. } = self;
        Self { confirm, seal: seal.clone(), ledger: Arc::clone(ledger), shown: shown.clone() }
    }

    /// How far consent is let down.
    pub fn confirm(&self) -> Confirm {
        self.confirm
    }

    /// What was answered to the same call before, where it was.
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

    /// Whether this may be done now, or somebody must be asked.
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
                    "nothing was changed: the word that was typed is not the one that the rule \
                     asks for, letter by letter",
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
        // The ID of the change is older: an equal change may have ended since the call began.
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
            "nothing was changed: this yes is not for this call. It counts for the same caller, \
             tool and arguments that were shown, and nothing else",
        );
        let token = self.seal.open(sealed, &purpose(call, way)).map_err(|why| match why {
            Unsealed::Expired => {
                Error::Consent("nothing was changed: the question is more than 5 minutes old")
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

    /// Does it, once for each call.
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

/// After an error that is no refusal, a change may have been made.
pub(super) fn unsure(error: octopus::Error) -> Error {
    if error.is_refusal() { Error::Octopus(error) } else { Error::Unsure(error) }
}
