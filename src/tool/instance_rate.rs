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
    /// to wait.
    pub async fn take(&self, name: &str) -> Result<(), Taken> {
        let Some(bucket) = &self.0 else { return Ok(()) };
        let taken = bucket.take(Fingerprint::of([name.as_bytes()]).as_bytes()).await;
        if taken.allowed { Ok(()) } else { Err(taken) }
    }

    /// The same for a call that goes on to another instance than its request's.
    pub(super) async fn take_for_call(&self, name: &str) -> Result<(), Error> {
        let taken = self.take(name).await;
        taken.map_err(|taken| Error::Crowded { instance: name.to_owned(), wait: taken.wait })
    }
}
