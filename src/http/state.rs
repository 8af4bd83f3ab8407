//! Settings and counters of the HTTP layers.

use std::sync::Arc;

use super::{
    middleware::{
        admission::Admission,
        authentication::{Auth, Authentication},
        endpoint::RejectionLog,
        protocol::ProtocolState,
        rate_limit::RateLimits,
        trace::TraceState,
    },
    page::PageFacts,
    public_address::PublicAddresses,
    server::Readiness,
};
use crate::{audit::AuditLog, config, mcp::SessionRegistry, telemetry::Metrics};

/// Settings and counters of the HTTP layers. Each layer gets its own part.
#[derive(Debug)]
pub struct HttpState {
    pub(super) http: config::HttpSettings,
    pub(super) readiness: Readiness,
    pub(super) addresses: Arc<PublicAddresses>,
    pub(super) admission: Arc<Admission>,
    pub(super) authentication: Arc<Authentication>,
    pub(super) rates: Arc<RateLimits>,
    /// `None` if the settings disable sessions.
    pub(super) sessions: Option<Arc<SessionRegistry>>,
    /// Server properties that the web page shows.
    pub(super) page: PageFacts,
    /// The audit log and the metrics of rejections.
    pub(super) rejections: RejectionLog,
}

impl HttpState {
    /// Creates the state for these settings. Without [`HttpState::with_audit`] and
    /// [`HttpState::with_metrics`], nothing is audited or measured.
    pub fn new(
        http: &config::HttpSettings,
        limits: &config::LimitSettings,
        rates: RateLimits,
        auth: Auth,
        readiness: Readiness,
        sessions: Option<Arc<SessionRegistry>>,
    ) -> Self {
        let addresses = Arc::new(PublicAddresses::new(http));
        let authentication = Authentication {
            auth: Arc::new(auth),
            failures: Arc::clone(rates.failures()),
            addresses: Arc::clone(&addresses),
        };
        Self {
            http: http.clone(),
            readiness,
            addresses,
            admission: Arc::new(Admission::new(http, limits)),
            authentication: Arc::new(authentication),
            rates: Arc::new(rates),
            sessions,
            page: PageFacts::default(),
            rejections: RejectionLog { audit: AuditLog::default(), metrics: Metrics::default() },
        }
    }

    /// Sets the audit log for rejected requests.
    #[must_use]
    pub fn with_audit(mut self, audit: AuditLog) -> Self {
        self.rejections.audit = audit;
        self
    }

    /// Sets the metrics for requests and rejections.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.rejections.metrics = metrics;
        self
    }

    /// Sets the server properties that the web page shows.
    #[must_use]
    pub fn with_page(mut self, facts: PageFacts) -> Self {
        self.page = facts;
        self
    }

    pub(super) fn trace(&self) -> Arc<TraceState> {
        Arc::new(TraceState {
            http: self.http.clone(),
            metrics: self.rejections.metrics.clone(),
            readiness: self.readiness.clone(),
        })
    }

    pub(super) fn protocol(&self) -> ProtocolState {
        ProtocolState { quiet_limit: self.http.quiet_limit.0, readiness: self.readiness.clone() }
    }
}
