//! List methods in both eras.

use serde_json::{Value, json};

use crate::support::{Era, TestServer};

#[tokio::test]
async fn lists_are_served_with_the_fields_of_the_era() {
    let server = TestServer::start().await;
    for (method, list) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let modern = server.rpc(Era::Modern, method, json!({})).await.json();
        assert!(modern["result"][list].is_array(), "{method}: {modern}");
        assert!(modern["result"]["ttlMs"].as_u64().unwrap() >= 60_000, "{method}");
        assert_eq!(modern["result"]["cacheScope"], "private", "{method}");
        assert_eq!(modern["result"]["resultType"], "complete", "{method}");
        let legacy = server.rpc(Era::Legacy, method, json!({})).await.json();
        // Legacy revisions have no headers that repeat arguments.
        let mut both = modern["result"][list].clone();
        for tool in both.as_array_mut().unwrap() {
            let properties = tool.pointer_mut("/inputSchema/properties");
            for property in properties.and_then(Value::as_object_mut).into_iter().flatten() {
                property.1.as_object_mut().unwrap().shift_remove("x-mcp-header");
            }
        }
        assert_eq!(legacy["result"][list], both, "{method}");
        for odd in ["ttlMs", "cacheScope", "resultType"] {
            assert!(legacy["result"].get(odd).is_none(), "{method}: {odd} in {legacy}");
        }
        let paged = server.rpc(Era::Modern, method, json!({ "cursor": "x" })).await;
        assert_eq!(paged.error_code(), -32602, "{method}");
    }
}
