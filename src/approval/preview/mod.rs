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

/// Maximum size of a preview in bytes.
const MAX_PREVIEW_BYTES: usize = 16 * 1024;
/// Length of the end of a cut text that is not shown, because it may contain a part of a secret.
const MAX_SECRET_CHARS: usize = 512;
/// Cost of one text in bytes, in addition to its length.
const TEXT_COST: usize = 32;

/// A planned change: the lines that a person reads, and the request that is sent after approval.
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
    /// Start time of the change, if it does not start immediately.
    pub begins_at: Option<Moment>,
    /// The audit ID of the change, if audit records are enabled.
    pub(super) audit_id: Option<String>,
    /// Number of invisible characters removed from text of Octopus.
    pub(super) removed_characters: usize,
    /// Number of secrets redacted from text of Octopus.
    pub(super) redacted_secrets: usize,
    /// Bytes of processed text. Beyond [`Self::MAX_PROCESSED_BYTES`], lines are dropped and the
    /// change cannot be approved.
    processed: usize,
}

impl ChangePreview {
    /// Maximum number of bytes of text that a preview processes. Sanitizing can shorten a text, so
    /// this is more than the maximum size of a preview.
    pub const MAX_PROCESSED_BYTES: usize = 4 * MAX_PREVIEW_BYTES;

    /// Creates a preview with only a question. The question contains names of objects in Octopus,
    /// so it is sanitized. Text of the caller belongs in the lines, which show it unchanged.
    pub fn new(action: &'static str, question: &str, request: ChangeRequest) -> Self {
        let kinds = [
            ResourceKind::Space,
            ResourceKind::Project,
            ResourceKind::Environment,
            ResourceKind::Tenant,
        ];
        let mut preview = Self {
            action,
            question: String::new(),
            lines: Vec::new(),
            state: Value::Null,
            request,
            policy_action: None,
            access_set: AccessSet::default().with_incomplete(kinds),
            begins_at: None,
            audit_id: None,
            removed_characters: 0,
            redacted_secrets: 0,
            processed: 0,
        };
        preview.question = preview.sanitized_line(question);
        preview
    }

    /// Adds a line with sanitized text. The text cannot look like several lines.
    #[must_use]
    pub fn line(mut self, label: &str, value: impl AsRef<str>) -> Self {
        let (label, mut value) = (self.sanitized_line(label), self.sanitized_line(value.as_ref()));
        if self.is_too_large() {
            return self;
        }
        if let Some(shown) = redact_named_value(&label, &value) {
            self.redacted_secrets += 1;
            value = shown;
        }
        self.lines.push(PreviewLine { label, value });
        self
    }

