//! Tests of sessions.

use std::time::Duration;

use super::*;
use crate::{
    compute::ComputePool, config::InstanceSettings, octopus::client::budget::ResponseMemory,
    telemetry::Metrics,
};

fn client(call_time: Duration) -> Client {
    Client::new(
        "default",
        "http://127.0.0.1:9".parse().unwrap(),
        &InstanceSettings::default(),
        &Metrics::default(),
        &ComputePool::new(1, call_time),
        &ResponseMemory::new(1024 * 1024),
    )
    .unwrap()
}

#[test]
fn unproven_callers_share_one_compute_queue() {
    let client = client(Duration::from_secs(1));
    let share = |key: &str, is_configured: bool| {
        let credentials = Credentials::api_key(key).unwrap();
        let credentials = if is_configured { credentials.into_configured() } else { credentials };
        let caller = Fingerprint::of([key.as_bytes()]);
        let session = Session::new(client.clone(), credentials, caller, None);
        (session.compute().caller(), CallerKey::new(*caller.as_bytes()))
    };
    for key in ["API-INVENTED1", "API-INVENTED2"] {
        assert_eq!(share(key, false).0, CallerKey::UNVERIFIED);
    }
    let (configured, own) = share("API-CONFIGURED", true);
    assert_eq!(configured, own);
}
