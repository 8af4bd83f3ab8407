//! How much all callers together may ask of one instance.

use super::Error;
use crate::{
    config::Limits,
    octopus::Fingerprint,
    store::{Bucket, Store, Taken},
};

/// How much all callers together may ask of each instance. Clones count into the same; the default
/// counts nothing.
#[derive(Debug, Clone, Default)]
pub struct InstanceRate(Option<Bucket>);

impl InstanceRate {
    /// The rate of the settings, counted in this store.
    pub fn new(limits: &Limits, store: &Store) -> Self {
        Self(store.buckets("instance", limits.instance_rate, limits.instance_burst))
    }

    /// Takes one of what may be asked of the instance with this name. The error says how long
    /// to wait. Callers whose credential the instance has not accepted (`is_accepted` is false) share a
    /// rate of their own: anybody can invent credentials, and must not use up the rate of the others.
    pub async fn take(&self, name: &str, is_accepted: bool) -> Result<(), Taken> {
        let Some(bucket) = &self.0 else { return Ok(()) };
        let key = if is_accepted {
            Fingerprint::of([name.as_bytes()])
        } else {
            Fingerprint::of([name.as_bytes(), b"unproven"])
        };
        let taken = bucket.take(key.as_bytes()).await;
        if taken.allowed { Ok(()) } else { Err(taken) }
    }

    /// The same for a call that goes on to another instance than its request's.
    pub(super) async fn take_for_call(&self, name: &str) -> Result<(), Error> {
        let taken = self.take(name, true).await;
        taken.map_err(|taken| Error::Crowded { instance: name.to_owned(), wait: taken.wait })
    }
}
