//! Branches, tags and commits in `gitRef`, with every form of names that Octopus accepts.

use octopus_sample::{Fault, GitNames, Sample};
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, column};
use crate::{
    approval::{ApprovalFixture, ApprovalFlow},
    support::{Era, TestServer},
};

const PROJECT: &str = "Route Planner";
/// Head of the branch `feature/electric-vans`, whose process has four steps.
const BRANCH: &str = "feature/electric-vans";
const FLOW: ApprovalFlow = ApprovalFlow::ConfirmCode(Era::Modern);

async fn server_with(names: GitNames) -> CheckedServer {
    let sample = Sample::new().with_git_names(names);
    let server = TestServer::with_sample(sample, |config| config.tools.read_only = false).await;
    CheckedServer { server }
}

/// Returns the hash of a commit of the project.
async fn commit(server: &CheckedServer) -> String {
    let release = json!({ "space": "Default", "releaseId": "Releases-9003" });
    let release = server.call_ok_once("get_release_by_id", release).await;
    release["versionControlReference"]["gitCommit"].as_str().unwrap().to_owned()
}

/// Returns given references and the full references that they mean: branches, tags, a commit.
async fn references(server: &CheckedServer) -> Vec<(String, String)> {
    let commit = commit(server).await;
    let mut rows: Vec<(String, String)> = [
        ("main", "refs/heads/main"),
        (BRANCH, "refs/heads/feature/electric-vans"),
        ("refs/heads/maintenance/2.5", "refs/heads/maintenance/2.5"),
        ("v2.6.0", "refs/tags/v2.6.0"),
        ("refs/tags/v2.6.0", "refs/tags/v2.6.0"),
    ]
    .map(|(given, full)| (given.to_owned(), full.to_owned()))
    .to_vec();
    rows.push((commit.clone(), commit));
    rows
}

#[tokio::test]
async fn read_tools_find_references_in_every_name_form() {
    for names in [GitNames::Both, GitNames::Short, GitNames::Full] {
        let server = server_with(names).await;
        for (given, full) in references(&server).await {
            let arguments = json!({ "space": "Default", "projectId": PROJECT, "gitRef": given });
            for tool in ["get_deployment_process", "get_variables"] {
                let found = server.call_ok_once(tool, arguments.clone()).await;
                assert_eq!(found["gitRef"], full.as_str(), "{tool} {given} {names:?}");
            }
            let runbooks = server.call_ok_once("find_runbooks", arguments).await;
            let references = column(&runbooks, "gitRef");
            assert!(references.iter().all(|one| *one == full), "{given} {names:?} {references:?}");
            assert!(!references.is_empty(), "{given} {names:?}");
        }
    }
}

#[tokio::test]
async fn write_tools_send_references_found_in_every_name_form() {
    for names in [GitNames::Both, GitNames::Short, GitNames::Full] {
        let server = server_with(names).await;
        let references = references(&server).await;
        let fixture = ApprovalFixture { server: server.server, key: octopus_sample::keys::ADMIN };
        for (number, (given, full)) in references.into_iter().enumerate() {
            let release = json!({
                "space": "Default", "projectName": PROJECT, "gitRef": given,
                "releaseVersion": format!("9.0.{number}"),
            });
            let run = json!({
                "space": "Default", "projectName": PROJECT, "gitRef": given,
                "runbookName": "rebuild-route-cache", "environmentNames": ["Staging"],
            });
            for (tool, arguments) in [("create_release", release), ("run_runbook", run)] {
                let outcome = fixture.call(FLOW, tool, &arguments).await;
                let (preview, token) = outcome.expect_approval_request();
                assert!(preview.contains(&full), "{tool} {given} {names:?}: {preview}");
                fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
                let sent = fixture.sent_changes().pop().unwrap();
                let body = sent.body.unwrap();
                assert_eq!(body["GitRef"], full.as_str(), "{tool} {given} {names:?}");
            }
        }
    }
}

