//! A record of each request that the endpoint refuses, and its place in the metrics. What MCP answers
//! has its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Extensions, StatusCode};
use serde::Deserialize;

use super::{Gate, auth::Unidentified, envelope::Envelope, trace::REQUEST_ID};
use crate::{
    audit::{Kind, Outcome, Record},
    callers::{Way, Who},
    mcp,
    telemetry::Limit,
    tool::Narrowing,
};

/// Why a request was refused: how an answer is marked that says so.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) why: Arc<str>,
    /// The limit that it met, where it has to wait.
    pub(super) limit: Option<Limit>,
}

/// What is learned of a request on its way, for the record of its refusal. A clone is of the same
/// request.
#[derive(Debug, Clone, Default)]
pub(super) struct Learned(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    who: Option<Arc<Who>>,
    narrowing: Option<Narrowing>,
    envelope: Option<Envelope>,
}

impl Learned {
    /// Who calls, and what they sent.
    pub(super) fn caller(extensions: &Extensions, who: &Arc<Who>) {
        let Some(learned) = extensions.get::<Self>() else { return };
        let mut known = learned.known();
        known.who = Some(Arc::clone(who));
        known.envelope = extensions.get().cloned();
    }

    /// What the request is narrowed to.
    pub(super) fn narrowing(extensions: &Extensions, narrowing: &Narrowing) {
        let Some(learned) = extensions.get::<Self>() else { return };
        learned.known().narrowing = Some(narrowing.clone());
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a record where a request is refused. Browsers and probes that come with another method
/// are told what this is, and that is no refusal.
pub(super) async fn keep(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    let learned = Learned::default();
    if gate.audit.is_on() {
        request.extensions_mut().insert(learned.clone());
    }
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let response = next.run(request).await;
    let status = response.status();
    let Some(Refused { why, limit }) = response.extensions().get() else { return response };
    if let Some(limit) = limit {
        gate.metrics.limited(*limit);
    }
    if response.extensions().get::<Unidentified>().is_some() {
        gate.metrics.stranger();
    }
    if gate.audit.is_on() && status != StatusCode::METHOD_NOT_ALLOWED {
        let known = std::mem::take(&mut *learned.known());
        let is_proven = known.who.as_ref().is_some_and(|who| match who.way {
            Way::Nobody | Way::Octopus => false,
            Way::Token | Way::Oauth | Way::Proxy | Way::Certificate => true,
        });
        let mut record = known.record();
        record.status = Some(status.as_u16());
        record.rule = Some(why.to_string());
        record.request = id;
        gate.audit.refused(record, is_proven);
    }
    response
}

impl Known {
    fn record(self) -> Record {
        let kind = if self.who.is_some() { Kind::Refused } else { Kind::Unauthenticated };
        let mut record = Record::new(kind);
        record.result = Outcome::Refused;
        record.caller = self.who.map(|who| mcp::recorded(&who));
        if let Some(narrowing) = self.narrowing {
            record.place.instance = narrowing.instance;
            record.place.space = narrowing.space;
            record.place.project = narrowing.project;
        }
        record.tool = self.envelope.as_ref().and_then(tool);
        record
    }
}

/// The tool that a call names.
fn tool(envelope: &Envelope) -> Option<String> {
    #[derive(Deserialize)]
    struct Call {
        name: String,
    }
    envelope.method.as_deref().filter(|method| *method == "tools/call")?;
    let params = envelope.params.as_deref()?.get();
    Some(serde_json::from_str::<Call>(params).ok()?.name)
}
