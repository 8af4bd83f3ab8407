//! Caches and refreshes the signing keys of one issuer.
//!
//! At most one request at a time goes to the issuer, independent of the number of tokens. Cached
//! keys stay in use while the issuer does not respond. A token with an unknown key triggers a
//! refresh, but at a limited rate.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use super::{
    fetch::Fetch,
    keys::{self, NoKey, VerificationKey},
};
use crate::{
    callers::Refused,
    config::{self, SigningAlgorithm},
    telemetry::Metrics,
};

/// The longest pause between two requests to an issuer that does not respond.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// One issuer and its cached keys.
#[derive(Debug, Clone)]
pub(super) struct Issuer {
    pub(super) settings: Arc<config::Issuer>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: Fetch,
    fresh_for: Duration,
    stale_for: Duration,
    refetch: Duration,
    timeout: Duration,
    kept: Mutex<Kept>,
    turn: Arc<AsyncMutex<()>>,
}

/// The cached keys of an issuer and the state of refreshes.
#[derive(Debug, Default)]
struct Kept {
    keys: Arc<Vec<VerificationKey>>,
    /// The URL that the keys were fetched from.
    place: Option<Url>,
    /// When the keys were fetched.
    came: Option<Instant>,
    /// When the last refresh started.
    asked: Option<Instant>,
    /// The number of failed refreshes since the last success.
    failures: u32,
    /// The number of refreshes that were started.
    round: u64,
}

/// The result of a key lookup in the cache.
struct Look {
    found: Result<DecodingKey, NoKey>,
    is_fresh: bool,
    /// Whether the keys are recent enough to be used while the issuer does not respond.
    is_usable: bool,
    is_failing: bool,
    round: u64,
}

impl Issuer {
    pub(super) fn new(
        issuer: &config::Issuer,
        oauth: &config::Oauth,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        let shared = Shared {
            http: Fetch::new(issuer, oauth.timeout.0, metrics)?,
            fresh_for: oauth.keys_for.0,
            stale_for: oauth.keys_stale_for.0,
            refetch: oauth.keys_refetch.0,
            timeout: oauth.timeout.0,
            kept: Mutex::default(),
            turn: Arc::default(),
        };
        Ok(Self { settings: Arc::new(issuer.clone()), shared: Arc::new(shared) })
    }

    /// Returns whether the issuer may sign tokens with this algorithm. Algorithms with a shared
    /// secret cannot be configured.
    pub(super) fn signs_with(&self, algorithm: Algorithm) -> bool {
        self.settings.algorithms.iter().any(|accepted| of(*accepted) == algorithm)
    }

    /// Returns the key for a token with this key ID and algorithm. Refreshes the keys if necessary.
    pub(super) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<DecodingKey, Refused> {
        let before = self.shared.look(id, algorithm);
        match before.found {
            Ok(key) if before.is_fresh => return Ok(key),
            Err(NoKey::Several) if before.is_fresh => return Err(SEVERAL),
            _ => {}
        }
        let turn = match Arc::clone(&self.shared.turn).try_lock_owned() {
            Ok(turn) => turn,
            // Another task refreshes the keys. A request with a usable key does not wait for it.
            Err(_) => match before.found {
                Ok(key) if before.is_usable => return Ok(key),
                _ => Arc::clone(&self.shared.turn).lock_owned().await,
            },
        };
        if self.shared.may_ask(before.round) {
            let this = self.clone();
            // On a separate task, so that the refresh completes if the request is cancelled.
            let refresh = tokio::spawn(async move {
                this.ask().await;
                drop(turn);
            });
            let _ = refresh.await;
        } else {
            drop(turn);
        }
        let after = self.shared.look(id, algorithm);
        match after.found {
            Ok(key) if after.is_usable => Ok(key),
            Err(NoKey::Several) if after.is_usable => Err(SEVERAL),
            Err(NoKey::Unknown) if after.is_usable && !after.is_failing => Err(Refused::Invalid(
                "the token is signed with a key that its issuer does not publish",
            )),
            _ => Err(Refused::Unavailable(
                "the token cannot be verified now, because its issuer does not respond; try again \
                 later",
            )),
        }
    }

    /// Fetches the keys and updates the cache.
    async fn ask(&self) {
        let Shared { http, timeout, .. } = &*self.shared;
        let place = self.shared.place();
        let fetch = async {
            let place = match place {
                Some(place) => place,
                None => http.discover(&self.settings).await?,
            };
            Ok((http.keys(&place).await?, place))
        };
        let fetched = tokio::time::timeout(*timeout, fetch).await;
        let fetched = fetched.unwrap_or_else(|_| Err("the refresh timed out".to_owned()));
        let issuer = &self.settings.issuer;
        let mut kept = self.shared.kept();
        match fetched {
            Ok((keys, place)) => {
                tracing::info!(issuer, keys = keys.len(), "issuer keys refreshed");
                kept.keys = Arc::new(keys);
                kept.came = Some(Instant::now());
                kept.place = Some(place);
                kept.failures = 0;
            }
            Err(error) => {
                tracing::warn!(issuer, error, "issuer key refresh failed");
                // The issuer may have moved its keys, so the next refresh discovers the URL again.
                kept.place = None;
                kept.failures = kept.failures.saturating_add(1);
            }
        }
    }
}

const SEVERAL: Refused =
    Refused::Invalid("the token has no key ID (kid), and its issuer has several keys");

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, id: Option<&str>, algorithm: Algorithm) -> Look {
        let kept = self.kept();
        let age = kept.came.map(|came| came.elapsed());
        Look {
            found: keys::find(&kept.keys, id, algorithm),
            is_fresh: age.is_some_and(|age| age < self.fresh_for),
            is_usable: age.is_some_and(|age| age < self.stale_for),
            is_failing: kept.failures > 0,
            round: kept.round,
        }
    }

    /// Starts a refresh if one is due, and returns whether it did. Returns `false` if another
    /// refresh started since the lookup with number `looked_up_at`, because the cache is then
    /// already up to date.
    fn may_ask(&self, looked_up_at: u64) -> bool {
        let mut kept = self.kept();
        let pause = match kept.failures {
            0 => self.refetch,
            failures => Duration::from_secs(1 << (failures - 1).min(6)).min(LONGEST_PAUSE),
        };
        let is_time = kept.asked.is_none_or(|asked| asked.elapsed() >= pause);
        if kept.round != looked_up_at || !is_time {
            return false;
        }
        kept.asked = Some(Instant::now());
        kept.round += 1;
        true
    }

    /// Returns the URL of the keys, as long as the keys are fresh.
    fn place(&self) -> Option<Url> {
        let kept = self.kept();
        let is_fresh = kept.came.is_some_and(|came| came.elapsed() < self.fresh_for);
        kept.place.clone().filter(|_| is_fresh)
    }
}

fn of(algorithm: SigningAlgorithm) -> Algorithm {
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
