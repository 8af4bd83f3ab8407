//! Collects request properties for the audit record of a rejection.

use std::sync::Arc;

use http::Extensions;
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;

use crate::{
    access::RequestScope,
    audit::{Outcome, Record, RecordKind},
    auth::{AuthMethod, Identity},
    http::envelope::Envelope,
    mcp,
};

/// Request properties for the audit record of a rejection. Inserted into the extensions of
/// the request if rejections are audited. Clones share the properties.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct RejectionFacts(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    caller: Option<Arc<Identity>>,
    scope: Option<RequestScope>,
    envelope: Option<Arc<Envelope>>,
}

impl RejectionFacts {
    /// Records the authenticated caller, and the message.
    pub(in crate::http) fn record_caller(extensions: &Extensions, caller: &Arc<Identity>) {
        let Some(facts) = extensions.get::<Self>() else { return };
        let mut facts = facts.locked();
        facts.caller = Some(Arc::clone(caller));
        facts.envelope = extensions.get().cloned();
    }

    /// Records the requested scope.
    pub(in crate::http) fn record_scope(extensions: &Extensions, scope: &RequestScope) {
        let Some(facts) = extensions.get::<Self>() else { return };
        facts.locked().scope = Some(scope.clone());
    }

    /// Returns the audit record of the rejection, and `true` if this server authenticated the
    /// caller.
    pub(super) fn into_record(self) -> (Record, bool) {
        let facts = std::mem::take(&mut *self.locked());
        let is_proven = facts.caller.as_ref().is_some_and(|identity| match identity.method {
            AuthMethod::Anonymous | AuthMethod::Octopus => false,
            AuthMethod::Token | AuthMethod::Oauth | AuthMethod::Proxy | AuthMethod::Certificate => {
                true
            }
        });
        (facts.record(), is_proven)
    }

    fn locked(&self) -> MutexGuard<'_, Facts> {
        self.0.lock()
    }
}

impl Facts {
    fn record(self) -> Record {
        let kind =
            if self.caller.is_some() { RecordKind::Refused } else { RecordKind::Unauthenticated };
        let mut record = Record::new(kind);
        record.result = Outcome::Refused;
        record.caller = self.caller.map(|identity| mcp::caller_fields(&identity));
        if let Some(scope) = self.scope {
            record.target.instance = scope.instance;
            record.target.space = scope.space;
            record.target.project = scope.project;
        }
        record.tool = self.envelope.as_deref().and_then(tool);
        record
    }
}

/// Returns the tool name of a call, even if its other parameters are invalid.
fn tool(envelope: &Envelope) -> Option<String> {
    #[derive(Deserialize)]
    struct Call {
        name: String,
    }
    envelope.method.as_deref().filter(|method| *method == "tools/call")?;
    Some(envelope.params_as::<Call>().ok()?.name)
}