    /// Adds a line with text of the caller, which is sent unchanged. Secrets are not redacted, and
    /// invisible characters are shown as escapes.
    #[must_use]
    pub fn caller_text(mut self, label: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            let (label, value) = (self.sanitized_line(label), self.caller_line(value.as_ref()));
            self.push(label, value);
        }
        self
    }

    /// Adds a line with the current and the requested value.
    #[must_use]
    pub fn change_line(mut self, label: &str, was: &str, becomes: &str) -> Self {
        let value = format!("{} → {}", self.sanitized_line(was), self.caller_line(becomes));
        let label = self.sanitized_line(label);
        self.push(label, value);
        self
    }

    /// Adds a line with a list of texts of the caller, if it has items.
    #[must_use]
    pub fn caller_list(mut self, label: &str, items: &[impl AsRef<str>]) -> Self {
        let mut texts = Vec::new();
        for item in items {
            texts.push(self.caller_line(item.as_ref()));
            if self.is_too_large() {
                return self;
            }
        }
        self.caller_text(label, (!texts.is_empty()).then(|| texts.join(", ")))
    }

    /// Adds a line if there is a value.
    #[must_use]
    pub fn line_if(self, label: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.line(label, value),
            None => self,
        }
    }

    /// Adds a line with at most `max_chars` characters of a text of Octopus, and the note that the
    /// rest is not shown.
    #[must_use]
    pub fn bounded_line(mut self, label: &str, text: &str, max_chars: usize) -> Self {
        // Invisible characters and secrets shorten the text, so more than its shown part is
        // sanitized.
        let limit = max_chars.saturating_mul(4);
        let read = text.char_indices().nth(limit).and_then(|(end, _)| text.get(..end));
        let sanitized = self.sanitized_line(read.unwrap_or(text));
        // A secret at the end of the sanitized part may be incomplete and therefore not redacted.
        let complete = match read {
            Some(_) => sanitized.chars().count().saturating_sub(MAX_SECRET_CHARS),
            None => usize::MAX,
        };
        let shown_chars = max_chars.min(complete);
        let cut =
            sanitized.char_indices().nth(shown_chars).and_then(|(end, _)| sanitized.get(..end));
        let value = match cut {
            Some(shown) => format!("{} … (the rest is not shown)", shown.trim_end()),
            None => sanitized,
        };
        let label = self.sanitized_line(label);
        self.push(label, value);
        self
    }

    /// Adds a line with a list, if it has items.
    #[must_use]
    pub fn list_line(mut self, label: &str, items: &[impl AsRef<str>]) -> Self {
        let mut lines = Vec::new();
        for item in items {
            lines.push(self.sanitized_line(item.as_ref()));
            if self.is_too_large() {
                return self;
            }
        }
        self.line_if(label, (!lines.is_empty()).then(|| lines.join(", ")))
    }

    /// Sets the state that must be unchanged when the change is executed.
    #[must_use]
    pub fn required_state(mut self, state: Value) -> Self {
        self.state = state;
        self
    }

    /// Sets the access set.
    #[must_use]
    pub fn with_access_set(mut self, access_set: AccessSet) -> Self {
        self.access_set = access_set;
        self
    }

    /// Sets the kind of change.
    #[must_use]
    pub fn with_policy_action(mut self, action: PolicyAction) -> Self {
        self.policy_action = Some(action);
        self
    }

    /// Sets the start time of the change, if it does not start immediately.
    #[must_use]
    pub fn with_begin(mut self, start: Option<Moment>) -> Self {
        self.begins_at = start;
        self
    }

    /// Adds a line with the audit ID of the change.
    pub(crate) fn with_audit_id(self, id: Option<String>) -> Self {
        let preview = self.line_if("Audit ID", id.as_ref());
        Self { audit_id: id, ..preview }
    }

    /// Adds lines for the policy rule that requires approval.
    pub(crate) fn with_rule(self, decision: &Decision) -> Self {
        if decision.effect != Effect::Confirm {
            return self;
        }
        let rule = decision.rule.as_deref().unwrap_or("of this server");
        let value = match &decision.message {
            Some(message) => format!("{rule}: {message}"),
            None => rule.to_owned(),
        };
        self.line("Rule", value).line_if("Word to type", decision.confirmation_word.as_ref())
    }

    /// Returns sanitized text in one line. Sanitizes before joining lines, because secrets can span
    /// several lines.
    fn sanitized_line(&mut self, text: &str) -> String {
        if !self.count_text(text) {
            return String::new();
        }
        let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
        let marked: String = text.chars().map(|c| if breaks(c) { '\n' } else { c }).collect();
        let sanitized = sanitize(&marked);
        self.removed_characters += sanitized.removed;
        self.redacted_secrets += sanitized.redactions;
        join_lines(&sanitized.text)
    }

    /// Returns text of the caller in one line. Secrets are not redacted, because the approval
    /// covers the whole text and the caller wrote it.
    fn caller_line(&mut self, text: &str) -> String {
        if !self.count_text(text) {
            return String::new();
        }
        join_lines(&strip::reveal_invisible(text))
    }

    fn push(&mut self, label: String, value: String) {
        if !self.is_too_large() {
            self.lines.push(PreviewLine { label, value });
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
    /// Returns [`ApprovalError::PreviewTooLarge`] if the preview is too large. A change that cannot
    /// be shown completely cannot be approved.
    pub(super) fn text(&self) -> Result<String, ApprovalError> {
        if self.is_too_large() {
            return Err(self.too_large(&format!("more than {MAX_PREVIEW_BYTES} bytes")));
        }
        let mut text = format!("{}\n", self.question);
        for PreviewLine { label, value } in &self.lines {
            let _ = write!(text, "\n{label}: {value}");
        }
        if text.len() > MAX_PREVIEW_BYTES {
            return Err(self.too_large(&format!("{} bytes", text.len())));
        }
        Ok(text)
    }

    fn too_large(&self, size: &str) -> ApprovalError {
        ApprovalError::PreviewTooLarge(format!(
            "this {} is too large for a person to approve: the preview has {size}, and the limit \
             is {MAX_PREVIEW_BYTES} bytes. Make the change smaller, or use the portal",
            self.action,
        ))
    }

    /// Returns a digest of the preview lines, the required state and the change request. The audit
    /// ID is excluded, so two previews of the same change in the same state have equal digests.
    pub(super) fn digest(&self) -> [u8; 16] {
        let id = self.audit_id.as_deref();
        let mut digest = Sha256::new();
        digest.update(self.request.digest(id));
        digest.update(self.state.to_string());
        for PreviewLine { label, value } in &self.lines {
            let value = id.map_or_else(|| value.clone(), |id| value.replace(id, ""));
            digest.update(PreviewLine { label: label.clone(), value }.digest());
        }
        truncated_digest(digest)
    }
}

fn join_lines(text: &str) -> String {
    let parts = text.split('\n').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ⏎ ")
}
