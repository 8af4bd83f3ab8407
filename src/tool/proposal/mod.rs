//! What would be changed, as a person sees it and as it would be sent.

mod fact;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use self::fact::Fact;
use self::fact::short;
use super::Error;
use crate::{
    config::Effect,
    octopus::{Kind, Order, Touches},
    rules::{Decision, Deed, Moment},
    text::{self, steps},
};

/// How many bytes a person can be asked to read before they agree.
const READABLE: usize = 16 * 1024;
/// What one text costs, in bytes, beside its length.
const TEXT: usize = 32;

/// What would be changed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What the change is called: `deployment`.
    pub action: &'static str,
    /// The question in one line.
    pub question: String,
    /// What a person should know to answer it, in order.
    pub facts: Vec<Fact>,
    /// What must still be so when it is done, beside the facts.
    pub state: Value,
    /// What would be sent.
    pub order: Order,
    /// What it does, where the arguments and not the tool decide that.
    pub deed: Option<Deed>,
    /// What it touches. Nothing is known of that until somebody says so.
    pub touches: Touches,
    /// When it begins, where that is not at once.
    pub begins: Option<Moment>,
    /// The ID of the change in the audit, where there is an audit.
    pub(super) audit_id: Option<String>,
    /// How many invisible characters were removed from the words of Octopus.
    pub(super) removed: usize,
    /// How many secrets were taken out of them.
    pub(super) redacted: usize,
    /// Bytes of text that were processed. Beyond [`Self::MOST_TEXT`], facts are left out and nobody
    /// can be asked.
    processed: usize,
}

impl Proposal {
    /// How many bytes of text a proposal processes. Removing invisible characters and secrets can
    /// shorten a text, so this is more than a person can be asked to read.
    pub const MOST_TEXT: usize = 4 * READABLE;

    /// A proposal with nothing but its question yet. The question names things of Octopus, so it
    /// passes the door; what the caller wrote stands unchanged in the facts.
    pub fn new(action: &'static str, question: &str, order: Order) -> Self {
        let kinds = [Kind::Space, Kind::Project, Kind::Environment, Kind::Tenant];
        let mut proposal = Self {
            action,
            question: String::new(),
            facts: Vec::new(),
            state: Value::Null,
            order,
            deed: None,
            touches: Touches::default().unsure(kinds),
            begins: None,
            audit_id: None,
            removed: 0,
            redacted: 0,
            processed: 0,
        };
        proposal.question = proposal.one_line(question);
        proposal
    }

    /// Adds a line. Whoever wrote the words in it, they cannot make it look like two.
    #[must_use]
    pub fn fact(mut self, about: &str, says: impl AsRef<str>) -> Self {
        let (about, mut says) = (self.one_line(about), self.one_line(says.as_ref()));
        if self.is_too_large() {
            return self;
        }
        if let Some(shown) = text::named(&about, &says) {
            self.redacted += 1;
            says = shown;
        }
        self.facts.push(Fact { about, says });
        self
    }

    /// Adds a line with words of the caller, which are sent as they are: nothing of them is taken
    /// out, and what a reader would not see is shown.
    #[must_use]
    pub fn wrote(mut self, about: &str, says: Option<impl AsRef<str>>) -> Self {
        if let Some(says) = says {
            let (about, says) = (self.one_line(about), self.as_written(says.as_ref()));
            self.push(about, says);
        }
        self
    }

    /// Adds a line that says what is there, and what the caller wants in its place.
    #[must_use]
    pub fn change(mut self, about: &str, was: &str, becomes: &str) -> Self {
        let says = format!("{} → {}", self.one_line(was), self.as_written(becomes));
        let about = self.one_line(about);
        self.push(about, says);
        self
    }

    /// Adds a line for a list of words of the caller, where it has any.
    #[must_use]
    pub fn wrote_list(mut self, about: &str, items: &[impl AsRef<str>]) -> Self {
        let mut written = Vec::new();
        for item in items {
            written.push(self.as_written(item.as_ref()));
            if self.is_too_large() {
                return self;
            }
        }
        self.wrote(about, (!written.is_empty()).then(|| written.join(", ")))
    }

    /// Adds a line where there is something to say.
    #[must_use]
    pub fn fact_if(self, about: &str, says: Option<impl AsRef<str>>) -> Self {
        match says {
            Some(says) => self.fact(about, says),
            None => self,
        }
    }

