//! Failures of Octopus as callers see them: the cause, the value, and what to do next.

use std::time::Duration;

use octopus_mcp::config::{ByteSize, DurationSetting};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use crate::support::TestServer;

/// Returns the error of `list_spaces` with this fault.
async fn list_spaces_error(fault: Fault) -> String {
    list_spaces_error_within(Duration::from_secs(30), fault).await
}

/// Returns the error of `list_spaces` with this fault and this timeout for Octopus.
async fn list_spaces_error_within(time: Duration, fault: Fault) -> String {
    let server = TestServer::with(|config| {
        config.octopus.retries = 0;
        config.octopus.timeout = DurationSetting(time);
        config.octopus.response_limit = ByteSize(100_000);
    })
    .await;
    server.sample.faults().add(fault);
    let error = server.call_error("list_spaces", json!({})).await;
    assert!(!error.contains("API-"), "{error}");
    error
}

#[tokio::test]
async fn each_status_has_its_own_error_message() {
    for (status, body, expected) in [
        (
            400,
            r#"{"ErrorMessage":"Bad take","Errors":["take is wrong"]}"#,
            &["rejected the request", "take is wrong"][..],
        ),
        (
            401,
            r#"{"ErrorMessage":"404 not found"}"#,
            &["rejected the credential", "hint:", "expired"],
        ),
        (
            403,
            r#"{"ErrorMessage":"Missing permission: SpaceView"}"#,
            &["lacks a permission", "SpaceView", "administrator"],
        ),
        (409, r#"{"ErrorMessage":"in use"}"#, &["Octopus rejected the request (409)", "in use"]),
        (429, "", &["Octopus rate limit exceeded", "retry in a minute"]),
        (
            500,
            r#"{"ErrorMessage":"oops","FullException":"at Secret.Code()"}"#,
            &["Octopus returned 500: oops", "retry in a moment, or narrow the request"],
        ),
        (
            503,
            "<html>starting</html>",
            &["Octopus returned 503", "retry in a moment, or narrow the request"],
        ),
    ] {
        let error = list_spaces_error(Fault::on("/spaces").status(status).body(body)).await;
        for expected in expected {
            assert!(error.contains(expected), "{status}: {error}");
        }
        assert!(!error.contains("Secret.Code") && !error.contains("<html>"), "{error}");
    }
}

/// An identity-aware proxy or single sign-on answers instead of Octopus.
#[tokio::test]
async fn sign_on_pages_in_front_of_octopus_are_recognized() {
    const LOGIN: &str = "<html><form><input type=\"password\"></form></html>";
    let page = |status: u16, body: &str| {
        Fault::on("/spaces").status(status).header("Content-Type", "text/html").body(body)
    };
    for (fault, received) in [
        (
            Fault::on("/spaces").redirect("https://login.example.com/oauth2/authorize?client_id=x"),
            "redirects to the sign-on page of https://login.example.com",
        ),
        (page(200, LOGIN), "/api/spaces returned 'text/html' with a sign-in page"),
        (page(401, "<html>No.</html>"), "returned 401 with an HTML page"),
        (page(403, LOGIN), "returned 403 with an HTML page"),
    ] {
        let error = list_spaces_error(fault).await;
        for expected in ["a proxy or single sign-on in front of Octopus answered", received] {
            assert!(error.contains(expected), "{expected}: {error}");
        }
        assert!(error.contains("a path to Octopus that bypasses the proxy"), "{error}");
        assert!(!error.contains("client_id") && !error.contains("credential"), "{error}");
    }
}

#[tokio::test]
async fn unexpected_responses_are_reported_with_the_cause() {
    for (fault, expected) in [
        (Fault::on("/spaces").malformed_json(), "unexpected response from Octopus"),
        (Fault::on("/spaces").html(), "check that the URL is the one of Octopus"),
        (Fault::on("/spaces").huge(200_000), "larger than 100000 bytes"),
        (Fault::on("/spaces").endless(), "larger than 100000 bytes"),
        (Fault::on("/spaces").cut_off(), "cannot be reached"),
    ] {
        let error = list_spaces_error(fault).await;
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.contains("hint:"), "{error}");
    }
    let slow = Fault::on("/spaces").delay(Duration::from_mins(1));
    let error = list_spaces_error_within(Duration::from_millis(300), slow).await;
    assert!(error.contains("did not respond within"), "{error}");
}

#[tokio::test]
async fn unreachable_octopus_is_reported_with_its_url() {
    let server = TestServer::with(|config| {
        config.octopus.retries = 0;
        // Nothing listens on a port that was just released.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        config.octopus.url = Some(format!("http://127.0.0.1:{port}").parse().unwrap());
    })
    .await;
    let error = server.call_error("list_spaces", json!({})).await;
    assert!(error.contains("http://127.0.0.1:") && error.contains("cannot be reached"), "{error}");
    assert!(error.contains("octopus.url"), "{error}");
}

#[tokio::test]
async fn transient_read_failures_are_retried() {
    let server = TestServer::start().await;
    for status in [502, 503, 504] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/spaces").status(status).times(1));
        let called = server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
        assert!(!called.is_error, "{status}: {}", called.text);
    }
    server.sample.faults().clear();
    server
        .sample
        .faults()
        .add(Fault::on("/spaces").status(429).header("Retry-After", "0").times(1));
    assert!(!server.call_as(keys::ADMIN, "list_spaces", json!({})).await.is_error);
    server.sample.faults().clear();
    server.sample.faults().add(Fault::on("/spaces").cut_off().times(1));
    assert!(!server.call_as(keys::ADMIN, "list_spaces", json!({})).await.is_error);
}

