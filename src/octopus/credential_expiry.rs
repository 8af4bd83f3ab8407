//! Expiry of the configured credentials, for metrics. An expired key breaks the calls of all its
//! callers at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use super::{
    client::{
        configured_credential::ConfiguredCredential,
        credentials::Fingerprint,
        instances::{Instance, Instances},
        session::Session,
    },
    model::api_keys,
};

/// Known expiry times of the configured credentials.
#[derive(Debug, Default)]
pub struct CredentialExpiries(Mutex<BTreeMap<CredentialName, Timestamp>>);

/// Instance name, and the name of the credential in the settings: a group, or `configured`.
type CredentialName = (String, String);

/// Interval between refreshes.
const REFRESH_INTERVAL: Duration = Duration::from_hours(6);

impl CredentialExpiries {
    /// Returns the remaining days of each credential; negative after its expiry.
    pub fn remaining_days(&self, now: Timestamp) -> Vec<(CredentialName, f64)> {
        let expiries = self.lock();
        let days = |when: &Timestamp| when.duration_since(now).as_secs_f64() / (24.0 * 3600.0);
        expiries.iter().map(|(key, when)| (key.clone(), days(when))).collect()
    }

    /// Refreshes the expiry times every six hours until the server stops.
    pub async fn run(
        self: Arc<Self>,
        instances: impl Fn() -> Arc<Instances>,
        stop: CancellationToken,
    ) {
        let mut round = tokio::time::interval(REFRESH_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => {}
            }
            let instances = instances();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.refresh(&instances) => {}
            }
        }
    }

    /// Reads the expiry of each configured credential once.
    pub async fn refresh(&self, instances: &Instances) {
        let mut expiries = BTreeMap::new();
        for instance in instances.iter() {
            for (name, configured) in instance.configured_credentials() {
                let credentials = configured.current();
                let caller = Fingerprint::of([b"expiry".as_slice()]);
                let session = Session::new(instance.client.clone(), credentials, caller, None);
                let key = (instance.name.clone(), name.to_owned());
                match api_keys::credential_expiry(&session).await {
                    Ok(when) => expiries.extend(when.map(|when| (key, when))),
                    Err(error) => {
                        tracing::debug!(instance = key.0, key = key.1, %error, "expiry not read");
                        // Keep the value of the last successful read.
                        let previous = self.lock().get(&key).copied();
                        expiries.extend(previous.map(|when| (key, when)));
                    }
                }
            }
        }
        *self.lock() = expiries;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CredentialName, Timestamp>> {
        self.0.lock()
    }
}

impl Instance {
    /// Returns the configured credentials of the instance with their names.
    fn configured_credentials(&self) -> Vec<(&str, &ConfiguredCredential)> {
        self.credential_provider().configured()
    }
}