#[tokio::test]
async fn one_failing_look_up_does_not_abort_the_others() {
    let server = server_with(GitNames::Both).await;
    let commit = commit(&server).await;
    let read = async |given: &str| {
        let arguments = json!({ "space": "Default", "projectId": PROJECT, "gitRef": given });
        server
            .server
            .call_as(octopus_sample::keys::ADMIN, "get_deployment_process", arguments)
            .await
    };
    for (failing, given, full) in [
        ("/git/branches/", "v2.6.0", "refs/tags/v2.6.0"),
        ("/git/branches/", commit.as_str(), commit.as_str()),
        ("/git/tags/", commit.as_str(), commit.as_str()),
        ("/git/tags/", "main", "refs/heads/main"),
        ("/git/commits/", "main", "refs/heads/main"),
        ("/git/branches/main", "main", "refs/heads/main"),
    ] {
        server.server.sample.faults().add(Fault::on(failing).status(500));
        let found = read(given).await;
        assert!(!found.is_error, "{failing} {given}: {}", found.text);
        assert_eq!(found.structured["gitRef"], full, "{failing} {given}");
        server.server.sample.faults().clear();
    }
    server.server.sample.faults().add(Fault::on("/git/branches/").status(500));
    let found = read("mainn").await;
    assert!(found.is_error && found.text.contains("Octopus returned 500"), "{}", found.text);
}

#[tokio::test]
async fn lists_find_references_that_no_look_up_finds() {
    let server = server_with(GitNames::Both).await;
    for path in ["/git/branches/", "/git/tags/", "/git/commits/"] {
        server.server.sample.faults().add(Fault::on(path).status(404));
    }
    for (given, full) in [("main", "refs/heads/main"), ("v2.6.0", "refs/tags/v2.6.0")] {
        let arguments = json!({ "space": "Default", "projectId": PROJECT, "gitRef": given });
        let found = server.call_ok("get_deployment_process", arguments).await;
        assert_eq!(found["gitRef"], full, "{given}");
    }
}

#[tokio::test]
async fn missing_document_at_existing_branch_suggests_no_branch() {
    let server = server_with(GitNames::Both).await;
    let missing = "refs%2Fheads%2Fmain/deploymentprocesses";
    server.server.sample.faults().add(Fault::on(missing).status(404));
    let arguments = json!({ "space": "Default", "projectId": PROJECT, "gitRef": "main" });
    let message = server.call_error("get_deployment_process", arguments).await;
    assert!(message.contains("at the Git reference 'refs/heads/main' not found"), "{message}");
    assert!(!message.contains("did you mean"), "{message}");
}

#[tokio::test]
async fn unknown_references_suggest_tags_and_never_themselves() {
    let server = server_with(GitNames::Short).await;
    for (given, near) in [("v2.6", "'v2.6.0'"), ("Mainn", "'main'")] {
        let arguments = json!({ "space": "Default", "projectId": PROJECT, "gitRef": given });
        let message = server.call_error("get_deployment_process", arguments).await;
        assert!(message.contains(near), "{given}: {message}");
        assert!(!message.contains(&format!("? '{given}'")), "{given}: {message}");
    }
}

#[tokio::test]
async fn commit_bodies_need_no_hash_field() {
    let server = server_with(GitNames::Both).await;
    let hash = "59d550fbdf82b83619a72fdbd331cc8fa3cb2f3c";
    let bodies: [Value; 3] = [
        json!({ "Name": hash, "CanonicalName": hash }),
        json!({ "Hash": hash }),
        json!({ "Hash": null, "Name": null, "CanonicalName": hash }),
    ];
    for body in bodies {
        server.mock_response("/git/commits/", &body);
        server.mock_response("/deploymentprocesses", &json!({ "Id": "x", "Steps": [] }));
        let arguments =
            json!({ "space": "Default", "projectId": PROJECT, "gitRef": hash[..9].to_owned() });
        let found = server.call_ok("get_deployment_process", arguments).await;
        assert_eq!(found["gitRef"], hash, "{body}");
        server.server.sample.faults().clear();
    }
}
