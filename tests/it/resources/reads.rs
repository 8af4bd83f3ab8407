//! What a read gives: of every template, under every name, whole or cut.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{EACH, document, keys_of, read, start};
use crate::{
    support::{Era, TestServer},
    tools::calls,
};

#[tokio::test]
async fn every_template_reads_by_both_ways() {
    let server = start().await;
    for (name, uri) in EACH {
        let contents = read(&server, uri).await;
        let called =
            server.answer("read_resource", json!({ "uri": uri, "maxBytes": 90_000 })).await;
        assert_eq!(called["mimeType"], contents["mimeType"], "{name}");
        assert_eq!(called["uri"], *uri);
        let text = contents["text"].as_str().unwrap();
        if contents["mimeType"] == "application/json" {
            let document: Value = serde_json::from_str(text).unwrap();
            assert_eq!(called["json"], document, "{name}: not encoded twice");
            assert!(called.get("text").is_none());
            keys_of(&document, &mut |key, value| {
                assert!(!key.eq_ignore_ascii_case("links"), "{name}: {key}");
                assert!(!value.is_null(), "{name}: {key} is null");
                assert!(
                    !key.starts_with(|c: char| c.is_ascii_uppercase()) || key.contains(['-', '.']),
                    "{name}: {key}"
                );
            });
        } else if name == &"catalog-llms-txt" {
            // Too large for either, and each cuts it where its own limit is.
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
async fn how_long_a_resource_holds_depends_on_what_it_is() {
    let server = TestServer::start().await;
    for (uri, kept_for) in [
        ("octopus://api/capabilities", 60_000),
        ("octopus://api/llms.txt", 300_000),
        ("octopus://spaces/Default/tasks/ServerTasks-90004", 0),
    ] {
        let reply = server.ask(Era::Modern, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(reply.json()["result"]["ttlMs"], kept_for, "{uri}");
    }
}

#[tokio::test]
async fn every_address_that_an_answer_names_reads() {
    let server = TestServer::start().await;
    let mut found = 0;
    for (tool, arguments) in calls() {
        let answer = server.call_as(keys::ADMIN, tool, arguments).await.structured;
        let mut uris = Vec::new();
        keys_of(&answer, &mut |key, value| {
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
    assert!(found > 0, "grep_llms_txt names one");
}

#[tokio::test]
async fn names_slugs_ids_and_escapes_lead_to_the_same() {
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
async fn large_documents_are_cut_and_say_so() {
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
    let whole = contents["text"].as_str().unwrap();
    assert!(json!(whole).to_string().len() <= 100 * 1024 && whole.len() > 80 * 1024);
    assert!(
        whole.ends_with("grep_llms_txt searches all of it.]\n"),
        "{}",
        &whole[whole.len() - 99..]
    );
    assert!(document(&server, release).await["truncated"]["fullBytes"].as_u64().unwrap() > 200_000);
    for (max, limit) in [(None, 20 * 1024), (Some(3000), 3000), (Some(500_000), 100 * 1024)] {
        for uri in [catalog, release] {
            let answer =
                server.answer("read_resource", json!({ "uri": uri, "maxBytes": max })).await;
            let size = answer.to_string().len();
            assert!(size <= limit && size > limit * 3 / 4, "{uri}: {size} of {limit}");
            let how = answer["json"]["truncated"]["how"].as_str().or(answer["text"].as_str());
            let how = how.unwrap();
            assert!(how.contains("maxBytes") || how.contains("grep_llms_txt") || limit > 100_000);
            assert!(answer.get("truncated").is_none(), "it is said where it was cut");
        }
    }
}

#[tokio::test]
async fn the_details_of_a_task_are_asked_for_with_a_bound() {
    let server = TestServer::start().await;
    read(&server, "octopus://spaces/Default/tasks/ServerTasks-90004/details").await;
    let asked = server.sample.journal();
    let details = asked.iter().filter(|entry| entry.path.ends_with("/details"));
    let queries: Vec<_> = details.map(|entry| entry.query.as_deref()).collect();
    assert_eq!(queries, [Some("verbose=false&tail=1000"); 2]);
}
