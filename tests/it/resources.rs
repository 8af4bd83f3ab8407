//! Resources, in both eras: lists, templates, reads, and what is refused in which code.

use octopus_mcp::sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::{
    commands::{Serving, program},
    support::{ERAS, Era, TestServer, client, reply, serve},
    tools::calls,
};

/// An address of each template that reads.
pub const EACH: &[(&str, &str)] = &[
    ("release", "octopus://spaces/Default/releases/Releases-9003"),
    ("runbook", "octopus://spaces/Default/runbooks/Runbooks-1"),
    (
        "runbook-git",
        "octopus://spaces/Default/projects/route-planner/main/runbooks/rebuild-route-cache",
    ),
    ("task", "octopus://spaces/Default/tasks/ServerTasks-90004"),
    ("task-details", "octopus://spaces/Default/tasks/ServerTasks-90004/details"),
    ("interruption", "octopus://spaces/Default/interruptions/Interruptions-1"),
    ("featureToggle", "octopus://spaces/Default/projects/Projects-1/featuretoggles/eta-window"),
    ("rolloutGroup", "octopus://spaces/Default/projects/Projects-1/rolloutgroups/RolloutGroups-3"),
    ("catalog-llms-txt", "octopus://api/llms.txt"),
    ("catalog-capabilities", "octopus://api/capabilities"),
    ("space", "octopus://spaces/Default"),
];

async fn start() -> TestServer {
    let server = TestServer::start().await;
    interruption(&server);
    server
}

/// One interruption, whatever others the sample instance has.
pub fn interruption(server: &TestServer) {
    let body = json!({ "Id": "Interruptions-1", "Title": "Approve", "Links": { "Self": "/x" },
        "Form": { "Values": { "Result": null }, "Elements": [{ "Name": "Notes", "Links": {} }] } });
    let fault = Fault::on("/interruptions/Interruptions-1").body(&body.to_string());
    server.sample.trouble().add(fault);
}

async fn read(server: &TestServer, uri: &str) -> Value {
    let mut both = Vec::new();
    for era in ERAS {
        let reply = server.ask(era, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(reply.status, 200, "{uri}: {}", reply.text);
        let json = reply.json();
        let result = &json["result"];
        assert_eq!(result["contents"].as_array().map(Vec::len), Some(1), "{uri}: {json}");
        if era == Era::Modern {
            assert_eq!(result["cacheScope"], "private", "{uri}");
            assert!(result["ttlMs"].is_u64(), "{uri}");
        }
        both.push(result["contents"][0].clone());
    }
    assert_eq!(both[0], both[1], "{uri}: the eras differ");
    assert_eq!(both[0]["uri"], uri);
    assert_eq!(both[0]["_meta"]["ifc"]["integrity"], "untrusted");
    both.swap_remove(0)
}

async fn document(server: &TestServer, uri: &str) -> Value {
    let contents = read(server, uri).await;
    assert_eq!(contents["mimeType"], "application/json", "{uri}");
    serde_json::from_str(contents["text"].as_str().unwrap()).unwrap()
}

/// The code, the message and the data of a read that is refused, by era.
async fn refused(server: &TestServer, era: Era, uri: &str) -> (i64, String, Value) {
    let reply = server.ask(era, "resources/read", json!({ "uri": uri })).await;
    (reply.code(), reply.message(), reply.json()["error"]["data"].clone())
}

fn keys_of(value: &Value, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys_of(item, look)),
        Value::Object(object) => object.iter().for_each(|(key, item)| {
            look(key, item);
            keys_of(item, look);
        }),
        _ => {}
    }
}

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
async fn what_is_listed_is_what_reads() {
    let server = start().await;
    for era in ERAS {
        let templates = server.ask(era, "resources/templates/list", json!({})).await.json();
        let templates = templates["result"]["resourceTemplates"].as_array().unwrap().clone();
        let resources = server.ask(era, "resources/list", json!({})).await.json();
        let resources = resources["result"]["resources"].as_array().unwrap().clone();
        for entry in templates.iter().chain(&resources) {
            assert!(entry["title"].is_string() && entry["mimeType"].is_string(), "{entry}");
        }
        let mut names: Vec<&str> =
            templates.iter().chain(&resources).map(|e| e["name"].as_str().unwrap()).collect();
        for (name, _) in EACH {
            assert!(names.contains(name), "{name}");
        }
        // It is another after each call, so it has tests of its own.
        names
            .retain(|name| !EACH.iter().any(|(known, _)| known == name) && *name != "caller-calls");
        assert_eq!(names, ["Default", "Warehouse Systems"]);
        for resource in &resources {
            read(&server, resource["uri"].as_str().unwrap()).await;
        }
    }
    let seen = server.ask_as(Era::Modern, keys::WAREHOUSE_SPACE_ONLY, "resources/list", json!({}));
    let seen = seen.await.text;
    assert!(seen.contains("Warehouse") && !seen.contains("spaces/Default"), "{seen}");
}

