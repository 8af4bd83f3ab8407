//! Resource lists and templates.

use octopus_sample::keys;
use serde_json::json;

use super::{SAMPLE_URIS, read, start};
use crate::support::{ERAS, Era, TestServer};

#[tokio::test]
async fn every_listed_resource_is_readable() {
    let server = start().await;
    for era in ERAS {
        let templates = server.rpc(era, "resources/templates/list", json!({})).await.json();
        let templates = templates["result"]["resourceTemplates"].as_array().unwrap().clone();
        let resources = server.rpc(era, "resources/list", json!({})).await.json();
        let resources = resources["result"]["resources"].as_array().unwrap().clone();
        for entry in templates.iter().chain(&resources) {
            assert!(entry["title"].is_string() && entry["mimeType"].is_string(), "{entry}");
        }
        let mut names: Vec<&str> =
            templates.iter().chain(&resources).map(|e| e["name"].as_str().unwrap()).collect();
        for (name, _) in SAMPLE_URIS {
            assert!(names.contains(name), "{name}");
        }
        // Its content changes with each call, so it has tests of its own.
        names.retain(|name| {
            !SAMPLE_URIS.iter().any(|(known, _)| known == name) && *name != "caller-calls"
        });
        assert_eq!(names, ["Default", "Warehouse Systems"]);
        for resource in &resources {
            read(&server, resource["uri"].as_str().unwrap()).await;
        }
    }
    let seen = server.rpc_as(Era::Modern, keys::WAREHOUSE_SPACE_ONLY, "resources/list", json!({}));
    let seen = seen.await.text;
    assert!(seen.contains("Warehouse") && !seen.contains("spaces/Default"), "{seen}");
}

#[tokio::test]
async fn catalog_size_is_listed_after_the_first_read() {
    let server = TestServer::start().await;
    let size = async |key| {
        let listed = server.rpc_as(Era::Modern, key, "resources/list", json!({})).await.json();
        let listed = listed["result"]["resources"].as_array().unwrap().clone();
        let catalog = listed.iter().find(|r| r["uri"] == "octopus://api/llms.txt").cloned();
        catalog.unwrap()["size"].as_u64()
    };
    assert_eq!(size(keys::ADMIN).await, None);
    read(&server, "octopus://api/llms.txt").await;
    assert!(size(keys::ADMIN).await.unwrap() > 20);
    assert_eq!(size(keys::DEFAULT_SPACE_ONLY).await, None);
}
