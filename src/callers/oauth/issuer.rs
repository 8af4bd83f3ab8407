//! The keys of one issuer: got, kept, got again.
//!
//! One request at a time goes to the issuer, whatever comes in. Keys that are there go on being
//! used while it does not answer, and a token with an unknown key asks it again, but not often.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex as Turn;
use url::Url;

use super::{
    fetch::Fetch,
    keys::{self, Key, NoKey},
};
use crate::{
    callers::Refused,
    config::{self, SigningAlgorithm},
    telemetry::Metrics,
};

/// The longest pause between two tries at an issuer that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// One issuer and its keys.
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
    turn: Arc<Turn<()>>,
}

/// What is known of an issuer.
#[derive(Debug, Default)]
struct Kept {
    keys: Arc<Vec<Key>>,
    /// Where they came from.
    place: Option<Url>,
    /// When they came.
    came: Option<Instant>,
    /// When they were last asked for.
    asked: Option<Instant>,
    /// How often in a row they did not come.
    failures: u32,
    /// How often they were asked for.
    round: u64,
}

/// What there is for a token.
struct Look {
    found: Result<DecodingKey, NoKey>,
    is_fresh: bool,
    /// Whether the keys may still be used.
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

    /// Whether its tokens may be signed so. An algorithm with a shared secret is none of these.
    pub(super) fn signs_with(&self, algorithm: Algorithm) -> bool {
        self.settings.algorithms.iter().any(|accepted| of(*accepted) == algorithm)
    }

    /// The key of a token with this header.
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
            // Somebody asks already; whoever has a key need not wait for the answer.
            Err(_) => match before.found {
                Ok(key) if before.is_usable => return Ok(key),
                _ => Arc::clone(&self.shared.turn).lock_owned().await,
            },
        };
        if self.shared.may_ask(before.round) {
            let this = self.clone();
            // On a task of its own, which goes on where the request ends early.
            let asking = tokio::spawn(async move {
                this.ask().await;
                drop(turn);
            });
            let _ = asking.await;
        } else {
            drop(turn);
        }
        let after = self.shared.look(id, algorithm);
        match after.found {
            Ok(key) if after.is_usable => Ok(key),
            Err(NoKey::Several) if after.is_usable => Err(SEVERAL),
            Err(NoKey::Unknown) if after.is_usable && !after.is_failing => Err(Refused::Invalid(
                "the token is signed with a key that its issuer does not have",
            )),
            _ => Err(Refused::Unavailable(
                "the token cannot be checked now, because its issuer does not answer; try again \
                 shortly",
            )),
        }
    }

    /// Asks the issuer for its keys.
    async fn ask(&self) {
        let Shared { http, timeout, .. } = &*self.shared;
        let place = self.shared.place();
        let asking = async {
            let place = match place {
                Some(place) => place,
                None => http.discover(&self.settings).await?,
            };
            Ok((http.keys(&place).await?, place))
        };
        let came = tokio::time::timeout(*timeout, asking).await;
        let came = came.unwrap_or_else(|_| Err("it took too long".to_owned()));
        let issuer = &self.settings.issuer;
        let mut kept = self.shared.kept();
        match came {
            Ok((keys, place)) => {
                tracing::info!(issuer, keys = keys.len(), "the keys of the issuer were read");
                kept.keys = Arc::new(keys);
                kept.came = Some(Instant::now());
                kept.place = Some(place);
                kept.failures = 0;
            }
            Err(error) => {
                tracing::warn!(issuer, error, "the keys of the issuer cannot be read");
                // They may have moved.
                kept.place = None;
                kept.failures = kept.failures.saturating_add(1);
            }
        }
    }
}

const SEVERAL: Refused =
    Refused::Invalid("the token does not say which key signed it, and its issuer has several");

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

    /// Whether it is time to ask; if so, the time is noted. Whoever looked before somebody else
    /// asked has an answer already.
    fn may_ask(&self, looked_in: u64) -> bool {
        let mut kept = self.kept();
        let pause = match kept.failures {
            0 => self.refetch,
            failures => Duration::from_secs(1 << (failures - 1).min(6)).min(LONGEST_PAUSE),
        };
        let is_time = kept.asked.is_none_or(|asked| asked.elapsed() >= pause);
        if kept.round != looked_in || !is_time {
            return false;
        }
        kept.asked = Some(Instant::now());
        kept.round += 1;
        true
    }

    /// Where the keys are, as long as that is believed.
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