#[tokio::test]
async fn the_size_of_the_catalog_is_told_once_it_is_known_to_this_caller() {
    let server = TestServer::start().await;
    let size = async |key| {
        let listed = server.ask_as(Era::Modern, key, "resources/list", json!({})).await.json();
        let listed = listed["result"]["resources"].as_array().unwrap().clone();
        let catalog = listed.iter().find(|r| r["uri"] == "octopus://api/llms.txt").cloned();
        catalog.unwrap()["size"].as_u64()
    };
    assert_eq!(size(keys::ADMIN).await, None);
    read(&server, "octopus://api/llms.txt").await;
    assert!(size(keys::ADMIN).await.unwrap() > 20);
    assert_eq!(size(keys::DEFAULT_SPACE_ONLY).await, None);
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
async fn what_is_not_there_is_told_in_the_code_of_the_era() {
    let server = TestServer::start().await;
    server.sample.trouble().add(Fault::on("/tasks/ServerTasks-7").status(403));
    for (uri, words) in [
        ("octopus://nothing", "there is no resource"),
        ("octopus://spaces", "there is no resource"),
        ("octopus://spaces/Default/", "there is no resource"),
        ("octopus://spaces/Default/tasks/ServerTasks-1/log", "there is no resource"),
        ("octopus://spaces/Nowhere", "there is no space 'Nowhere'"),
        ("octopus://spaces/Default/releases/Releases-1", "there is no release 'Releases-1'"),
        ("octopus://spaces/Default/tasks/ServerTasks-7", "may not do this"),
        (
            "octopus://spaces/Default/projects/Projects-1/featuretoggles/none",
            "there is no feature toggle 'none'",
        ),
        (
            "octopus://spaces/Default/projects/Projects-2/main/runbooks/none",
            "there is no runbook 'none'",
        ),
    ] {
        for (era, code) in [(Era::Legacy, -32002), (Era::Modern, -32602)] {
            let (told, message, data) = refused(&server, era, uri).await;
            assert_eq!(told, code, "{uri}: {message}");
            assert!(message.contains(words), "{uri}: {message}");
            assert_eq!(data["uri"], uri);
        }
        let called = server.failure("read_resource", json!({ "uri": uri })).await;
        assert!(called.contains(words), "{called}");
    }
}

#[tokio::test]
async fn what_is_no_address_is_an_invalid_parameter_and_asks_nobody() {
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
            let (code, message, _) = refused(&server, era, uri).await;
            assert_eq!(code, -32602, "{uri}: {message}");
        }
        server.failure("read_resource", json!({ "uri": uri })).await;
        let asked = server.sample.journal();
        assert!(asked.is_empty(), "{uri}: {asked:?}");
    }
    // These need a version, which is read from the root and nowhere else.
    for uri in [
        "octopus://spaces/Default/projects/Projects-1/featuretoggles/..%2F..%2Fusers",
        "octopus://spaces/Default/projects/Projects-1/rolloutgroups/RolloutGroups-1%2F..",
    ] {
        assert_eq!(refused(&server, Era::Legacy, uri).await.0, -32602, "{uri}");
        assert!(server.sample.journal().iter().all(|entry| entry.path == "/api"), "{uri}");
    }
}

#[tokio::test]
async fn trouble_of_octopus_is_no_fault_of_the_address() {
    let server = TestServer::with(|config| config.octopus.retries = 0).await;
    let uri = "octopus://spaces/Default/tasks/ServerTasks-90004";
    for status in [401, 429, 500, 503] {
        server.sample.trouble().clear();
        let fault = Fault::on("/tasks/").status(status).header("Retry-After", "60");
        server.sample.trouble().add(fault);
        for era in ERAS {
            let (code, message, data) = refused(&server, era, uri).await;
            assert_eq!(code, -32603, "{status}: {message}");
            assert_eq!(data["uri"], uri);
        }
    }
}

