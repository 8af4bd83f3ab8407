//! Failed reads: malformed URIs, disabled toolsets, other spaces, Octopus errors, and the code of
//! each.

use octopus_sample::Fault;
use serde_json::json;

use super::{document, rejected_read};
use crate::support::{ERAS, Era, TestServer};

#[tokio::test]
async fn missing_resources_use_the_error_code_of_the_era() {
    let server = TestServer::start().await;
    server.sample.faults().add(Fault::on("/tasks/ServerTasks-7").status(403));
    for (uri, expected) in [
        ("octopus://nothing", "resource 'octopus://"),
        ("octopus://spaces", "resource 'octopus://"),
        ("octopus://spaces/Default/", "resource 'octopus://"),
        ("octopus://spaces/Default/tasks/ServerTasks-1/log", "resource 'octopus://"),
        ("octopus://spaces/Nowhere", "space 'Nowhere' not found"),
        ("octopus://spaces/Default/releases/Releases-1", "release 'Releases-1' not found"),
        ("octopus://spaces/Default/tasks/ServerTasks-7", "lacks a permission"),
        (
            "octopus://spaces/Default/projects/Projects-1/featuretoggles/none",
            "feature toggle 'none' not found",
        ),
        (
            "octopus://spaces/Default/projects/Projects-2/main/runbooks/none",
            "runbook 'none' not found",
        ),
    ] {
        for (era, code) in [(Era::Legacy, -32002), (Era::Modern, -32602)] {
            let (error_code, message, data) = rejected_read(&server, era, uri).await;
            assert_eq!(error_code, code, "{uri}: {message}");
            assert!(message.contains(expected), "{uri}: {message}");
            assert_eq!(data["uri"], uri);
        }
        let called = server.call_error("read_resource", json!({ "uri": uri })).await;
        assert!(called.contains(expected), "{called}");
    }
}

#[tokio::test]
async fn rejects_malformed_uris_without_upstream_requests() {
    let server = TestServer::start().await;
    let long = format!("octopus://spaces/{}", "x".repeat(4000));
    for uri in [
        "file:///etc/passwd",
        "https://octopus.example/spaces/Default",
        "octopus://spaces/%zz",
        "octopus://spaces/Default/tasks/ServerTasks-1?verbose=true",
        "octopus://spaces/Default/tasks/ServerTasks-1#x",
        "octopus://spaces/Default/tasks/",
        "octopus://spaces/Default/tasks/ServerTasks-1%2F..%2F..%2Fusers",
        "octopus://spaces/Default/tasks/ServerTasks-1%2F..%2F..%2F..%2Fusers%2FUsers-1%2Fapikeys",
        "octopus://spaces/Default/tasks/..%2F..%2Fusers/details",
        "octopus://spaces/Default/tasks/Releases-1",
        "octopus://spaces/Default/releases/Releases-1%00",
        "octopus://spaces/Default/runbooks/Runbooks-1%5C..",
        "octopus://spaces/Default/interruptions/Interruptions-1%3Fx",
        "octopus://spaces/Default/projects/Projects-2/..%2F..%2Fusers/runbooks/x",
        "octopus://spaces/Default/projects/Projects-2/main/runbooks/..%2F..%2Fusers",
        "octopus://spaces/Default/projects/Projects-2/main/runbooks/..%5Cusers",
        &long,
    ] {
        server.sample.clear_journal();
        for era in ERAS {
            let (code, message, _) = rejected_read(&server, era, uri).await;
            assert_eq!(code, -32602, "{uri}: {message}");
        }
        server.call_error("read_resource", json!({ "uri": uri })).await;
        let journal = server.sample.journal();
        assert!(journal.is_empty(), "{uri}: {journal:?}");
    }
    // These kinds need the Octopus version, which is read from the root endpoint only.
    for uri in [
        "octopus://spaces/Default/projects/Projects-1/featuretoggles/..%2F..%2Fusers",
        "octopus://spaces/Default/projects/Projects-1/rolloutgroups/RolloutGroups-1%2F..",
    ] {
        assert_eq!(rejected_read(&server, Era::Legacy, uri).await.0, -32602, "{uri}");
        assert!(server.sample.journal().iter().all(|entry| entry.path == "/api"), "{uri}");
    }
}

#[tokio::test]
async fn octopus_failures_are_internal_errors() {
    let server = TestServer::with(|config| config.octopus.retries = 0).await;
    let uri = "octopus://spaces/Default/tasks/ServerTasks-90004";
    for status in [401, 429, 500, 503] {
        server.sample.faults().clear();
        let fault = Fault::on("/tasks/").status(status).header("Retry-After", "60");
        server.sample.faults().add(fault);
        for era in ERAS {
            let (code, message, data) = rejected_read(&server, era, uri).await;
            assert_eq!(code, -32603, "{status}: {message}");
            assert_eq!(data["uri"], uri);
        }
    }
}

#[tokio::test]
async fn disabled_toolset_has_no_resources() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["releases".to_owned()];
    })
    .await;
    let templates = server.rpc(Era::Modern, "resources/templates/list", json!({})).await.text;
    assert!(templates.contains("{releaseId}") && !templates.contains("{taskId}"), "{templates}");
    let (off, none) = (
        rejected_read(&server, Era::Legacy, "octopus://spaces/Default/tasks/ServerTasks-90004")
            .await,
        rejected_read(&server, Era::Legacy, "octopus://spaces/Default/tosks/ServerTasks-90004")
            .await,
    );
    assert_eq!(off.0, none.0);
    assert_eq!(off.1.replace("tasks", "X"), none.1.replace("tosks", "X"));
}

#[tokio::test]
async fn pinned_space_limits_resource_reads() {
    let server = TestServer::with(|config| {
        config.octopus.space = Some("Default".to_owned());
    })
    .await;
    for own in ["Default", "default", "Spaces-1"] {
        document(&server, &format!("octopus://spaces/{own}/tasks/ServerTasks-90004")).await;
    }
    for other in ["Warehouse%20Systems", "Spaces-22", "Nowhere"] {
        let uri = format!("octopus://spaces/{other}/releases/Releases-9003");
        for era in ERAS {
            let (code, message, _) = rejected_read(&server, era, &uri).await;
            assert_eq!(code, -32602);
            assert!(message.contains("is limited to the space 'Default'"), "{message}");
        }
    }
    let listed = server.rpc(Era::Modern, "resources/list", json!({})).await.text;
    assert!(listed.contains("octopus://spaces/Default") && !listed.contains("Warehouse"));
}
