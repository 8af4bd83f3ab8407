//! Caches and refreshes the signing keys of one issuer.
//!
//! At most one request at a time goes to the issuer, independent of the number of tokens. Cached
//! keys stay in use while the issuer does not respond. A token with an unknown key triggers a
//! refresh, but at a limited rate.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use super::{
    error::IssuerSetupError,
    fetch::IssuerClient,
    keys::{self, KeyLookupError, VerificationKey},
};
use crate::{
    auth::AuthError,
    config::{self, SigningAlgorithm},
    telemetry::Metrics,
};

/// The longest pause between two requests to an issuer that does not respond.
const MAX_BACKOFF: Duration = Duration::from_mins(1);

/// One issuer and its cached keys.
#[derive(Debug, Clone)]
pub(super) struct IssuerKeys {
    pub(super) settings: Arc<config::IssuerSettings>,
    state: Arc<IssuerState>,
}

#[derive(Debug)]
struct IssuerState {
    client: IssuerClient,
    fresh_for: Duration,
    stale_for: Duration,
    min_refresh_interval: Duration,
    timeout: Duration,
    cache: Mutex<KeyCache>,
    refresh_lock: Arc<AsyncMutex<()>>,
}

/// The cached keys of an issuer and the state of refreshes.
#[derive(Debug, Default)]
struct KeyCache {
    keys: Arc<Vec<VerificationKey>>,
    /// The URL that the keys were fetched from.
    keys_url: Option<Url>,
    /// Time of the last successful fetch.
    fetched_at: Option<Instant>,
    /// Start time of the last refresh.
    attempted_at: Option<Instant>,
    /// The number of failed refreshes since the last success.
    consecutive_failures: u32,
    /// The number of refreshes that were started.
    attempt: u64,
}

/// The result of a key lookup in the cache.
struct KeyLookup {
    key: Result<DecodingKey, KeyLookupError>,
    is_fresh: bool,
    /// Whether the keys are recent enough to be used while the issuer does not respond.
    is_usable: bool,
    is_failing: bool,
    attempt: u64,
}

impl IssuerKeys {
    pub(super) fn new(
        issuer: &config::IssuerSettings,
        oauth: &config::OauthSettings,
        metrics: &Metrics,
    ) -> Result<Self, IssuerSetupError> {
        let shared = IssuerState {
            client: IssuerClient::new(issuer, oauth.timeout.0, metrics)?,
            fresh_for: oauth.keys_for.0,
            stale_for: oauth.keys_stale_for.0,
            min_refresh_interval: oauth.keys_refetch.0,
            timeout: oauth.timeout.0,
            cache: Mutex::default(),
            refresh_lock: Arc::default(),
        };
        Ok(Self { settings: Arc::new(issuer.clone()), state: Arc::new(shared) })
    }

    /// Returns whether the issuer may sign tokens with this algorithm. Algorithms with a shared
    /// secret cannot be configured.
    pub(super) fn accepts_algorithm(&self, algorithm: Algorithm) -> bool {
        self.settings.algorithms.iter().any(|accepted| jwt_algorithm(*accepted) == algorithm)
    }

    /// Returns the key for a token with this key ID and algorithm. Refreshes the keys if necessary.
    pub(super) async fn find_key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<DecodingKey, AuthError> {
        let before = self.state.look_up(id, algorithm);
        match before.key {
            Ok(key) if before.is_fresh => return Ok(key),
            Err(KeyLookupError::Ambiguous) if before.is_fresh => return Err(AMBIGUOUS_KEY),
            _ => {}
        }
        let refresh_guard = match Arc::clone(&self.state.refresh_lock).try_lock_owned() {
            Ok(refresh_guard) => refresh_guard,
            // Another task refreshes the keys. A request with a usable key does not wait for it.
            Err(_) => match before.key {
                Ok(key) if before.is_usable => return Ok(key),
                _ => Arc::clone(&self.state.refresh_lock).lock_owned().await,
            },
        };
        if self.state.try_start_refresh(before.attempt) {
            let this = self.clone();
            // On a separate task, so that the refresh completes if the request is cancelled.
            let refresh = tokio::spawn(async move {
                this.refresh().await;
                drop(refresh_guard);
            });
            let _ = refresh.await;
        } else {
            drop(refresh_guard);
        }
        let after = self.state.look_up(id, algorithm);
        match after.key {
            Ok(key) if after.is_usable => Ok(key),
            Err(KeyLookupError::Ambiguous) if after.is_usable => Err(AMBIGUOUS_KEY),
            Err(KeyLookupError::Unknown) if after.is_usable && !after.is_failing => {
                Err(AuthError::Invalid(
                    "the token is signed with a key that its issuer does not publish",
                ))
            }
            _ => Err(AuthError::Unavailable(
                "the token cannot be verified now, because its issuer does not respond; try again \
                 later",
            )),
        }
    }

