//! The breaker: an instance that does not answer is left alone for a while, and nobody else is.

use std::time::Duration;

use octopus_mcp::{
    config::{AuthMode, Config, Instance, Period},
    octopus::{
        Brings, Credentials, Error, Fingerprint, Instances, Session, Window, spaces as listed,
    },
    telemetry::Metrics,
};
use octopus_sample::{Fault, Sample, keys};

use serde_json::json;

use super::{CALLERS, prove, server, spaces};
use crate::support::{Era, TestServer, serve, soon};

#[tokio::test]
async fn an_instance_that_does_not_answer_is_left_alone_for_a_while() {
    for fault in [Fault::on("/spaces").status(503), Fault::on("/spaces").status(502)] {
        let server = server(|octopus| {
            octopus.failures_until_pause = 3;
            octopus.pause = Period::seconds(60);
        })
        .await;
        prove(&server).await;
        server.sample.faults().add(fault);
        for key in CALLERS.iter().take(3) {
            let said = spaces(&server, key).await.unwrap_err();
            assert!(said.contains("cannot answer now"), "{said}");
        }
        server.sample.faults().clear();
        for key in CALLERS {
            let said = spaces(&server, key).await.unwrap_err();
            assert!(said.contains("the instance 'default' does not answer"), "{said}");
            assert!(said.contains("left alone for 60 s"), "{said}");
            assert!(said.contains("hint:"), "{said}");
        }
        assert_eq!(server.sample.journal().len(), 3, "nothing was sent meanwhile");
    }
}

#[tokio::test]
async fn no_answer_in_time_and_no_connection_open_the_breaker_too() {
    let late = server(|octopus| {
        octopus.failures_until_pause = 2;
        octopus.timeout = Period(Duration::from_millis(250));
    })
    .await;
    prove(&late).await;
    late.sample.faults().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    for key in CALLERS.iter().take(2) {
        assert!(spaces(&late, key).await.unwrap_err().contains("did not answer within"));
    }
    let said = spaces(&late, keys::VIEW_ONLY).await.unwrap_err();
    assert!(said.contains("left alone"), "{said}");

    let mut away = TestServer::several(&["near", "away"], |config| {
        for instance in config.instances.values_mut() {
            instance.retries = 0;
            instance.failures_until_pause = 2;
        }
    })
    .await;
    let ask = async |server: &TestServer, key: &str| {
        let params = json!({ "name": "list_spaces", "arguments": {} });
        let headers = [("x-octopus-apikey", key)];
        let reply = server.ask_at("/i/away", &headers, Era::Legacy, "tools/call", params).await;
        reply.json()["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    };
    for key in CALLERS {
        assert!(ask(&away, key).await.contains("items"));
    }
    away.stop_other("away").await;
    for key in CALLERS.iter().take(2) {
        assert!(ask(&away, key).await.contains("cannot be reached"));
    }
    assert!(ask(&away, keys::VIEW_ONLY).await.contains("left alone"));
}

#[tokio::test]
async fn an_answer_never_opens_the_breaker_whatever_it_says() {
    let server = server(|octopus| octopus.failures_until_pause = 1).await;
    for status in [400, 401, 403, 404, 409, 429, 500, 501] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/spaces").status(status));
        for key in CALLERS {
            let said = spaces(&server, key).await.unwrap_err();
            assert!(!said.contains("left alone"), "{status}: {said}");
        }
    }
    server.sample.faults().clear();
    server.sample.faults().add(Fault::on("/spaces").malformed_json());
    for key in CALLERS {
        assert!(!spaces(&server, key).await.unwrap_err().contains("left alone"));
    }
}

#[tokio::test]
async fn what_one_caller_asks_for_in_vain_is_no_other_callers_trouble() {
    let server = server(|octopus| {
        octopus.failures_until_pause = 3;
        octopus.pause = Period::seconds(60);
    })
    .await;
    prove(&server).await;
    server.sample.faults().add(Fault::on("/spaces").status(504).times(3));
    for _ in 0..3 {
        spaces(&server, keys::ADMIN).await.unwrap_err();
    }
    let said = spaces(&server, keys::ADMIN).await.unwrap_err();
    assert!(said.contains("left alone"), "{said}");
    assert_eq!(spaces(&server, keys::DEFAULT_SPACE_ONLY).await, Ok(()));
    assert_eq!(spaces(&server, keys::ADMIN).await, Ok(()), "it has answered since");
}

#[tokio::test]
async fn after_the_pause_one_request_tries() {
    let server = server(|octopus| {
        octopus.failures_until_pause = 2;
        octopus.pause = Period(Duration::from_millis(1));
        octopus.timeout = Period::seconds(20);
    })
    .await;
    prove(&server).await;
    server.sample.faults().add(Fault::on("/spaces").status(503).times(2));
    for key in CALLERS.iter().take(2) {
        spaces(&server, key).await.unwrap_err();
    }
    // The pause is over as soon as it began. Whoever tries takes a while.
    server.sample.faults().add(Fault::on("/spaces").delay(Duration::from_secs(3)));
    server.sample.clear_journal();
    let tries = spaces(&server, keys::ADMIN);
    let others = async {
        soon(async || (server.sample.journal().len() == 1).then_some(())).await;
        for key in CALLERS.iter().skip(1) {
            let said = spaces(&server, key).await.unwrap_err();
            assert!(said.contains("left alone"), "{said}");
        }
    };
    let (came, ()) = tokio::join!(tries, others);
    assert_eq!(came, Ok(()));
    assert_eq!(server.sample.journal().len(), 1);
    server.sample.faults().clear();
    for key in CALLERS {
        assert_eq!(spaces(&server, key).await, Ok(()));
    }
}

#[tokio::test]
async fn one_instance_down_does_not_disturb_the_others() {
    let (ailing, well) = (Sample::new(), Sample::new());
    let (one, other) = (serve(ailing.router()), serve(well.router()));
    let mut config = Config::default();
    config.auth.mode = Some(AuthMode::Octopus.into());
    for (name, listening) in [("ailing", &one), ("well", &other)] {
        let instance = Instance {
            url: Some(format!("http://{}", listening.address).parse().unwrap()),
            retries: 0,
            failures_until_pause: 2,
            concurrent_requests: 1,
            ..Instance::default()
        };
        config.instances.insert(name.to_owned(), instance);
    }
    let instances = Instances::from_config(&config, &Metrics::default()).unwrap();
    let ask = async |name: &str, key: &str| {
        let instance = instances.get(name).unwrap();
        let own = Some(Credentials::api_key(key).unwrap());
        let brings = Brings { own, ..Brings::default() };
        let credentials = instance.credentials(&brings).await.unwrap();
        let whose = Fingerprint::of([key.as_bytes()]);
        let session = Session::new(instance.client.clone(), credentials, whose, None);
        listed::list(&session, None, Window { skip: 0, take: 1 }).await
    };
    for key in CALLERS {
        assert!(ask("ailing", key).await.is_ok());
    }
    ailing.faults().add(Fault::on("/").status(503));
    for key in CALLERS.iter().take(2) {
        assert!(matches!(ask("ailing", key).await, Err(Error::Unavailable { .. })));
    }
    for key in CALLERS {
        let refused = ask("ailing", key).await.unwrap_err();
        assert!(matches!(&refused, Error::Paused { instance, .. } if instance == "ailing"));
        assert!(ask("well", key).await.is_ok());
    }
}
