//! Layer 8: rate limits per caller, and per instance over all callers.
//!
//! Many clients treat an HTTP error as the end of the connection. An authenticated caller over the
//! limit therefore gets HTTP 200 with a JSON-RPC error for that request. Callers far over the limit
//! and unauthenticated callers get HTTP 429.

mod rejections;

pub(super) use rejections::HEADERS;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use moka::sync::Cache;

use self::rejections::Severity;
use super::{
    authentication::{AuthFailures, ProofFingerprint},
    context::context_of,
    hold::hold_until_sent,
    keyed_limit::KeyedLimit,
};
use crate::{
    access::InstanceRateLimit,
    auth::{AuthMethod, Caller},
    config::LimitSettings,
    http::{
        envelope::{Envelope, RequestKind},
        peer::client_key,
        rejection::Rejection,
        server::ConnectionHandle,
    },
    octopus::Instances,
    store::{RateLimitDecision, Store, StoreKey, TokenBuckets},
};

/// Maximum number of entries in `seen`.
const SEEN_CAPACITY: u64 = 50_000;
/// Retention of an entry in `seen`.
const SEEN_RETENTION: Duration = Duration::from_mins(10);

/// The rate limits of the settings.
#[derive(Debug)]
pub struct RateLimits {
    /// Concurrent requests of one caller.
    concurrent: Arc<KeyedLimit>,
    caller: Option<TokenBuckets>,
    /// Token bucket for callers far over the limit.
    far_over: Option<TokenBuckets>,
    instance: InstanceRateLimit,
    default_instance: String,
    /// The instances, which record accepted Octopus credentials.
    instances: Option<Arc<Instances>>,
    failures: Arc<AuthFailures>,
    unproven: Option<TokenBuckets>,
    /// Callers that `unproven` counted. Only their `initialize` and `server/discover` requests count again.
    seen: Cache<StoreKey, ()>,
}

impl RateLimits {
    /// Creates the limits of the settings, with counters in this store. `instance` is shared with
    /// the tools, which count calls for another instance there as well.
    pub fn new(
        limits: &LimitSettings,
        default_instance: Option<&str>,
        store: &Store,
        instance: InstanceRateLimit,
    ) -> Self {
        // A rejected request takes a token from the caller's bucket first, so this bucket contains
        // the rest.
        let rest = |count: u32| count.saturating_mul(limits.far_over.saturating_sub(1));
        let far_over = (limits.far_over > 1)
            .then(|| store.buckets("far", rest(limits.caller_rate), rest(limits.caller_burst)));
        let failures = store.buckets("failed", limits.failed_rate, limits.failed_burst);
        Self {
            concurrent: KeyedLimit::new(limits.concurrent_calls_per_caller as usize),
            caller: store.buckets("caller", limits.caller_rate, limits.caller_burst),
            far_over: far_over.flatten(),
            instance,
            default_instance: default_instance.unwrap_or_default().to_owned(),
            instances: None,
            failures: Arc::new(AuthFailures::new(failures)),
            unproven: store.buckets("unproven", limits.unproven_rate, limits.unproven_burst),
            seen: Cache::builder().max_capacity(SEEN_CAPACITY).time_to_live(SEEN_RETENTION).build(),
        }
    }

    /// Sets the instances, which record accepted Octopus credentials. Without instances, every
    /// credential is treated as accepted.
    #[must_use]
    pub fn with_instances(self, instances: Arc<Instances>) -> Self {
        Self { instances: Some(instances), ..self }
    }

    pub(in crate::http) fn failures(&self) -> &Arc<AuthFailures> {
        &self.failures
    }
}

/// Serves a request within the rate limits of its caller and its instance.
///
/// - Needs: `Arc<RequestContext>`, [`ProofFingerprint`], `Arc<Envelope>`, the peer, and the handle
///   of the connection.
/// - Adds: nothing to the request. Responses to calls get `x-ratelimit-*` headers.
/// - Rejects with: 200 with a JSON-RPC error (caller, instance, concurrent requests), 429 (far over
///   the limit, streams, new credentials of one address).
///
/// Marks the connection as authenticated once the credential of one of its requests has been
/// accepted, by this server or by Octopus.
pub(in crate::http) async fn limit_rate(
    State(limits): State<Arc<RateLimits>>,
    request: Request,
    next: Next,
) -> Response {
    let connection = request.extensions().get::<ConnectionHandle>().cloned();
    let context = context_of(request.extensions());
    let instance = context.scope.instance.as_deref().unwrap_or(&limits.default_instance);
    let response = limits.serve(&context.caller, instance, request, next).await;
    if let Some(connection) = connection.filter(|_| limits.is_accepted(&context.caller, instance)) {
        connection.authenticated();
    }
    response
}

