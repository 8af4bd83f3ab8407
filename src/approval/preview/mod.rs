//! Previews of changes: the text that a person approves, and the request that is sent after
//! approval.

mod line;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use self::line::PreviewLine;
use self::line::truncated_digest;
use super::ApprovalError;
use crate::{
    config::Effect,
    octopus::{AccessSet, ChangeRequest, ResourceKind},
    policy::{Decision, Moment, PolicyAction},
    sanitize::{redact_named_value, sanitize, strip},
    text::step_counter,
};

/// Maximum size in bytes of a preview that a person can be asked to read.
const MAX_PREVIEW_BYTES: usize = 16 * 1024;
/// Cost of one text in bytes, in addition to its length.
const TEXT_COST: usize = 32;

/// A planned change, as it is shown and as it would be sent.
#[derive(Debug, Clone)]
pub struct ChangePreview {
    /// Name of the kind of change, e.g. `deployment`.
    pub action: &'static str,
    /// The question to the person, in one line.
    pub question: String,
    /// The lines below the question, in order.
    pub lines: Vec<PreviewLine>,
    /// State, in addition to the lines, that must be unchanged when the change is executed.
    pub state: Value,
    /// The request that would be sent.
    pub request: ChangeRequest,
    /// Kind of change, if the arguments decide it and not the tool.
    pub policy_action: Option<PolicyAction>,
    /// The access set of the change. Unknown until it is set.
    pub access_set: AccessSet,
    /// When the change begins, if not immediately.
    pub begins_at: Option<Moment>,
    /// The audit ID of the change, if audit records are enabled.
    pub(super) audit_id: Option<String>,
    /// Number of invisible characters removed from text of Octopus.
    pub(super) removed_characters: usize,
    /// Number of secrets redacted from text of Octopus.
    pub(super) redacted_secrets: usize,
    /// Bytes of processed text. Beyond [`Self::MAX_PROCESSED_BYTES`], lines are dropped and the change cannot
    /// be approved.
    processed: usize,
}

impl ChangePreview {
    /// Maximum number of bytes of text that a preview processes. Sanitizing can shorten a text, so
    /// this is more than the maximum size of a preview.
    pub const MAX_PROCESSED_BYTES: usize = 4 * MAX_PREVIEW_BYTES;

    /// Creates a preview with only a question. The question contains names of objects in Octopus,
    /// so it is sanitized. Text of the caller belongs in the lines, which show it unchanged.
    pub fn new(action: &'static str, question: &str, order: ChangeRequest) -> Self {
        let kinds = [
            ResourceKind::Space,
            ResourceKind::Project,
            ResourceKind::Environment,
            ResourceKind::Tenant,
        ];
        let mut proposal = Self {
            action,
            question: String::new(),
            lines: Vec::new(),
            state: Value::Null,
            request: order,
            policy_action: None,
            access_set: AccessSet::default().with_incomplete(kinds),
            begins_at: None,
            audit_id: None,
            removed_characters: 0,
            redacted_secrets: 0,
            processed: 0,
        };
        proposal.question = proposal.sanitized_line(question);
        proposal
    }

    /// Adds a line with sanitized text. The text cannot look like several lines.
    #[must_use]
    pub fn line(mut self, about: &str, says: impl AsRef<str>) -> Self {
        let (about, mut says) = (self.sanitized_line(about), self.sanitized_line(says.as_ref()));
        if self.is_too_large() {
            return self;
        }
        if let Some(shown) = redact_named_value(&about, &says) {
            self.redacted_secrets += 1;
            says = shown;
        }
        self.lines.push(PreviewLine { label: about, value: says });
        self
    }

    /// Adds a line with text of the caller, which is sent unchanged. Secrets are not redacted, and
    /// invisible characters are shown as escapes.
    #[must_use]
    pub fn caller_text(mut self, about: &str, says: Option<impl AsRef<str>>) -> Self {
        if let Some(says) = says {
            let (about, says) = (self.sanitized_line(about), self.caller_line(says.as_ref()));
            self.push(about, says);
        }
        self
    }

    /// Adds a line with the current value and the value that the caller wants.
    #[must_use]
    pub fn change_line(mut self, about: &str, was: &str, becomes: &str) -> Self {
        let says = format!("{} → {}", self.sanitized_line(was), self.caller_line(becomes));
        let about = self.sanitized_line(about);
        self.push(about, says);
        self
    }

    /// Adds a line with a list of texts of the caller, if it has items.
    #[must_use]
    pub fn caller_list(mut self, about: &str, items: &[impl AsRef<str>]) -> Self {
        let mut written = Vec::new();
        for item in items {
            written.push(self.caller_line(item.as_ref()));
            if self.is_too_large() {
                return self;
            }
        }
        self.caller_text(about, (!written.is_empty()).then(|| written.join(", ")))
    }

    /// Adds a line if there is a value.
    #[must_use]
    pub fn line_if(self, about: &str, says: Option<impl AsRef<str>>) -> Self {
        match says {
            Some(says) => self.line(about, says),
            None => self,
        }
    }