#[tokio::test]
async fn a_toolset_that_is_off_has_no_resources() {
    let server = TestServer::with(|config| {
        config.tools.toolsets.0 = vec!["releases".to_owned()];
    })
    .await;
    let templates = server.ask(Era::Modern, "resources/templates/list", json!({})).await.text;
    assert!(templates.contains("{releaseId}") && !templates.contains("{taskId}"), "{templates}");
    let (off, none) = (
        refused(&server, Era::Legacy, "octopus://spaces/Default/tasks/ServerTasks-90004").await,
        refused(&server, Era::Legacy, "octopus://spaces/Default/tosks/ServerTasks-90004").await,
    );
    assert_eq!(off.0, none.0);
    assert_eq!(off.1.replace("tasks", "X"), none.1.replace("tosks", "X"));
}

#[tokio::test]
async fn where_a_space_is_fixed_no_other_can_be_read() {
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
            let (code, message, _) = refused(&server, era, &uri).await;
            assert_eq!(code, -32602);
            assert!(message.contains("works in the space 'Default' alone"), "{message}");
        }
    }
    let listed = server.ask(Era::Modern, "resources/list", json!({})).await.text;
    assert!(listed.contains("octopus://spaces/Default") && !listed.contains("Warehouse"));
}

#[tokio::test]
async fn large_documents_are_cut_and_say_so() {
    let server = TestServer::start().await;
    let lines = (0..9000).map(|n| format!("- `GET` \"/api/{n}\" \u{e9}\n"));
    let text = lines.collect::<Vec<_>>().concat();
    let fault = Fault::on("llms.txt").header("Content-Type", "text/markdown").body(&text);
    server.sample.trouble().add(fault);
    let notes = "a long note, ".repeat(20_000);
    let release = json!({ "Id": "Releases-9003", "ReleaseNotes": notes, "Links": {} });
    server.sample.trouble().add(Fault::on("Releases-9003").body(&release.to_string()));
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
async fn capabilities_say_what_there_is() {
    let server = TestServer::start().await;
    server.sample.trouble().add(
        Fault::on("featuresconfiguration")
            .body(r#"{"Id":"features","IsInsightsEnabled":true,"Links":{}}"#),
    );
    let told = document(&server, "octopus://api/capabilities").await;
    assert!(told["server"]["version"].is_string() && told["server"]["installationId"].is_string());
    assert_eq!(told["session"]["readOnlyMode"], true);
    assert_eq!(told["session"]["allowDeletes"], false);
    assert_eq!(told["featureFlags"], json!({ "id": "features", "isInsightsEnabled": true }));
    let toolsets = told["session"]["enabledToolsets"].as_array().unwrap();
    assert!(toolsets.len() == 15 && toolsets.is_sorted_by_key(|name| name.as_str().unwrap()));
    let tools = told["tools"].as_array().unwrap();
    assert!(tools.is_sorted_by_key(|tool| tool["name"].as_str().unwrap()));
    let listed = server.ask(Era::Modern, "tools/list", json!({})).await.json();
    assert_eq!(tools.len(), listed["result"]["tools"].as_array().unwrap().len());
    let live = tools.iter().find(|tool| tool["name"] == "get_kubernetes_live_status").unwrap();
    assert_eq!(
        live,
        &json!({ "name": "get_kubernetes_live_status", "toolset": "kubernetes",
        "readOnly": true, "minimumOctopusVersion": "2025.3" })
    );
    for status in [403, 404, 500] {
        server.sample.trouble().clear();
        server.sample.trouble().add(Fault::on("featuresconfiguration").status(status));
        let told = document(&server, "octopus://api/capabilities").await;
        assert!(told.get("featureFlags").is_none(), "{status}");
    }
    let server = TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
    })
    .await;
    let told = document(&server, "octopus://api/capabilities").await;
    let modes = (&told["session"]["allowDeletes"], &told["session"]["confirm"]);
    assert_eq!(modes, (&json!(true), &json!("code")));
    let writes = told["tools"].as_array().unwrap().iter().filter(|t| t["readOnly"] == false);
    assert!(writes.count() >= 3);
}

