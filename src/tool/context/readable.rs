//! Checks which documents of a list a caller may read. Listings and completions use it.

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
    /// Returns for each document of a list whether the policy allows the caller to read it.
    ///
    /// The decision uses the fields of the document and the access set of the call so far.
    /// References to other documents are not followed, so a rule that may deny a document with a
    /// reference denies it. Equal documents are evaluated once.
    ///
    /// # Errors
    ///
    /// Returns the error of Octopus if a name lookup fails, and [`Error::Compute`] if the compute
    /// budget is spent.
    pub async fn readable_documents(
        &self,
        documents: &Arc<Vec<Map<String, Value>>>,
    ) -> Result<Vec<bool>, Error> {
        self.record_read_access();
        if !self.policy.has_read_rules() {
            return Ok(vec![true; documents.len()]);
        }
        let call_access_set = self.session.access_recorder().snapshot();
        let (mut combined, all_documents) = (call_access_set.clone(), Arc::clone(documents));
        let collect = move |budget: &Budget| {
            let (mut index_by_digest, mut distinct) = (HashMap::new(), Vec::new());
            let mut distinct_index = Vec::with_capacity(all_documents.len());
            for document in &*all_documents {
                budget.check()?;
                let digest = Sha256::digest(serde_json::to_vec(document).unwrap_or_default());
                let next = distinct.len();
                let index = *index_by_digest.entry(digest).or_insert(next);
                if index == next {
                    combined.add_document(document);
                    distinct.push(distinct_index.len());
                }
                distinct_index.push(index);
            }
            Ok((combined, distinct, distinct_index))
        };
        let (mut combined, distinct, distinct_index) = self.compute().run(collect).await?;
        let detail = if self.policy.uses_project_groups() {
            NameDetail::NamesAndGroups
        } else {
            NameDetail::Names
        };
        octopus::resolve_names(&self.session, &mut combined, detail).await?;
        let (cx, documents) = (self.clone(), Arc::clone(documents));
        let evaluate = move |budget: &Budget| {
            let mut is_readable = Vec::with_capacity(distinct.len());
            let mut denied = None;
            for document in distinct.into_iter().filter_map(|index| documents.get(index)) {
                budget.check()?;
                let mut access_set = call_access_set.clone();
                access_set.add_document(document);
                access_set.complete_from(&combined);
                let is_unknown = access_set.has_unresolved()
                    || access_set.has_unidentified()
                    || access_set.has_unnamed(detail);
                let input =
                    cx.policy_input(cx.called_tool, Tier::Read, PolicyAction::Read, &access_set);
                let decide = |strict| {
                    let check = || Ok::<_, ComputeError>(budget.check()?);
                    cx.policy.decide_interruptible(&input, strict, check)
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
        let (is_readable, denied) = self.compute().run(evaluate).await?;
        if let Some(denied) = denied {
            self.audit.record_decision(&denied);
        }
        Ok(distinct_index.into_iter().map(|index| is_readable.get(index) == Some(&true)).collect())
    }
}