    /// Adds a line with a list, if it has items.
    #[must_use]
    pub fn list_line(mut self, about: &str, items: &[impl AsRef<str>]) -> Self {
        let mut lines = Vec::new();
        for item in items {
            lines.push(self.sanitized_line(item.as_ref()));
            if self.is_too_large() {
                return self;
            }
        }
        self.line_if(about, (!lines.is_empty()).then(|| lines.join(", ")))
    }

    /// Sets the state that must be unchanged when the change is executed.
    #[must_use]
    pub fn required_state(mut self, state: Value) -> Self {
        self.state = state;
        self
    }

    /// Sets the access set.
    #[must_use]
    pub fn with_access_set(mut self, touches: AccessSet) -> Self {
        self.access_set = touches;
        self
    }

    /// Sets the kind of change.
    #[must_use]
    pub fn with_policy_action(mut self, deed: PolicyAction) -> Self {
        self.policy_action = Some(deed);
        self
    }

    /// Sets when the change begins, if not immediately.
    #[must_use]
    pub fn with_begin(mut self, begins: Option<Moment>) -> Self {
        self.begins_at = begins;
        self
    }

    /// Adds a line with the audit ID of the change.
    pub(crate) fn with_audit_id(self, id: Option<String>) -> Self {
        let proposal = self.line_if("Audit ID", id.as_ref());
        Self { audit_id: id, ..proposal }
    }

    /// Adds lines for the policy rule that requires approval.
    pub(crate) fn with_rule(self, decision: &Decision) -> Self {
        if decision.effect != Effect::Confirm {
            return self;
        }
        let rule = decision.rule.as_deref().unwrap_or("of this server");
        let says = match &decision.message {
            Some(message) => format!("{rule}: {message}"),
            None => rule.to_owned(),
        };
        self.line("Rule", says).line_if("Word to type", decision.confirmation_word.as_ref())
    }

    /// Returns sanitized text in one line. Sanitizes before joining lines, because secrets can span
    /// several lines.
    fn sanitized_line(&mut self, text: &str) -> String {
        if !self.count_text(text) {
            return String::new();
        }
        let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
        let marked: String = text.chars().map(|c| if breaks(c) { '\n' } else { c }).collect();
        let passed = sanitize(&marked);
        self.removed_characters += passed.removed;
        self.redacted_secrets += passed.redactions;
        join_lines(&passed.text)
    }

    /// Returns text of the caller in one line. Secrets are not redacted, because the approval
    /// covers the whole text and the caller knows it already.
    fn caller_line(&mut self, text: &str) -> String {
        if !self.count_text(text) {
            return String::new();
        }
        join_lines(&strip::reveal_invisible(text))
    }

    fn push(&mut self, about: String, says: String) {
        if !self.is_too_large() {
            self.lines.push(PreviewLine { label: about, value: says });
        }
    }

    /// Returns whether the text is within the limit, and counts it.
    fn count_text(&mut self, text: &str) -> bool {
        self.processed = self.processed.saturating_add(text.len()).saturating_add(TEXT_COST);
        if self.is_too_large() {
            return false;
        }
        step_counter::add(text.len() + TEXT_COST);
        true
    }

    /// Returns whether lines were dropped because the preview is too large.
    pub(super) fn is_too_large(&self) -> bool {
        self.processed > Self::MAX_PROCESSED_BYTES
    }

    /// Returns the preview text.
    ///
    /// # Errors
    ///
    /// Returns [`ApprovalError::PreviewTooLarge`] if the preview is too large. A change that cannot be shown
    /// completely cannot be approved.
    pub(super) fn text(&self) -> Result<String, ApprovalError> {
        if self.is_too_large() {
            return Err(self.too_large(&format!("more than {MAX_PREVIEW_BYTES} bytes")));
        }
        let mut words = format!("{}\n", self.question);
        for PreviewLine { label: about, value: says } in &self.lines {
            let _ = write!(words, "\n{about}: {says}");
        }
        if words.len() > MAX_PREVIEW_BYTES {
            return Err(self.too_large(&format!("{} bytes", words.len())));
        }
        Ok(words)
    }

    fn too_large(&self, size: &str) -> ApprovalError {
        ApprovalError::PreviewTooLarge(format!(
            "this {} is too large for a person to approve: the preview has {size}, and the limit \
             is {MAX_PREVIEW_BYTES} bytes. Make the change smaller, or use the portal",
            self.action,
        ))
    }

    /// Returns a digest of everything that was shown and everything that would be sent. It excludes
    /// the audit ID, because the approval token is bound to that ID. So two requests for one change
    /// in one state have the same digest.
    pub(super) fn digest(&self) -> [u8; 16] {
        let id = self.audit_id.as_deref();
        let mut digest = Sha256::new();
        digest.update(self.request.digest(id));
        digest.update(self.state.to_string());
        for PreviewLine { label: about, value: says } in &self.lines {
            let says = id.map_or_else(|| says.clone(), |id| says.replace(id, ""));
            digest.update(PreviewLine { label: about.clone(), value: says }.digest());
        }
        truncated_digest(digest)
    }
}

fn join_lines(text: &str) -> String {
    let parts = text.split('\n').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ⏎ ")
}
