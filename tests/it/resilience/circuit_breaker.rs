//! Circuit breaker: requests to an unresponsive instance fail fast, and other instances are
//! unaffected.

use std::time::Duration;

use octopus_mcp::{
    config::{AuthMode, Config, DurationSetting, InstanceSettings},
    octopus::{
        CallerCredentials, Credentials, Error, Fingerprint, Instances, PageRange, Session,
        spaces as listed,
    },
    telemetry::Metrics,
};
use octopus_sample::{Fault, Sample, keys};

use serde_json::json;

use super::{CALLERS, list_spaces, server_without_retries, verify_callers};
use crate::support::{Era, TestServer, serve, wait_until_some};

#[tokio::test]
async fn opens_after_consecutive_gateway_errors() {
    for status in [502, 503] {
        let server = server_without_retries(|octopus| {
            octopus.failures_until_pause = 3;
            octopus.pause = DurationSetting::seconds(60);
        })
        .await;
        verify_callers(&server).await;
        server.sample.faults().add(Fault::on("/spaces").status(status));
        for key in CALLERS.iter().take(3) {
            let error = list_spaces(&server, key).await.unwrap_err();
            assert!(error.contains(&format!("Octopus returned {status}")), "{error}");
        }
        server.sample.faults().clear();
        for key in CALLERS {
            let error = list_spaces(&server, key).await.unwrap_err();
            assert!(error.contains("the instance 'default' is not responding"), "{error}");
            assert!(error.contains("sends it no requests for another 60 s"), "{error}");
            assert!(error.contains("hint:"), "{error}");
        }
        assert_eq!(
            server.sample.journal().len(),
            3,
            "no request was sent while the breaker was open"
        );
    }
}

#[tokio::test]
async fn timeouts_and_connection_errors_open_the_breaker() {
    let slow = server_without_retries(|octopus| {
        octopus.failures_until_pause = 2;
        octopus.timeout = DurationSetting(Duration::from_millis(250));
    })
    .await;
    verify_callers(&slow).await;
    slow.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    for key in CALLERS.iter().take(2) {
        assert!(list_spaces(&slow, key).await.unwrap_err().contains("did not respond within"));
    }
    let error = list_spaces(&slow, keys::VIEW_ONLY).await.unwrap_err();
    assert!(error.contains("sends it no requests"), "{error}");

    let mut unreachable = TestServer::with_instances(&["near", "away"], |config| {
        for instance in config.instances.values_mut() {
            instance.retries = 0;
            instance.failures_until_pause = 2;
        }
    })
    .await;
    let ask = async |server: &TestServer, key: &str| {
        let params = json!({ "name": "list_spaces", "arguments": {} });
        let headers = [("x-octopus-apikey", key)];
        let reply = server.rpc_at("/i/away", &headers, Era::Legacy, "tools/call", params).await;
        reply.json()["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    };
    for key in CALLERS {
        assert!(ask(&unreachable, key).await.contains("items"));
    }
    unreachable.stop_other("away").await;
    for key in CALLERS.iter().take(2) {
        assert!(ask(&unreachable, key).await.contains("cannot be reached"));
    }
    assert!(ask(&unreachable, keys::VIEW_ONLY).await.contains("sends it no requests"));
}

#[tokio::test]
async fn responses_of_octopus_never_open_the_breaker() {
    let server = server_without_retries(|octopus| octopus.failures_until_pause = 1).await;
    for (status, message) in [
        (400, "Octopus rejected the request (400)"),
        (401, "Octopus rejected the credential"),
        (403, "the credential lacks a permission"),
        (404, "resource '/api/spaces"),
        (409, "Octopus rejected the request (409)"),
        (429, "Octopus rate limit exceeded"),
        (500, "Octopus returned 500"),
        (501, "Octopus returned 501"),
    ] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/spaces").status(status));
        for key in CALLERS {
            let error = list_spaces(&server, key).await.unwrap_err();
            assert!(!error.contains("sends it no requests"), "{status}: {error}");
            assert!(error.starts_with(message), "{status}: {error}");
        }
    }
    server.sample.faults().clear();
    server.sample.faults().add(Fault::on("/spaces").malformed_json());
    for key in CALLERS {
        let error = list_spaces(&server, key).await.unwrap_err();
        assert!(error.starts_with("unexpected response from Octopus"), "{error}");
    }
}

#[tokio::test]
async fn failures_of_one_caller_do_not_block_others() {
    let server = server_without_retries(|octopus| {
        octopus.failures_until_pause = 3;
        octopus.pause = DurationSetting::seconds(60);
    })
    .await;
    verify_callers(&server).await;
    server.sample.faults().add(Fault::on("/spaces").status(504).times(3));
    for _ in 0..3 {
        let error = list_spaces(&server, keys::ADMIN).await.unwrap_err();
        assert!(error.contains("Octopus returned 504"), "{error}");
    }
    let error = list_spaces(&server, keys::ADMIN).await.unwrap_err();
    assert!(error.contains("sends it no requests"), "{error}");
    assert_eq!(list_spaces(&server, keys::DEFAULT_SPACE_ONLY).await, Ok(()));
    assert_eq!(
        list_spaces(&server, keys::ADMIN).await,
        Ok(()),
        "the response to the other caller closed the breaker"
    );
}

#[tokio::test]
async fn sends_one_trial_request_after_the_pause() {
    let server = server_without_retries(|octopus| {
        octopus.failures_until_pause = 2;
        octopus.pause = DurationSetting(Duration::from_millis(1));
        octopus.timeout = DurationSetting::seconds(20);
    })
    .await;
    verify_callers(&server).await;
    server.sample.faults().add(Fault::on("/spaces").status(503).times(2));
    for key in CALLERS.iter().take(2) {
        let error = list_spaces(&server, key).await.unwrap_err();
        assert!(error.contains("Octopus returned 503"), "{error}");
    }
    // The pause of 1 ms is over. The trial request lasts 3 s.
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_secs(3)));
    server.sample.clear_journal();
    let trial = list_spaces(&server, keys::ADMIN);
    let others = async {
        wait_until_some(async || (server.sample.journal().len() == 1).then_some(())).await;
        for key in CALLERS.iter().skip(1) {
            let error = list_spaces(&server, key).await.unwrap_err();
            assert!(error.contains("sends it no requests"), "{error}");
        }
    };
    let (trial_result, ()) = tokio::join!(trial, others);
    assert_eq!(trial_result, Ok(()));
    assert_eq!(server.sample.journal().len(), 1);
    server.sample.faults().clear();
    for key in CALLERS {
        assert_eq!(list_spaces(&server, key).await, Ok(()));
    }
}

