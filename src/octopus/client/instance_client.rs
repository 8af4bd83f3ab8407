//! One Octopus instance: its connections, limits and caches. A session sends the requests.

use std::{sync::Arc, time::Duration};

use url::Url;

use super::{
    breaker::Requester,
    budget::{MemoryBudget, ResponseMemory},
    caches::Caches,
    coalescing::RequestCoalescer,
    credentials::{Credentials, Fingerprint},
    transport::Transport,
};
use crate::{compute::ComputePool, config, telemetry::Metrics};

/// Client of one Octopus instance. Cheap to clone; all clones share one connection pool.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Arc<Transport>,
    limits: Limits,
    coalescer: RequestCoalescer,
    caches: Caches,
    compute: ComputePool,
    parsed: MemoryBudget,
}

/// Limits for the requests to the instance, from its settings.
#[derive(Debug)]
pub(in crate::octopus) struct Limits {
    /// Maximum number of retries of a read.
    pub(in crate::octopus) retries: u32,
    /// Longest `Retry-After` that a read waits for.
    pub(in crate::octopus) retry_after: Duration,
    /// Maximum size of a response in bytes.
    pub(in crate::octopus) response: usize,
    /// Maximum size in bytes of a response that keeps all of its fields.
    pub(in crate::octopus) execute: usize,
}

impl Client {
    /// Creates the client of the instance at `url`, with the configured name `name`. CPU-bound work
    /// on responses runs in `compute`; large responses are read within `memory`. Sends nothing yet.
    pub fn new(
        name: &str,
        url: Url,
        settings: &config::InstanceSettings,
        metrics: &Metrics,
        compute: &ComputePool,
        memory: &ResponseMemory,
    ) -> Result<Self, String> {
        let transport = Arc::new(Transport::new(name, url, settings, memory.bodies(), metrics)?);
        let limits = Limits {
            retries: settings.retries,
            retry_after: settings.retry_after_limit.0,
            response: settings.response_limit.0,
            execute: settings.execute_limit.0.min(settings.response_limit.0),
        };
        Ok(Self(Arc::new(Inner {
            transport,
            limits,
            coalescer: RequestCoalescer::new(metrics),
            caches: Caches::new(settings.space_cache.0),
            compute: compute.clone(),
            parsed: memory.parsed().clone(),
        })))
    }

    /// Returns the base URL of the instance.
    pub fn url(&self) -> &Url {
        self.0.transport.url()
    }

    /// Returns whether the circuit breaker rejects the requests of all callers now.
    pub fn is_paused(&self) -> bool {
        self.0.transport.is_paused_for_all()
    }

    /// Returns whether the instance accepted this credential of this caller within the last hour,
    /// or the operator configured it.
    pub fn is_proven(&self, caller: Fingerprint, credentials: &Credentials) -> bool {
        let fingerprint = credentials.fingerprint_for(caller);
        let is_configured = credentials.is_configured();
        self.0.transport.is_proven(Requester { fingerprint, is_configured })
    }

    pub(in crate::octopus) fn metrics(&self) -> &Metrics {
        self.0.transport.metrics()
    }

    /// Returns the pool for CPU-bound work, which all instances share.
    pub(in crate::octopus) fn compute(&self) -> &ComputePool {
        &self.0.compute
    }

    /// Returns the memory budget for parsed documents, which all instances share.
    pub(in crate::octopus) fn parsed_memory(&self) -> &MemoryBudget {
        &self.0.parsed
    }

    pub(in crate::octopus) fn transport(&self) -> &Arc<Transport> {
        &self.0.transport
    }

    pub(in crate::octopus) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(in crate::octopus) fn coalescer(&self) -> &RequestCoalescer {
        &self.0.coalescer
    }

    pub(in crate::octopus) fn caches(&self) -> &Caches {
        &self.0.caches
    }
}
