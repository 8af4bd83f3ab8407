//! What the layers learn about a request, for the audit record of its rejection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Extensions;
use serde::Deserialize;

use crate::{
    audit::{Kind, Outcome, Record},
    callers::{Way, Who},
    http::envelope::Envelope,
    mcp,
    tool::Narrowing,
};

/// What is known about a request when it is rejected. In the extensions of the request, where rejections
/// are audited. Clones share the same facts.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct RejectionFacts(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    caller: Option<Arc<Who>>,
    scope: Option<Narrowing>,
    envelope: Option<Arc<Envelope>>,
}

impl RejectionFacts {
    /// Records the authenticated caller, and the message.
    pub(in crate::http) fn record_caller(extensions: &Extensions, caller: &Arc<Who>) {
        let Some(facts) = extensions.get::<Self>() else { return };
        let mut facts = facts.locked();
        facts.caller = Some(Arc::clone(caller));
        facts.envelope = extensions.get().cloned();
    }

    /// Records the scope that the request asks for.
    pub(in crate::http) fn record_scope(extensions: &Extensions, scope: &Narrowing) {
        let Some(facts) = extensions.get::<Self>() else { return };
        facts.locked().scope = Some(scope.clone());
    }

    /// Returns the audit record of the rejection, and whether the caller has proved an identity to this
    /// server.
    pub(super) fn into_record(self) -> (Record, bool) {
        let facts = std::mem::take(&mut *self.locked());
        let is_proven = facts.caller.as_ref().is_some_and(|who| match who.way {
            Way::Nobody | Way::Octopus => false,
            Way::Token | Way::Oauth | Way::Proxy | Way::Certificate => true,
        });
        (facts.record(), is_proven)
    }

    fn locked(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    fn record(self) -> Record {
        let kind = if self.caller.is_some() { Kind::Refused } else { Kind::Unauthenticated };
        let mut record = Record::new(kind);
        record.result = Outcome::Refused;
        record.caller = self.caller.map(|who| mcp::recorded(&who));
        if let Some(scope) = self.scope {
            record.place.instance = scope.instance;
            record.place.space = scope.space;
            record.place.project = scope.project;
        }
        record.tool = self.envelope.as_deref().and_then(tool);
        record
    }
}

/// Returns the tool that a call names, even where its other parameters are wrong.
fn tool(envelope: &Envelope) -> Option<String> {
    #[derive(Deserialize)]
    struct Call {
        name: String,
    }
    envelope.method.as_deref().filter(|method| *method == "tools/call")?;
    Some(envelope.params_as::<Call>().ok()?.name)
}