#[tokio::test]
async fn long_retry_after_is_reported_instead_of_awaited() {
    let server = TestServer::start().await;
    server.sample.faults().add(Fault::on("/spaces").status(429).header("Retry-After", "90"));
    let called = server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(called.text.contains("90 s"), "{}", called.text);
    assert_eq!(server.sample.journal().len(), 1, "the request was not retried");
}

#[tokio::test]
async fn permanent_failures_are_not_retried() {
    let server = TestServer::start().await;
    for status in [400, 401, 403, 404, 409, 500] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("/spaces").status(status));
        server.sample.clear_journal();
        server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
        assert_eq!(server.sample.journal().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn missing_names_are_reported_with_suggestions() {
    let server = TestServer::start().await;
    for (tool, arguments, expected) in [
        (
            "list_projects",
            json!({ "space": "Defolt" }),
            &["space 'Defolt' not found", "'Default'", "list_spaces"][..],
        ),
        (
            "list_releases_for_project",
            json!({ "space": "Default", "projectId": "Parcel Traking API" }),
            &[
                "project 'Parcel Traking API' not found in space 'Default'",
                "'Parcel Tracking API'",
                "list_projects",
            ],
        ),
        (
            "get_release_by_id",
            json!({ "space": "Default", "releaseId": "Releases-999999" }),
            &["release 'Releases-999999' not found in space 'Default'", "list_releases"],
        ),
        (
            "get_release_by_id",
            json!({ "space": "Default", "releaseId": "7" }),
            &["'7' is not a release ID", "Releases-123"],
        ),
        (
            "get_task_by_id",
            json!({ "space": "Default", "taskId": "ServerTasks-1/../../users" }),
            &["is not a task ID", "ServerTasks-123"],
        ),
        (
            "list_projects",
            json!({ "spaec": "Default" }),
            &["unknown argument `spaec`", "did you mean `space`?"],
        ),
        ("list_projects", json!({}), &["space: this argument is required", "list_spaces"]),
        (
            "list_projects",
            json!({ "space": "Default", "take": -1 }),
            &["take: expected a whole number from 0"],
        ),
    ] {
        let error = server.call_error(tool, arguments.clone()).await;
        for expected in expected {
            assert!(error.contains(expected), "{tool} {arguments}: {error}");
        }
    }
}

#[tokio::test]
async fn missing_permission_is_named() {
    let server = TestServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let called = server.call_as(keys::WITHOUT_TASK_VIEW, "get_task_by_id", arguments).await;
    assert!(called.is_error && called.text.contains("TaskView"), "{}", called.text);
    // A missing permission for optional details does not fail the call.
    let arguments = json!({ "space": "Default", "take": 3 });
    let called = server.call_as(keys::WITHOUT_TASK_VIEW, "list_deployments", arguments).await;
    assert!(!called.is_error, "{}", called.text);
    assert_eq!(called.structured["items"].as_array().unwrap().len(), 3);
    assert!(called.structured["items"][0].get("taskState").is_none());
}

#[tokio::test]
async fn hints_name_only_available_tools() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["releases".to_owned()];
    })
    .await;
    let arguments = json!({ "space": "Default", "projectId": "Nothing" });
    let error = server.call_error("list_releases_for_project", arguments).await;
    assert!(!error.contains("list_projects"), "{error}");
}

#[tokio::test]
async fn base_path_of_the_url_is_kept() {
    let sample = Sample::new();
    let nested = axum::Router::new().nest("/octopus", sample.router());
    let octopus = crate::support::serve(nested);
    let server = TestServer::with(|config| {
        config.octopus.url = Some(format!("http://{}/octopus/", octopus.address).parse().unwrap());
    })
    .await;
    let spaces = server.call_ok("list_spaces", json!({})).await;
    assert_eq!(spaces["totalResults"], 2);
    let url = spaces["items"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/octopus/app#/Spaces-1"), "{url}");
}

#[tokio::test]
async fn space_lookup_is_cached_per_caller() {
    let server = TestServer::start().await;
    let looked_up = || {
        let journal = server.sample.journal();
        journal.iter().filter(|entry| entry.path.ends_with("/api/spaces")).count()
    };
    let call = |key, space: &str| {
        let arguments = json!({ "space": space, "take": 1 });
        server.call_as(key, "list_environments", arguments)
    };
    let calls: Vec<_> = (0..10).map(|_| call(keys::ADMIN, "Default")).collect();
    futures::future::join_all(calls).await;
    assert_eq!(looked_up(), 1, "concurrent calls share one lookup");
    call(keys::ADMIN, "DEFAULT").await;
    assert_eq!(looked_up(), 1, "letter case does not matter");
    call(keys::DEFAULT_SPACE_ONLY, "Default").await;
    assert_eq!(looked_up(), 2, "lookups are not shared between callers");
    server.sample.faults().add(Fault::on("/environments").status(404));
    let missing = call(keys::ADMIN, "Nowhere").await;
    assert!(
        missing.is_error && missing.text.contains("space 'Nowhere' not found"),
        "{}",
        missing.text
    );
}
