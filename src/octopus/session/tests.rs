//! Tests.

use std::time::Duration;

use super::*;
use crate::{compute::ComputePool, config::Instance, octopus::AnswerMemory, telemetry::Metrics};

#[test]
fn invented_credentials_share_one_share_of_the_compute_pool() {
    let client = Client::new(
        "default",
        "http://127.0.0.1:9".parse().unwrap(),
        &Instance::default(),
        &Metrics::default(),
        &ComputePool::new(1, Duration::from_secs(1)),
        &AnswerMemory::new(1024 * 1024),
    );
    let client = client.unwrap();
    let share = |key: &str, is_configured: bool| {
        let credentials = Credentials::api_key(key).unwrap();
        let credentials = if is_configured { credentials.configured() } else { credentials };
        let caller = Fingerprint::of([key.as_bytes()]);
        let session = Session::new(client.clone(), credentials, caller, None);
        (session.compute().caller(), CallerKey::new(*caller.as_bytes()))
    };
    for key in ["API-INVENTED1", "API-INVENTED2"] {
        assert_eq!(share(key, false).0, CallerKey::UNPROVEN);
    }
    let (known, own) = share("API-CONFIGURED", true);
    assert_eq!(known, own);
}
