//! Decides which documents of a list the policy lets a caller read, before they are read. Listings
//! and completions use it.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Asked, Context, Error, Tier, resource};
use crate::{
    compute::{Budget, ComputeError},
    config::Effect,
    octopus::{self, About, Touches},
    rules::Deed,
};

impl Context {
    /// Returns whether the policy lets the caller read the resource at this URI or URI template, if
    /// the read accesses this set.
    pub fn offers(&self, uri: &str, touches: &Touches) -> bool {
        let asked = self.asked_for(uri);
        let situation = self.situation(asked, Tier::Read, Deed::Read, touches);
        self.rules.decide(&situation).effect != Effect::Deny
    }

    /// Returns the context of the same call, for the resource at this URI or URI template.
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

    /// Returns for each document of a list whether the policy lets the caller read it.
    ///
    /// The decision uses the fields of the document and the access set of the call so far.
    /// References to other documents are not followed: if a document has one, a rule that may deny
    /// it denies it. Equal documents are evaluated once.
    ///
    /// # Errors
    ///
    /// Errors of Octopus when names are looked up, and [`Error::Compute`].
    pub async fn readable(
        &self,
        documents: &Arc<Vec<Map<String, Value>>>,
    ) -> Result<Vec<bool>, Error> {
        self.trail.read(self);
        if !self.rules.are_about_reads() {
            return Ok(vec![true; documents.len()]);
        }
        let so_far = self.session.touched().so_far();
        let (mut all, all_documents) = (so_far.clone(), Arc::clone(documents));
        let collect = move |budget: &Budget| {
            let (mut places, mut different) = (HashMap::new(), Vec::new());
            let mut each = Vec::with_capacity(all_documents.len());
            for document in &*all_documents {
                budget.check()?;
                let digest = Sha256::digest(serde_json::to_vec(document).unwrap_or_default());
                let next = different.len();
                let place = *places.entry(digest).or_insert(next);
                if place == next {
                    all.add_document(document);
                    different.push(each.len());
                }
                each.push(place);
            }
            Ok((all, different, each))
        };
        let (mut all, different, each) = self.compute().run(collect).await?;
        let about = if self.rules.ask_groups() { About::Groups } else { About::Names };
        octopus::name(&self.session, &mut all, about).await?;
        let (cx, documents) = (self.clone(), Arc::clone(documents));
        let judge = move |budget: &Budget| {
            let mut is_readable = Vec::with_capacity(different.len());
            let mut denied = None;
            for document in different.into_iter().filter_map(|place| documents.get(place)) {
                budget.check()?;
                let mut touches = so_far.clone();
                touches.add_document(document);
                touches.learn(&all);
                let is_unknown =
                    touches.is_open() || touches.has_unnamed() || touches.has_nameless(about);
                let situation = cx.situation(cx.asked, Tier::Read, Deed::Read, &touches);
                let decide = |strict| {
                    let check = || Ok::<_, ComputeError>(budget.check()?);
                    cx.rules.decide_checked(&situation, strict, check)
                };
                let decision = decide(false)?;
                let is_denied = decision.effect == Effect::Deny
                    || is_unknown && decide(true)?.effect == Effect::Deny;
                is_readable.push(!is_denied);
                if is_denied {
                    denied = Some(decision);
                }
            }
            Ok((is_readable, denied))
        };
        let (is_readable, denied) = self.compute().run(judge).await?;
        if let Some(denied) = denied {
            self.trail.decided(&denied);
        }
        Ok(each.into_iter().map(|place| is_readable.get(place) == Some(&true)).collect())
    }
}