#[tokio::test]
async fn failure_of_one_instance_does_not_affect_others() {
    let (failing, healthy) = (Sample::new(), Sample::new());
    let (failing_address, healthy_address) = (serve(failing.router()), serve(healthy.router()));
    let mut config = Config::default();
    config.auth.mode = Some(AuthMode::Octopus.into());
    for (name, listening) in [("failing", &failing_address), ("healthy", &healthy_address)] {
        let instance = InstanceSettings {
            url: Some(format!("http://{}", listening.address).parse().unwrap()),
            retries: 0,
            failures_until_pause: 2,
            concurrent_requests: 1,
            ..InstanceSettings::default()
        };
        config.instances.insert(name.to_owned(), instance);
    }
    let instances = Instances::from_config(&config, &Metrics::default()).unwrap();
    let ask = async |name: &str, key: &str| {
        let instance = instances.get(name).unwrap();
        let own = Some(Credentials::api_key(key).unwrap());
        let caller_credentials = CallerCredentials { own, ..CallerCredentials::default() };
        let credentials = instance.credentials(&caller_credentials).await.unwrap();
        let fingerprint = Fingerprint::of([key.as_bytes()]);
        let session = Session::new(instance.client.clone(), credentials, fingerprint, None);
        listed::list(&session, None, PageRange { skip: 0, take: 1 }).await
    };
    for key in CALLERS {
        assert!(ask("failing", key).await.is_ok());
    }
    failing.faults().add(Fault::on("/").status(503));
    for key in CALLERS.iter().take(2) {
        assert!(matches!(ask("failing", key).await, Err(Error::Unavailable { .. })));
    }
    for key in CALLERS {
        let rejected = ask("failing", key).await.unwrap_err();
        assert!(matches!(&rejected, Error::CircuitOpen { instance, .. } if instance == "failing"));
        assert!(ask("healthy", key).await.is_ok());
    }
}