    /// Adds a line for a list, where it has items.
    #[must_use]
    pub fn fact_list(mut self, about: &str, items: &[impl AsRef<str>]) -> Self {
        let mut lines = Vec::new();
        for item in items {
            lines.push(self.one_line(item.as_ref()));
            if self.is_too_large() {
                return self;
            }
        }
        self.fact_if(about, (!lines.is_empty()).then(|| lines.join(", ")))
    }

    /// Says what must still be so when it is done, beside the facts.
    #[must_use]
    pub fn state(mut self, state: Value) -> Self {
        self.state = state;
        self
    }

    /// Says what it touches.
    #[must_use]
    pub fn touching(mut self, touches: Touches) -> Self {
        self.touches = touches;
        self
    }

    /// Says what it does.
    #[must_use]
    pub fn doing(mut self, deed: Deed) -> Self {
        self.deed = Some(deed);
        self
    }

    /// Says when it begins, where that is not at once.
    #[must_use]
    pub fn beginning(mut self, begins: Option<Moment>) -> Self {
        self.begins = begins;
        self
    }

    /// Adds the ID of the change in the audit.
    pub(super) fn audited(self, id: Option<String>) -> Self {
        let proposal = self.fact_if("Audit ID", id.as_ref());
        Self { audit_id: id, ..proposal }
    }

    /// Adds what the rule says that wants somebody to agree.
    pub(super) fn ruled(self, decision: &Decision) -> Self {
        if decision.effect != Effect::Confirm {
            return self;
        }
        let rule = decision.rule.as_deref().unwrap_or("of this server");
        let says = match &decision.message {
            Some(message) => format!("{rule}: {message}"),
            None => rule.to_owned(),
        };
        self.fact("Rule", says).fact_if("Word to type", decision.typed.as_ref())
    }

    /// Text out of Octopus in one line, through the door. Secrets that span lines are found before
    /// it is taken apart.
    fn one_line(&mut self, text: &str) -> String {
        if !self.admits(text) {
            return String::new();
        }
        let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
        let marked: String = text.chars().map(|c| if breaks(c) { '\n' } else { c }).collect();
        let passed = text::door(&marked);
        self.removed += passed.removed;
        self.redacted += passed.redacted;
        joined(&passed.text)
    }

    /// Returns text of the caller in one line. Secrets are not redacted, because the approval covers
    /// the whole text and the caller knows it already.
    fn as_written(&mut self, text: &str) -> String {
        if !self.admits(text) {
            return String::new();
        }
        joined(&text::sanitize::visible(text))
    }

    fn push(&mut self, about: String, says: String) {
        if !self.is_too_large() {
            self.facts.push(Fact { about, says });
        }
    }

    /// Whether this text is still to be processed.
    fn admits(&mut self, text: &str) -> bool {
        self.processed = self.processed.saturating_add(text.len()).saturating_add(TEXT);
        if self.is_too_large() {
            return false;
        }
        steps::add(text.len() + TEXT);
        true
    }

    /// Whether facts are left out because it is too large to be shown.
    pub(super) fn is_too_large(&self) -> bool {
        self.processed > Self::MOST_TEXT
    }

    /// The words that a person reads. What cannot be shown whole cannot be agreed to.
    pub(super) fn words(&self) -> Result<String, Error> {
        if self.is_too_large() {
            return Err(self.too_large(&format!("more than {READABLE} bytes")));
        }
        let mut words = format!("{}\n", self.question);
        for Fact { about, says } in &self.facts {
            let _ = write!(words, "\n{about}: {says}");
        }
        if words.len() > READABLE {
            return Err(self.too_large(&format!("{} bytes", words.len())));
        }
        Ok(words)
    }

    fn too_large(&self, size: &str) -> Error {
        Error::Invalid(format!(
            "this {} is too large for a person to read before agreeing to it: {size} of at most \
             {READABLE}; make it smaller, or do it in the portal",
            self.action,
        ))
    }

    /// Tells one proposal from another: everything that was shown, and everything that would be
    /// sent. The ID of the change does not count, since the question is bound to it by its seal:
    /// so two questions about one change in one state have one digest.
    pub(super) fn digest(&self) -> [u8; 16] {
        let id = self.audit_id.as_deref();
        let mut digest = Sha256::new();
        digest.update(self.order.digest(id));
        digest.update(self.state.to_string());
        for Fact { about, says } in &self.facts {
            let says = id.map_or_else(|| says.clone(), |id| says.replace(id, ""));
            digest.update(Fact { about: about.clone(), says }.digest());
        }
        short(digest)
    }
}

fn joined(text: &str) -> String {
    let parts = text.split('\n').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ⏎ ")
}
