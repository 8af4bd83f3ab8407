//! The capabilities document, and resources that an old instance does not support.

use octopus_sample::{Fault, Sample};
use serde_json::json;

use super::{document, rejected_read};
use crate::support::{ERAS, Era, TestServer};

#[tokio::test]
async fn capabilities_list_tools_toolsets_and_version() {
    let server = TestServer::start().await;
    server.sample.faults().add(
        Fault::on("featuresconfiguration")
            .body(r#"{"Id":"features","IsInsightsEnabled":true,"Links":{}}"#),
    );
    let capabilities = document(&server, "octopus://api/capabilities").await;
    assert!(
        capabilities["server"]["version"].is_string()
            && capabilities["server"]["installationId"].is_string()
    );
    assert_eq!(capabilities["session"]["readOnlyMode"], true);
    assert_eq!(capabilities["session"]["allowDeletes"], false);
    assert_eq!(
        capabilities["featureFlags"],
        json!({ "id": "features", "isInsightsEnabled": true })
    );
    let toolsets = capabilities["session"]["enabledToolsets"].as_array().unwrap();
    assert!(toolsets.len() == 15 && toolsets.is_sorted_by_key(|name| name.as_str().unwrap()));
    let tools = capabilities["tools"].as_array().unwrap();
    assert!(tools.is_sorted_by_key(|tool| tool["name"].as_str().unwrap()));
    let listed = server.rpc(Era::Modern, "tools/list", json!({})).await.json();
    assert_eq!(tools.len(), listed["result"]["tools"].as_array().unwrap().len());
    let live = tools.iter().find(|tool| tool["name"] == "get_kubernetes_live_status").unwrap();
    assert_eq!(
        live,
        &json!({ "name": "get_kubernetes_live_status", "toolset": "kubernetes",
        "readOnly": true, "minimumOctopusVersion": "2025.3" })
    );
    for status in [403, 404, 500] {
        server.sample.faults().clear();
        server.sample.faults().add(Fault::on("featuresconfiguration").status(status));
        let capabilities = document(&server, "octopus://api/capabilities").await;
        assert!(capabilities.get("featureFlags").is_none(), "{status}");
    }
    let server = TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
    })
    .await;
    let capabilities = document(&server, "octopus://api/capabilities").await;
    let modes = (&capabilities["session"]["allowDeletes"], &capabilities["session"]["confirm"]);
    assert_eq!(modes, (&json!(true), &json!("code")));
    let writes =
        capabilities["tools"].as_array().unwrap().iter().filter(|t| t["readOnly"] == false);
    assert!(writes.count() >= 3);
}

#[tokio::test]
async fn unsupported_resources_are_not_listed() {
    let server = TestServer::with_sample(Sample::with_version("2024.4.1"), |_| {}).await;
    for era in ERAS {
        let tools = server.rpc(era, "tools/list", json!({})).await.text;
        assert!(tools.contains("list_spaces") && !tools.contains("get_kubernetes_live_status"));
        let templates = server.rpc(era, "resources/templates/list", json!({})).await.text;
        assert!(templates.contains("{taskId}") && !templates.contains("featuretoggles"));
        let resources = server.rpc(era, "resources/list", json!({})).await.text;
        assert!(resources.contains("capabilities") && !resources.contains("llms.txt"));
    }
    let arguments = json!({ "space": "Default", "projectId": "x", "environmentId": "y" });
    let message = server.call_error("get_kubernetes_live_status", arguments).await;
    assert!(
        message.contains("needs Octopus 2025.3 or later; this instance is 2024.4.1"),
        "{message}"
    );
    let (code, message, _) = rejected_read(&server, Era::Legacy, "octopus://api/llms.txt").await;
    assert_eq!(code, -32002);
    assert!(message.contains("needs Octopus 2026.2.3916 or later"), "{message}");
    let capabilities = document(&server, "octopus://api/capabilities").await;
    let tools = capabilities["tools"].as_array().unwrap();
    let live = tools.iter().find(|tool| tool["name"] == "get_kubernetes_live_status").unwrap();
    assert_eq!(live["available"], false);
    assert!(live["reason"].as_str().unwrap().contains("needs Octopus 2025.3 or later"));
}

#[tokio::test]
async fn unknown_version_lists_everything() {
    let server = TestServer::with(|config| config.octopus.retries = 0).await;
    server.sample.faults().add(Fault::on("/").status(503));
    for era in ERAS {
        let tools = server.rpc(era, "tools/list", json!({})).await.text;
        assert!(tools.contains("get_kubernetes_live_status") && tools.contains("grep_llms_txt"));
        let resources = server.rpc(era, "resources/list", json!({})).await.text;
        assert!(resources.contains("octopus://api/llms.txt"), "{resources}");
    }
}