#[tokio::test]
async fn what_an_old_instance_lacks_is_not_listed_and_says_why() {
    let server = TestServer::on(Sample::with_version("2024.4.1"), |_| {}).await;
    for era in ERAS {
        let tools = server.ask(era, "tools/list", json!({})).await.text;
        assert!(tools.contains("list_spaces") && !tools.contains("get_kubernetes_live_status"));
        let templates = server.ask(era, "resources/templates/list", json!({})).await.text;
        assert!(templates.contains("{taskId}") && !templates.contains("featuretoggles"));
        let resources = server.ask(era, "resources/list", json!({})).await.text;
        assert!(resources.contains("capabilities") && !resources.contains("llms.txt"));
    }
    let arguments = json!({ "space": "Default", "projectId": "x", "environmentId": "y" });
    let said = server.failure("get_kubernetes_live_status", arguments).await;
    assert!(said.contains("needs Octopus 2025.3 or later; this instance is 2024.4.1"), "{said}");
    let (code, said, _) = refused(&server, Era::Legacy, "octopus://api/llms.txt").await;
    assert_eq!(code, -32002);
    assert!(said.contains("needs Octopus 2026.2.3916 or later"), "{said}");
    let told = document(&server, "octopus://api/capabilities").await;
    let tools = told["tools"].as_array().unwrap();
    let live = tools.iter().find(|tool| tool["name"] == "get_kubernetes_live_status").unwrap();
    assert_eq!(live["available"], false);
    assert!(live["reason"].as_str().unwrap().contains("needs Octopus 2025.3 or later"));
}

#[tokio::test]
async fn where_the_version_cannot_be_read_everything_is_listed() {
    let server = TestServer::with(|config| config.octopus.retries = 0).await;
    server.sample.trouble().add(Fault::on("/").status(503));
    for era in ERAS {
        let tools = server.ask(era, "tools/list", json!({})).await.text;
        assert!(tools.contains("get_kubernetes_live_status") && tools.contains("grep_llms_txt"));
        let resources = server.ask(era, "resources/list", json!({})).await.text;
        assert!(resources.contains("octopus://api/llms.txt"), "{resources}");
    }
}

/// Reads and refusals leave one line each: whose they were, of what kind and how they ended, with
/// nothing of the address or the contents.
#[tokio::test]
async fn a_read_leaves_a_line_in_the_log() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    sample.trouble().add(Fault::on("/tasks/ServerTasks-90005").status(500));
    let url = format!("http://{}", octopus.address);
    let arguments = ["--listen=127.0.0.1:0", "--server-url", &url, "--log-format=json"];
    let mut command = program(&arguments);
    command.env("OCTOPUS_MCP_AUTH__MODE", "octopus").env("OCTOPUS_MCP_OCTOPUS__RETRIES", "0");
    let serving = Serving::start(command);
    let http = client();
    for uri in [
        "octopus://spaces/Default/releases/Releases-9003",
        "octopus://spaces/Default/releases/Releases-1",
        "octopus://nothing/Confidential",
        "octopus://spaces/Default/tasks/ServerTasks-90005",
    ] {
        let params = json!({ "uri": uri });
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params });
        reply(http.post(&serving.url).header("x-octopus-apikey", keys::ADMIN).json(&body)).await;
    }
    let (_, log) = serving.stop();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("every line is one")).collect();
    let read: Vec<&Value> = lines.iter().filter(|line| line.get("resource").is_some()).collect();
    let told: Vec<Value> =
        read.iter().map(|line| json!([line["level"], line["message"], line["resource"]])).collect();
    let expected = [
        json!(["INFO", "read", "release"]),
        json!(["INFO", "read refused", "release"]),
        json!(["INFO", "read refused", "unknown"]),
        json!(["WARN", "read failed", "task"]),
    ];
    assert_eq!(told, expected, "{log}");
    for line in read {
        let caller = line["caller"].as_str().unwrap();
        assert!(caller.starts_with("API key ") && caller.len() == 16, "never the key: {caller}");
        assert!(line["elapsed_ms"].is_number(), "{line}");
    }
    assert!(!log.contains("Releases-9003"), "{log}");
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
