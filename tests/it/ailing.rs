//! An instance that is busy or does not answer: places, the breaker, reads that are shared; and
//! that neither other callers nor other instances are disturbed by it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{extract::Request, middleware::from_fn};
use octopus_mcp::{
    config::{AuthMode, Config, Instance, Period},
    octopus::{Brings, Credentials, Error, Fingerprint, Instances, Session, server},
    sample::{Fault, Sample, keys},
    telemetry::Metrics,
};
use serde_json::json;

use crate::support::{TestServer, serve, soon};

/// Callers who all see the default space.
const CALLERS: [&str; 4] =
    [keys::ADMIN, keys::DEFAULT_SPACE_ONLY, keys::WITHOUT_TASK_VIEW, keys::VIEW_ONLY];

async fn server(change: impl FnOnce(&mut Instance)) -> TestServer {
    TestServer::with(|config| {
        config.octopus.retries = 0;
        change(&mut config.octopus);
    })
    .await
}

async fn spaces(server: &TestServer, key: &str) -> Result<(), String> {
    let called = server.call_as(key, "list_spaces", json!({})).await;
    if called.is_error { Err(called.text) } else { Ok(()) }
}

#[tokio::test]
async fn an_instance_that_does_not_answer_is_left_alone_for_a_while() {
    for fault in [Fault::on("/spaces").status(503), Fault::on("/spaces").status(502)] {
        let server = server(|octopus| {
            octopus.failures_until_pause = 3;
            octopus.pause = Period::seconds(60);
        })
        .await;
        server.sample.trouble().add(fault);
        for key in CALLERS.iter().take(3) {
            let said = spaces(&server, key).await.unwrap_err();
            assert!(said.contains("cannot answer now"), "{said}");
        }
        server.sample.trouble().clear();
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
        octopus.timeout = Period(Duration::from_millis(50));
    })
    .await;
    late.sample.trouble().add(Fault::on("/spaces").delay(Duration::from_mins(1)));
    let away = server(|octopus| {
        octopus.failures_until_pause = 2;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        octopus.url = Some(format!("http://127.0.0.1:{port}").parse().unwrap());
    })
    .await;
    for (server, words) in [(late, "did not answer within"), (away, "cannot be reached")] {
        for key in CALLERS.iter().take(2) {
            assert!(spaces(&server, key).await.unwrap_err().contains(words));
        }
        let said = spaces(&server, keys::VIEW_ONLY).await.unwrap_err();
        assert!(said.contains("left alone"), "{said}");
    }
}

#[tokio::test]
async fn an_answer_never_opens_the_breaker_whatever_it_says() {
    let server = server(|octopus| octopus.failures_until_pause = 1).await;
    for status in [400, 401, 403, 404, 409, 429, 500, 501] {
        server.sample.trouble().clear();
        server.sample.trouble().add(Fault::on("/spaces").status(status));
        for key in CALLERS {
            let said = spaces(&server, key).await.unwrap_err();
            assert!(!said.contains("left alone"), "{status}: {said}");
        }
    }
    server.sample.trouble().clear();
    server.sample.trouble().add(Fault::on("/spaces").malformed_json());
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
    server.sample.trouble().add(Fault::on("/spaces").status(504).times(3));
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
    server.sample.trouble().add(Fault::on("/spaces").status(503).times(2));
    for key in CALLERS.iter().take(2) {
        spaces(&server, key).await.unwrap_err();
    }
    // The pause is over as soon as it began. Whoever tries takes a while.
    server.sample.trouble().add(Fault::on("/spaces").delay(Duration::from_secs(3)));
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
    server.sample.trouble().clear();
    for key in CALLERS {
        assert_eq!(spaces(&server, key).await, Ok(()));
    }
}

#[tokio::test]
async fn one_instance_down_does_not_disturb_the_others() {
    let (ailing, well) = (Sample::new(), Sample::new());
    ailing.trouble().add(Fault::on("/").status(503));
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
        server::root(&session).await
    };
    for key in CALLERS.iter().take(2) {
        assert!(matches!(ask("ailing", key).await, Err(Error::Unavailable { .. })));
    }
    for key in CALLERS {
        let refused = ask("ailing", key).await.unwrap_err();
        assert!(matches!(&refused, Error::Paused { instance, .. } if instance == "ailing"));
        assert!(ask("well", key).await.is_ok());
    }
}

/// How many requests were at the sample at once, at most.
fn counted(sample: &Sample) -> (axum::Router, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let router =
        sample.router().layer(from_fn(move |request: Request, next: axum::middleware::Next| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let response = next.run(request).await;
                now.fetch_sub(1, Ordering::SeqCst);
                response
            }
        }));
    (router, seen)
}

