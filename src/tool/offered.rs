//! Which of many things the rules let a caller read, before any of them is read: for what is listed
//! and completed.

use serde_json::{Map, Value};

use super::{Asked, Context, Error, Tier, resource};
use crate::{
    config::Effect,
    octopus::{self, About, Touches},
    rules::Deed,
};

impl Context {
    /// Whether the rules let the caller read the resource at an address, or of the form of it,
    /// where it touches this.
    pub fn offers(&self, uri: &str, touches: &Touches) -> bool {
        let asked = self.asked_for(uri);
        let situation = self.situation(asked, Tier::Read, Deed::Read, touches);
        self.rules.decide(&situation).effect != Effect::Deny
    }

    /// The same call, as one for the resource at an address, or of the form of it.
    #[must_use]
    pub fn about(&self, uri: &str) -> Self {
        Self { asked: self.asked_for(uri), ..self.clone() }
    }

    fn asked_for(&self, uri: &str) -> Asked {
        let mut shown = resource::shown(&self.policy);
        let kind = resource::resource_kind(uri, &self.policy);
        let found = shown.find(|(_, definition)| Some(definition.name) == kind);
        found.map_or(self.asked, |(toolset, _)| Asked { tool: "read_resource", toolset })
    }

    /// Which of the documents of a list the rules let the caller read, by what each says of itself
    /// beside what is written down so far. They are not followed one by one: of one that leads on
    /// to others, whatever a rule may deny counts as denied.
    pub async fn readable(&self, documents: &[Map<String, Value>]) -> Result<Vec<bool>, Error> {
        self.trail.read(self);
        if !self.rules.are_about_reads() {
            return Ok(vec![true; documents.len()]);
        }
        let so_far = self.session.touched().so_far();
        let mut all = so_far.clone();
        for document in documents {
            all.add_document(document);
        }
        let about = if self.rules.ask_groups() { About::Groups } else { About::Names };
        octopus::name(&self.session, &mut all, about).await?;
        let mut each = Vec::with_capacity(documents.len());
        for document in documents {
            let mut touches = so_far.clone();
            touches.add_document(document);
            touches.learn(&all);
            let situation = self.situation(self.asked, Tier::Read, Deed::Read, &touches);
            let decision = self.rules.decide(&situation);
            let is_denied = decision.effect == Effect::Deny
                || (touches.is_open() || touches.has_unnamed()) && self.rules.may_deny(&situation);
            if is_denied {
                self.trail.decided(&decision);
            }
            each.push(!is_denied);
        }
        Ok(each)
    }
}
