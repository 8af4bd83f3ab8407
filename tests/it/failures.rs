//! Every way in which Octopus can fail, as a caller sees it: what was wrong, with which value, and
//! what to do next.

use std::time::Duration;

use octopus_mcp::config::{ByteSize, Period};
use octopus_sample::{Fault, Sample, keys};
use serde_json::json;

use crate::support::TestServer;

/// Calls `list_spaces` while Octopus misbehaves so.
async fn said(fault: Fault) -> String {
    said_within(Duration::from_secs(30), fault).await
}

/// The same where Octopus has this long to answer.
async fn said_within(time: Duration, fault: Fault) -> String {
    let server = TestServer::with(|config| {
        config.octopus.retries = 0;
        config.octopus.timeout = Period(time);
        config.octopus.response_limit = ByteSize(100_000);
    })
    .await;
    server.sample.faults().add(fault);
    let said = server.failure("list_spaces", json!({})).await;
    assert!(!said.contains("API-"), "{said}");
    said
}

#[tokio::test]
async fn each_status_has_its_own_words() {
    for (status, body, words) in [
        (
            400,
            r#"{"ErrorMessage":"Bad take","Errors":["take is wrong"]}"#,
            &["refuses", "take is wrong"][..],
        ),
        (
            401,
            r#"{"ErrorMessage":"404 not found"}"#,
            &["does not accept this credential", "hint:", "expired"],
        ),
        (
            403,
            r#"{"ErrorMessage":"Missing permission: SpaceView"}"#,
            &["may not", "SpaceView", "administrator"],
        ),
        (409, r#"{"ErrorMessage":"in use"}"#, &["409", "in use"]),
        (429, "", &["rate", "wait a minute"]),
        (
            500,
            r#"{"ErrorMessage":"oops","FullException":"at Secret.Code()"}"#,
            &["500", "oops", "in a moment"],
        ),
        (503, "<html>starting</html>", &["503", "in a moment"]),
    ] {
        let said = said(Fault::on("/spaces").status(status).body(body)).await;
        for words in words {
            assert!(said.contains(words), "{status}: {said}");
        }
        assert!(!said.contains("Secret.Code") && !said.contains("<html>"), "{said}");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_octopus_is_told_as_such() {
    for (fault, words) in [
        (Fault::on("/spaces").malformed_json(), "does not look like one of Octopus"),
        (Fault::on("/spaces").html(), "is the URL that of Octopus"),
        (Fault::on("/spaces").huge(200_000), "larger than 100000 bytes"),
        (Fault::on("/spaces").endless(), "larger than 100000 bytes"),
        (Fault::on("/spaces").cut_off(), "cannot be reached"),
    ] {
        let said = said(fault).await;
        assert!(said.contains(words), "{words}: {said}");
        assert!(said.contains("hint:"), "{said}");
    }
    let late = Fault::on("/spaces").delay(Duration::from_mins(1));
    let said = said_within(Duration::from_millis(300), late).await;
    assert!(said.contains("did not answer within"), "{said}");
}

#[tokio::test]
async fn an_octopus_that_is_away_is_told_with_its_address() {
    let server = TestServer::with(|config| {
        config.octopus.retries = 0;
        // Nothing listens on a port that was just given back.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        config.octopus.url = Some(format!("http://127.0.0.1:{port}").parse().unwrap());
    })
    .await;
    let said = server.failure("list_spaces", json!({})).await;
    assert!(said.contains("http://127.0.0.1:") && said.contains("cannot be reached"), "{said}");
    assert!(said.contains("octopus.url"), "{said}");
}

#[tokio::test]
async fn reads_that_fail_for_a_moment_are_tried_again() {
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
async fn a_wait_that_is_too_long_is_told_and_not_waited_for() {
    let server = TestServer::start().await;
    server.sample.faults().add(Fault::on("/spaces").status(429).header("Retry-After", "90"));
    let called = server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(called.text.contains("90 s"), "{}", called.text);
    assert_eq!(server.sample.journal().len(), 1, "it was not asked again");
}

#[tokio::test]
async fn what_is_refused_for_good_is_asked_once() {
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
async fn things_that_are_not_there_are_named_with_what_is_near() {
    let server = TestServer::start().await;
    for (tool, arguments, words) in [
        (
            "list_projects",
            json!({ "space": "Defolt" }),
            &["no space 'Defolt'", "'Default'", "list_spaces"][..],
        ),
        (
            "list_releases_for_project",
            json!({ "space": "Default", "projectId": "Parcel Traking API" }),
            &[
                "no project 'Parcel Traking API' in space 'Default'",
                "'Parcel Tracking API'",
                "list_projects",
            ],
        ),
        (
            "get_release_by_id",
            json!({ "space": "Default", "releaseId": "Releases-999999" }),
            &["no release 'Releases-999999' in space 'Default'", "list_releases"],
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
            &["no argument `spaec`", "perhaps `space`"],
        ),
        ("list_projects", json!({}), &["space: this argument is required", "list_spaces"]),
        ("list_projects", json!({ "space": "Default", "take": -1 }), &["take"]),
    ] {
        let said = server.failure(tool, arguments.clone()).await;
        for words in words {
            assert!(said.contains(words), "{tool} {arguments}: {said}");
        }
    }
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let server = TestServer::start().await;
    let arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let called = server.call_as(keys::WITHOUT_TASK_VIEW, "get_task_by_id", arguments).await;
    assert!(called.is_error && called.text.contains("TaskView"), "{}", called.text);
    // What only lacks names still answers.
    let arguments = json!({ "space": "Default", "take": 3 });
    let called = server.call_as(keys::WITHOUT_TASK_VIEW, "list_deployments", arguments).await;
    assert!(!called.is_error, "{}", called.text);
    assert_eq!(called.structured["items"].as_array().unwrap().len(), 3);
    assert!(called.structured["items"][0].get("taskState").is_none());
}

#[tokio::test]
async fn hints_name_only_tools_that_are_on() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["releases".to_owned()];
    })
    .await;
    let arguments = json!({ "space": "Default", "projectId": "Nothing" });
    let said = server.failure("list_releases_for_project", arguments).await;
    assert!(!said.contains("list_projects"), "{said}");
}

#[tokio::test]
async fn a_virtual_directory_is_kept() {
    let sample = Sample::new();
    let nested = axum::Router::new().nest("/octopus", sample.router());
    let octopus = crate::support::serve(nested);
    let server = TestServer::with(|config| {
        config.octopus.url = Some(format!("http://{}/octopus/", octopus.address).parse().unwrap());
    })
    .await;
    let spaces = server.answer("list_spaces", json!({})).await;
    assert_eq!(spaces["totalResults"], 2);
    let url = spaces["items"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/octopus/app#/Spaces-1"), "{url}");
}

#[tokio::test]
async fn the_space_is_looked_up_once_for_each_caller() {
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
    assert_eq!(looked_up(), 1, "callers at one moment share one look-up");
    call(keys::ADMIN, "DEFAULT").await;
    assert_eq!(looked_up(), 1, "letter case does not matter");
    call(keys::DEFAULT_SPACE_ONLY, "Default").await;
    assert_eq!(looked_up(), 2, "another caller is looked up for themselves");
    server.sample.faults().add(Fault::on("/environments").status(404));
    let misses = call(keys::ADMIN, "Nowhere").await;
    assert!(misses.is_error);
}
