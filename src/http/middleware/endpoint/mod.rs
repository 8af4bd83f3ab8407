//! Layer 3: parses endpoint paths, and audits and counts rejected requests.

mod facts;

pub(super) use facts::RejectionFacts;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::trace::REQUEST_ID;
use crate::{
    audit::AuditLog,
    http::{
        rejection::{Rejection, RejectionReason},
        request_scope::{self, PathScope},
    },
    telemetry::Metrics,
};

/// The audit log and the metrics of rejections.
#[derive(Debug, Clone)]
pub(in crate::http) struct RejectionLog {
    pub(in crate::http) audit: AuditLog,
    pub(in crate::http) metrics: Metrics,
}

/// Parses the scope in the path, and audits and counts rejections of this layer and the inner
/// layers.
///
/// - Needs: the request ID in the headers, from [`trace`](super::trace::trace).
/// - Adds: [`PathScope`], and [`RejectionFacts`] if rejections are audited.
/// - Rejects with: 404 (unknown path below `/mcp`).
///
/// The protocol writes its own audit records for responses.
pub(in crate::http) async fn endpoint(
    State(log): State<RejectionLog>,
    mut request: Request,
    next: Next,
) -> Response {
    let facts = RejectionFacts::default();
    if log.audit.is_enabled() {
        request.extensions_mut().insert(facts.clone());
    }
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let response = match request_scope::parse_path(request.uri().path()) {
        Some(scope) => {
            request.extensions_mut().insert(PathScope(scope));
            next.run(request).await
        }
        None => unknown_path().into_response(),
    };
    log.record(&response, facts, id);
    response
}

impl RejectionLog {
    /// Counts and audits a rejection. Responses with 405 are only counted, because browsers and
    /// probes cause them.
    fn record(&self, response: &Response, facts: RejectionFacts, id: Option<String>) {
        let Some(reason) = response.extensions().get::<RejectionReason>() else { return };
        if let Some(limit) = reason.limit {
            self.metrics.record_rate_limited(limit);
        }
        if reason.is_unauthenticated {
            self.metrics.record_authentication_failure();
        }
        if self.audit.is_enabled() && response.status() != StatusCode::METHOD_NOT_ALLOWED {
            let (mut record, is_proven) = facts.into_record();
            record.status = Some(response.status().as_u16());
            record.rule = Some(reason.message.to_string());
            record.request = id;
            self.audit.record_rejection(record, is_proven);
        }
    }
}

fn unknown_path() -> Rejection {
    Rejection::new(
        StatusCode::NOT_FOUND,
        "there is no such endpoint; the endpoints are /mcp, /mcp/readonly, \
         /mcp/x/TOOLSET[/readonly] and /mcp/i/INSTANCE[/SPACE[/PROJECT]]",
    )
}