#[tokio::test]
async fn so_many_requests_are_under_way_at_once_and_no_more() {
    let sample = Sample::new();
    sample.trouble().add(Fault::on("/environments").delay(Duration::from_millis(200)));
    let (router, most) = counted(&sample);
    let octopus = serve(router);
    let server = server(|octopus_settings| {
        octopus_settings.url = Some(format!("http://{}", octopus.address).parse().unwrap());
        octopus_settings.concurrent_requests = 3;
    })
    .await;
    let calls = (0..24).map(|skip| {
        let key = CALLERS[skip % CALLERS.len()];
        let arguments = json!({ "space": "Default", "skip": skip });
        server.call_as(key, "list_environments", arguments)
    });
    for called in futures::future::join_all(calls).await {
        assert!(!called.is_error, "all of them came to their answer: {}", called.text);
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn whoever_finds_no_place_in_time_is_told_so_and_nothing_is_sent() {
    let server = TestServer::with(|config| {
        config.octopus.concurrent_requests = 1;
        config.octopus.timeout = Period(Duration::from_millis(300));
        config.http.request_timeout = Period::seconds(5);
    })
    .await;
    server.call_as(keys::ADMIN, "list_environments", json!({ "space": "Default" })).await;
    server.sample.trouble().add(Fault::on("/raw").endless());
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let reads = server.call_as(keys::ADMIN, "get_task_raw", log);
    let waits = async {
        let raw = || server.sample.journal().iter().any(|entry| entry.path.ends_with("/raw"));
        soon(async || raw().then_some(())).await;
        server.sample.clear_journal();
        let said = spaces(&server, keys::DEFAULT_SPACE_ONLY).await.unwrap_err();
        assert!(said.contains("the instance 'default' is busy"), "{said}");
        assert!(said.contains("within 1 s") && said.contains("concurrent_requests"), "{said}");
        assert_eq!(server.sample.journal(), []);
    };
    // The one who reads without end has the only place until they give up.
    tokio::select! { _ = reads => panic!("it has no end"), () = waits => {} }
    soon(async || spaces(&server, keys::DEFAULT_SPACE_ONLY).await.ok()).await;
}

#[tokio::test]
async fn small_reads_go_on_while_logs_are_read() {
    let server = server(|octopus| {
        octopus.concurrent_requests = 2;
        octopus.timeout = Period(Duration::from_secs(2));
    })
    .await;
    let log = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    for key in [keys::ADMIN, keys::VIEW_ONLY] {
        server.call_as(key, "list_environments", json!({ "space": "Default" })).await;
    }
    server.sample.trouble().add(Fault::on("/raw").endless());
    let logs = [keys::ADMIN, keys::VIEW_ONLY, keys::DEFAULT_SPACE_ONLY]
        .map(|key| server.call_as(key, "get_task_raw", log.clone()));
    let small = async {
        let raw = || server.sample.journal().iter().any(|entry| entry.path.ends_with("/raw"));
        soon(async || raw().then_some(())).await;
        for key in CALLERS.iter().cycle().take(40) {
            assert_eq!(spaces(&server, key).await, Ok(()));
        }
    };
    tokio::select! { _ = futures::future::join_all(logs) => panic!("no end"), () = small => {} }
}

#[tokio::test]
async fn the_same_read_of_one_caller_at_one_moment_is_sent_once_and_of_two_twice() {
    let server = server(|_| {}).await;
    for key in CALLERS {
        server.call_as(key, "list_environments", json!({ "space": "Default" })).await;
    }
    let asked = async |callers: &[&str], fault: Fault| {
        server.sample.trouble().clear();
        server.sample.trouble().add(fault);
        server.sample.clear_journal();
        let arguments = || json!({ "space": "Default", "skip": 0 });
        let calls = callers.iter().map(|key| server.call_as(key, "list_environments", arguments()));
        let called = futures::future::join_all(calls).await;
        (server.sample.journal().len(), called)
    };
    let slow = Fault::on("/environments").delay(Duration::from_secs(2));
    let (sent, called) = asked(&[keys::ADMIN; 8], slow.clone()).await;
    assert_eq!(sent, 1);
    assert!(called.iter().all(|one| !one.is_error && one.structured == called[0].structured));
    let (sent, _) = asked(&[keys::ADMIN, keys::VIEW_ONLY, keys::ADMIN], slow.clone()).await;
    assert_eq!(sent, 2);
    // What goes wrong is everybody's who waited, and nobody's after that.
    let (sent, called) = asked(&[keys::ADMIN; 8], slow.status(500).times(1)).await;
    assert_eq!(sent, 1);
    assert!(called.iter().all(|one| one.is_error && one.text.contains("500")));
    let again = server.call_as(keys::ADMIN, "list_environments", json!({ "space": "Default" }));
    assert!(!again.await.is_error);
}
