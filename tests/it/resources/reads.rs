//! Contents of resource reads: every template, every identifier form, complete or truncated.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{SAMPLE_URIS, document, read, start, visit_keys};
use crate::{
    support::{Era, TestServer},
    tools::sample_calls,
};

#[tokio::test]
async fn read_resource_tool_and_method_return_the_same() {
    let server = start().await;
    for (name, uri) in SAMPLE_URIS {
        let contents = read(&server, uri).await;
        let called =
            server.call_ok("read_resource", json!({ "uri": uri, "maxBytes": 90_000 })).await;
        assert_eq!(called["mimeType"], contents["mimeType"], "{name}");
        assert_eq!(called["uri"], *uri);
        let text = contents["text"].as_str().unwrap();
        if contents["mimeType"] == "application/json" {
            let document: Value = serde_json::from_str(text).unwrap();
            assert_eq!(called["json"], document, "{name}: JSON is not encoded as text");
            assert!(called.get("text").is_none());
            visit_keys(&document, &mut |key, value| {
                assert!(!key.eq_ignore_ascii_case("links"), "{name}: {key}");
                assert!(!value.is_null(), "{name}: {key} is null");
                assert!(
                    !key.starts_with(|c: char| c.is_ascii_uppercase()) || key.contains(['-', '.']),
                    "{name}: {key}"
                );
            });
        } else if name == &"catalog-llms-txt" {
            // The document exceeds both limits, and each of the two reads truncates it at its own
            // limit.
            let shorter = called["text"].as_str().unwrap();
            let (begins, notice) = shorter.rsplit_once("\n[").unwrap();
            assert!(text.starts_with(begins.trim_end()) && begins.len() > 70_000);
            assert!(notice.ends_with("grep_llms_txt searches all of it.]\n"), "{notice}");
        } else {
            assert_eq!(called["text"], text, "{name}");
        }
    }
}

#[tokio::test]
async fn resource_ttl_depends_on_its_kind() {
    let server = TestServer::start().await;
    for (uri, kept_for) in [
        ("octopus://api/capabilities", 60_000),
        ("octopus://api/llms.txt", 300_000),
        ("octopus://spaces/Default/tasks/ServerTasks-90004", 0),
    ] {
        let reply = server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(reply.json()["result"]["ttlMs"], kept_for, "{uri}");
    }
}

#[tokio::test]
async fn every_resource_uri_in_answers_is_readable() {
    let server = TestServer::start().await;
    let mut found = 0;
    for (tool, arguments) in sample_calls() {
        let answer = server.call_as(keys::ADMIN, tool, arguments).await.structured;
        let mut uris = Vec::new();
        visit_keys(&answer, &mut |key, value| {
            if key.ends_with("esourceUri") {
                uris.push(value.as_str().unwrap().to_owned());
            }
        });
        uris.truncate(3);
        for uri in uris {
            found += 1;
            read(&server, &uri).await;
        }
    }
    assert!(found > 0, "the answer of grep_llms_txt has a resource URI");
}

#[tokio::test]
async fn names_slugs_ids_and_escapes_are_equivalent() {
    let server = TestServer::start().await;
    let by_name = document(&server, "octopus://spaces/Warehouse%20Systems").await;
    assert_eq!(by_name["id"], "Spaces-22");
    for other in ["warehouse-systems", "Spaces-22", "WAREHOUSE%20SYSTEMS"] {
        assert_eq!(document(&server, &format!("octopus://spaces/{other}")).await, by_name);
    }
    let default = document(&server, "octopus://spaces/Default").await;
    assert!(default["counts"]["projects"].as_u64().unwrap() > 3, "{default}");
    assert!(default["url"].as_str().unwrap().contains("/app#/Spaces-1"));
    let toggle = |project: &str| {
        format!("octopus://spaces/Default/projects/{project}/featuretoggles/eta-window")
    };
    let by_id = document(&server, &toggle("Projects-1")).await;
    assert_eq!(document(&server, &toggle("Parcel%20Tracking%20API")).await, by_id);
    let branch = "octopus://spaces/Default/projects/Projects-2/feature%2Felectric-vans/runbooks/rebuild-route-cache";
    assert_eq!(document(&server, branch).await["slug"], "rebuild-route-cache");
}

#[tokio::test]
async fn large_documents_are_truncated_with_a_note() {
    let server = TestServer::start().await;
    let lines = (0..9000).map(|n| format!("- `GET` \"/api/{n}\" \u{e9}\n"));
    let text = lines.collect::<Vec<_>>().concat();
    let fault = Fault::on("llms.txt").header("Content-Type", "text/markdown").body(&text);
    server.sample.faults().add(fault);
    let notes = "a long note, ".repeat(20_000);
    let release = json!({ "Id": "Releases-9003", "ReleaseNotes": notes, "Links": {} });
    server.sample.faults().add(Fault::on("Releases-9003").body(&release.to_string()));
    let (catalog, release) =
        ("octopus://api/llms.txt", "octopus://spaces/Default/releases/Releases-9003");
    let contents = read(&server, catalog).await;
    let complete = contents["text"].as_str().unwrap();
    assert!(json!(complete).to_string().len() <= 100 * 1024 && complete.len() > 80 * 1024);
    assert!(
        complete.ends_with("grep_llms_txt searches all of it.]\n"),
        "{}",
        &complete[complete.len() - 99..]
    );
    assert!(document(&server, release).await["truncated"]["fullBytes"].as_u64().unwrap() > 200_000);
    for (max, limit) in [(None, 20 * 1024), (Some(3000), 3000), (Some(500_000), 100 * 1024)] {
        for uri in [catalog, release] {
            let answer =
                server.call_ok("read_resource", json!({ "uri": uri, "maxBytes": max })).await;
            let size = answer.to_string().len();
            assert!(size <= limit && size > limit * 3 / 4, "{uri}: {size} of {limit}");
            let how = answer["json"]["truncated"]["how"].as_str().or(answer["text"].as_str());
            let how = how.unwrap();
            assert!(how.contains("maxBytes") || how.contains("grep_llms_txt") || limit > 100_000);
            assert!(
                answer.get("truncated").is_none(),
                "the note is at the truncated part, not at the top"
            );
        }
    }
}

#[tokio::test]
async fn task_details_are_requested_with_a_limit() {
    let server = TestServer::start().await;
    read(&server, "octopus://spaces/Default/tasks/ServerTasks-90004/details").await;
    let journal = server.sample.journal();
    let details = journal.iter().filter(|entry| entry.path.ends_with("/details"));
    let queries: Vec<_> = details.map(|entry| entry.query.as_deref()).collect();
    assert_eq!(queries, [Some("verbose=false&tail=1000"); 2]);
}
