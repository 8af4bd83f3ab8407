//! Previews of changes: the text that a person approves, and the request that is sent after
//! approval.

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

/// Maximum size in bytes of a preview that a person can be asked to read.
const READABLE: usize = 16 * 1024;
/// Cost of one text in bytes, in addition to its length.
const TEXT: usize = 32;

/// A planned change, as it is shown and as it would be sent.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Name of the kind of change, e.g. `deployment`.
    pub action: &'static str,
    /// The question to the person, in one line.
    pub question: String,
    /// The lines below the question, in order.
    pub facts: Vec<Fact>,
    /// State, in addition to the lines, that must be unchanged when the change is executed.
    pub state: Value,
    /// The request that would be sent.
    pub order: Order,
    /// Kind of change, if the arguments decide it and not the tool.
    pub deed: Option<Deed>,
    /// The access set of the change. Unknown until it is set.
    pub touches: Touches,
    /// When the change begins, if not immediately.
    pub begins: Option<Moment>,
    /// The audit ID of the change, if audit records are enabled.
    pub(super) audit_id: Option<String>,
    /// Number of invisible characters removed from text of Octopus.
    pub(super) removed: usize,
    /// Number of secrets redacted from text of Octopus.
    pub(super) redacted: usize,
    /// Bytes of processed text. Beyond [`Self::MOST_TEXT`], lines are dropped and the change cannot
    /// be approved.
    processed: usize,
}

impl Proposal {
    /// Maximum number of bytes of text that a preview processes. Sanitizing can shorten a text, so
    /// this is more than the maximum size of a preview.
    pub const MOST_TEXT: usize = 4 * READABLE;

    /// Creates a preview with only a question. The question contains names of objects in Octopus,
    /// so it is sanitized. Text of the caller belongs in the lines, which show it unchanged.
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

    /// Adds a line with sanitized text. The text cannot look like several lines.
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

    /// Adds a line with text of the caller, which is sent unchanged. Secrets are not redacted, and
    /// invisible characters are shown as escapes.
    #[must_use]
    pub fn wrote(mut self, about: &str, says: Option<impl AsRef<str>>) -> Self {
        if let Some(says) = says {
            let (about, says) = (self.one_line(about), self.as_written(says.as_ref()));
            self.push(about, says);
        }
        self
    }

    /// Adds a line with the current value and the value that the caller wants.
    #[must_use]
    pub fn change(mut self, about: &str, was: &str, becomes: &str) -> Self {
        let says = format!("{} → {}", self.one_line(was), self.as_written(becomes));
        let about = self.one_line(about);
        self.push(about, says);
        self
    }

    /// Adds a line with a list of texts of the caller, if it has items.
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

    /// Adds a line if there is a value.
    #[must_use]
    pub fn fact_if(self, about: &str, says: Option<impl AsRef<str>>) -> Self {
        match says {
            Some(says) => self.fact(about, says),
            None => self,
        }
    }

    /// Adds a line with a list, if it has items.
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

    /// Sets the state that must be unchanged when the change is executed.
    #[must_use]
    pub fn state(mut self, state: Value) -> Self {
        self.state = state;
        self
    }

    /// Sets the access set.
    #[must_use]
    pub fn touching(mut self, touches: Touches) -> Self {
        self.touches = touches;
        self
    }

    /// Sets the kind of change.
    #[must_use]
    pub fn doing(mut self, deed: Deed) -> Self {
        self.deed = Some(deed);
        self
    }

    /// Sets when the change begins, if not immediately.
    #[must_use]
    pub fn beginning(mut self, begins: Option<Moment>) -> Self {
        self.begins = begins;
        self
    }

    /// Adds a line with the audit ID of the change.
    pub(super) fn audited(self, id: Option<String>) -> Self {
        let proposal = self.fact_if("Audit ID", id.as_ref());
        Self { audit_id: id, ..proposal }
    }

    /// Adds lines for the policy rule that requires approval.
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

    /// Returns sanitized text in one line. Sanitizes before joining lines, because secrets can span
    /// several lines.
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

    /// Returns text of the caller in one line. Secrets are not redacted, because the approval
    /// covers the whole text and the caller knows it already.
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

    /// Returns whether the text is within the limit, and counts it.
    fn admits(&mut self, text: &str) -> bool {
        self.processed = self.processed.saturating_add(text.len()).saturating_add(TEXT);
        if self.is_too_large() {
            return false;
        }
        steps::add(text.len() + TEXT);
        true
    }

    /// Returns whether lines were dropped because the preview is too large.
    pub(super) fn is_too_large(&self) -> bool {
        self.processed > Self::MOST_TEXT
    }

    /// Returns the preview text.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] if the preview is too large. A change that cannot be shown
    /// completely cannot be approved.
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
            "this {} is too large for a person to approve: the preview has {size}, and the limit \
             is {READABLE} bytes. Make the change smaller, or use the portal",
            self.action,
        ))
    }

    /// Returns a digest of everything that was shown and everything that would be sent. It excludes
    /// the audit ID, because the approval token is bound to that ID. So two requests for one change
    /// in one state have the same digest.
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
