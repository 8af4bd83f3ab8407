//! Decides which documents of a list the policy lets a caller read, before they are read. Listings
//! and completions use it.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    compute::{Budget, ComputeError},
    config::Effect,
    octopus::{self, NameDetail},
    policy::{PolicyAction, Tier},
    tool::{Context, Error},
};

impl Context {
    /// Returns for each document of a list whether the policy lets the caller read it.
    ///
    /// The decision uses the fields of the document and the access set of the call so far.
    /// References to other documents are not followed: if a document has one, a rule that may deny
    /// it denies it. Equal documents are evaluated once.
    ///
    /// # Errors
    ///
    /// Errors of Octopus when names are looked up, and [`Error::Compute`].
    pub async fn readable_documents(
        &self,
        documents: &Arc<Vec<Map<String, Value>>>,
    ) -> Result<Vec<bool>, Error> {
        self.record_read_access();
        if !self.policy.has_read_rules() {
            return Ok(vec![true; documents.len()]);
        }
        let so_far = self.session.access_recorder().snapshot();
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
        let about = if self.policy.uses_project_groups() {
            NameDetail::NamesAndGroups
        } else {
            NameDetail::Names
        };
        octopus::resolve_names(&self.session, &mut all, about).await?;
        let (cx, documents) = (self.clone(), Arc::clone(documents));
        let judge = move |budget: &Budget| {
            let mut is_readable = Vec::with_capacity(different.len());
            let mut denied = None;
            for document in different.into_iter().filter_map(|place| documents.get(place)) {
                budget.check()?;
                let mut touches = so_far.clone();
                touches.add_document(document);
                touches.complete_from(&all);
                let is_unknown = touches.has_unresolved()
                    || touches.has_unidentified()
                    || touches.has_unnamed(about);
                let situation =
                    cx.policy_input(cx.called_tool, Tier::Read, PolicyAction::Read, &touches);
                let decide = |strict| {
                    let check = || Ok::<_, ComputeError>(budget.check()?);
                    cx.policy.decide_interruptible(&situation, strict, check)
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
            self.audit.record_decision(&denied);
        }
        Ok(each.into_iter().map(|place| is_readable.get(place) == Some(&true)).collect())
    }
}