impl RateLimits {
    async fn serve(
        &self,
        caller: &Caller,
        instance: &str,
        request: Request,
        next: Next,
    ) -> Response {
        let kind = RequestKind::of(&request);
        let id = Envelope::id_of(request.extensions());
        let address = client_key(request.extensions());
        let key = caller_key(caller, &address);
        if let Err(rejection) = self.take_unproven(caller, kind, &key, &address).await {
            return rejection.to(&id);
        }
        if let Some(proof) = request.extensions().get::<ProofFingerprint>() {
            self.failures.accept(*proof);
        }
        match kind {
            RequestKind::FirstRequest | RequestKind::Unmetered => next.run(request).await,
            RequestKind::Stream => match self.take_caller(&key, Severity::HttpError).await {
                Ok(_) => next.run(request).await,
                Err(rejection) => rejection.to(&id),
            },
            RequestKind::Call => {
                let Some(permit) = self.concurrent.acquire(key) else {
                    return rejections::concurrent(self.concurrent.limit()).to(&id);
                };
                let decision = match self.take_caller(&key, Severity::CallError).await {
                    Ok(decision) => decision,
                    Err(rejection) => return rejection.to(&id),
                };
                let is_accepted = self.is_accepted(caller, instance);
                if let Err(rejection) = self.take_instance(instance, is_accepted).await {
                    return rejection.to(&id);
                }
                let mut response = next.run(request).await;
                if let Some(decision) = decision {
                    response.headers_mut().extend(rejections::headers(&decision));
                }
                hold_until_sent(response, permit)
            }
        }
    }

    /// Limits new Octopus credentials per address. Only Octopus can verify them, so a client could
    /// invent any number. Counts new credentials and each first message (`initialize`,
    /// `server/discover`).
    async fn take_unproven(
        &self,
        caller: &Caller,
        kind: RequestKind,
        key: &StoreKey,
        address: &StoreKey,
    ) -> Result<(), Rejection> {
        let is_proven = match caller.identity.method {
            AuthMethod::Octopus => false,
            AuthMethod::Anonymous => {
                caller.own_credentials.is_none() && kind != RequestKind::FirstRequest
            }
            AuthMethod::Token | AuthMethod::Oauth | AuthMethod::Proxy | AuthMethod::Certificate => {
                return Ok(());
            }
        };
        let Some(bucket) = self.unproven.as_ref().filter(|_| !is_proven) else { return Ok(()) };
        if kind != RequestKind::FirstRequest && self.seen.contains_key(key) {
            return Ok(());
        }
        let decision = bucket.take(address).await;
        if !decision.allowed {
            return Err(rejections::unproven(&decision));
        }
        self.seen.insert(*key, ());
        Ok(())
    }

    /// Returns whether the caller is authenticated: by this server, or with a credential that the
    /// instance accepted recently. A caller without a credential is treated as authenticated,
    /// because the settings permit it.
    fn is_accepted(&self, caller: &Caller, instance: &str) -> bool {
        match (caller.identity.method, &caller.own_credentials) {
            (
                AuthMethod::Token | AuthMethod::Oauth | AuthMethod::Proxy | AuthMethod::Certificate,
                _,
            )
            | (_, None) => true,
            (AuthMethod::Octopus | AuthMethod::Anonymous, Some(own)) => {
                let instance =
                    self.instances.as_ref().and_then(|instances| instances.get(instance));
                instance.is_none_or(|instance| {
                    instance.client.is_proven(caller.identity.fingerprint(), own)
                })
            }
        }
    }

    /// Takes one token from the bucket of a caller.
    async fn take_caller(
        &self,
        key: &StoreKey,
        severity: Severity,
    ) -> Result<Option<RateLimitDecision>, Rejection> {
        let Some(bucket) = &self.caller else { return Ok(None) };
        let decision = bucket.take(key).await;
        if decision.allowed {
            return Ok(Some(decision));
        }
        let (severity, is_sustained) = match &self.far_over {
            Some(bucket) if bucket.take(key).await.allowed => (severity, false),
            Some(_) => (Severity::HttpError, true),
            // Every request over the rate gets 429, the first one as well.
            None => (Severity::HttpError, false),
        };
        Err(rejections::caller(&decision, severity, is_sustained))
    }

    /// Takes one token from the bucket of an instance. All callers share that bucket, so the
    /// rejection is never an HTTP error.
    async fn take_instance(&self, name: &str, is_accepted: bool) -> Result<(), Rejection> {
        self.instance
            .take(name, is_accepted)
            .await
            .map_err(|decision| rejections::instance(name, &decision))
    }
}

/// Returns the rate limit key of a caller. The key of an anonymous caller combines its credential
/// and address.
fn caller_key(caller: &Caller, address: &StoreKey) -> StoreKey {
    let fingerprint = caller.identity.fingerprint();
    let key = match caller.identity.method {
        AuthMethod::Anonymous => caller.fingerprint().combined_with(address),
        _ => fingerprint,
    };
    *key.as_bytes()
}