    /// Fetches the keys and updates the cache.
    async fn refresh(&self) {
        let IssuerState { client: http, timeout, .. } = &*self.state;
        let keys_url = self.state.fresh_keys_url();
        let fetch = async {
            let keys_url = match keys_url {
                Some(keys_url) => keys_url,
                None => http.discover_keys_url(&self.settings).await?,
            };
            Ok((http.fetch_keys(&keys_url).await?, keys_url))
        };
        let fetched = tokio::time::timeout(*timeout, fetch).await;
        let fetched = fetched.unwrap_or_else(|_| Err("the refresh timed out".to_owned()));
        let issuer = &self.settings.issuer;
        let mut cache = self.state.lock_cache();
        match fetched {
            Ok((keys, keys_url)) => {
                tracing::info!(issuer, keys = keys.len(), "issuer keys refreshed");
                cache.keys = Arc::new(keys);
                cache.fetched_at = Some(Instant::now());
                cache.keys_url = Some(keys_url);
                cache.consecutive_failures = 0;
            }
            Err(error) => {
                tracing::warn!(issuer, error, "issuer key refresh failed");
                // The issuer may have moved its keys, so the next refresh discovers the URL again.
                cache.keys_url = None;
                cache.consecutive_failures = cache.consecutive_failures.saturating_add(1);
            }
        }
    }
}

const AMBIGUOUS_KEY: AuthError =
    AuthError::Invalid("the token has no key ID (kid), and its issuer has several keys");

impl IssuerState {
    fn lock_cache(&self) -> MutexGuard<'_, KeyCache> {
        self.cache.lock()
    }

    fn look_up(&self, id: Option<&str>, algorithm: Algorithm) -> KeyLookup {
        let cache = self.lock_cache();
        let age = cache.fetched_at.map(|fetched_at| fetched_at.elapsed());
        KeyLookup {
            key: keys::find_key(&cache.keys, id, algorithm),
            is_fresh: age.is_some_and(|age| age < self.fresh_for),
            is_usable: age.is_some_and(|age| age < self.stale_for),
            is_failing: cache.consecutive_failures > 0,
            attempt: cache.attempt,
        }
    }

    /// Starts a refresh if one is due, and returns whether it did. Returns `false` if another
    /// refresh started since the lookup with number `looked_up_at`, because the cache is then
    /// already up to date.
    fn try_start_refresh(&self, looked_up_at: u64) -> bool {
        let mut cache = self.lock_cache();
        let pause = match cache.consecutive_failures {
            0 => self.min_refresh_interval,
            failures => Duration::from_secs(1 << (failures - 1).min(6)).min(MAX_BACKOFF),
        };
        let is_time = cache.attempted_at.is_none_or(|attempted_at| attempted_at.elapsed() >= pause);
        if cache.attempt != looked_up_at || !is_time {
            return false;
        }
        cache.attempted_at = Some(Instant::now());
        cache.attempt += 1;
        true
    }

    /// Returns the URL of the keys while the keys are fresh.
    fn fresh_keys_url(&self) -> Option<Url> {
        let cache = self.lock_cache();
        let is_fresh =
            cache.fetched_at.is_some_and(|fetched_at| fetched_at.elapsed() < self.fresh_for);
        cache.keys_url.clone().filter(|_| is_fresh)
    }
}

fn jwt_algorithm(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::RS256 => Algorithm::RS256,
        SigningAlgorithm::RS384 => Algorithm::RS384,
        SigningAlgorithm::RS512 => Algorithm::RS512,
        SigningAlgorithm::PS256 => Algorithm::PS256,
        SigningAlgorithm::PS384 => Algorithm::PS384,
        SigningAlgorithm::PS512 => Algorithm::PS512,
        SigningAlgorithm::ES256 => Algorithm::ES256,
        SigningAlgorithm::ES384 => Algorithm::ES384,
        SigningAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}
