//! Headers that repeat arguments (`x-mcp-header`), so that intermediaries can route without parsing
//! bodies.

use std::collections::{BTreeSet, HashMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use octopus_mcp::{access::PinnedArguments, app};
use octopus_sample::keys;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt,
    model::{CallToolRequestParams, ClientConfig, ProtocolVersion},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::json;

use super::{call, rpc};
use crate::support::{Era, TestServer};

/// The arguments that select the target of a call, and their headers.
const ROUTING_ARGUMENTS: [(&str, &str); 6] = [
    ("space", "Space"),
    ("projectId", "Project"),
    ("projectName", "Project"),
    ("environmentId", "Environment"),
    ("tenantId", "Tenant"),
    ("tenant", "Tenant"),
];

#[test]
fn tools_declare_headers_for_routing_arguments_only() {
    let mut seen = BTreeSet::new();
    for entry in
        app::catalog().visible(&app::tool_access(&crate::catalog::all_tools_config()).unwrap())
    {
        let name = entry.metadata.name;
        let forms = [(false, false), (true, false), (true, true)];
        for (space, project) in forms {
            let fixed = PinnedArguments { instance: false, space, project };
            let schema = serde_json::to_value(&entry.listing(fixed, true).input_schema).unwrap();
            let plain = serde_json::to_value(&entry.listing(fixed, false).input_schema).unwrap();
            assert!(!plain.to_string().contains("x-mcp-header"), "{name}");
            let properties = schema["properties"].as_object().unwrap();
            let mut headers = BTreeSet::new();
            for (argument, property) in properties {
                let expected = ROUTING_ARGUMENTS.iter().find(|(routing, _)| routing == argument);
                let header = property.get("x-mcp-header").map(|header| header.as_str().unwrap());
                assert_eq!(header, expected.map(|(_, header)| *header), "{name}.{argument}");
                if let Some(header) = header {
                    assert_eq!(property["type"], "string", "{name}.{argument}");
                    assert!(headers.insert(header.to_ascii_lowercase()), "{name}: {header} twice");
                    seen.insert(argument.clone());
                }
            }
            // The annotation appears only on top-level arguments.
            let below = schema.to_string().matches("x-mcp-header").count();
            assert_eq!(below, headers.len(), "{name}");
        }
    }
    assert_eq!(seen.len(), ROUTING_ARGUMENTS.len(), "{seen:?}");
}

#[tokio::test]
async fn declares_argument_headers_in_modern_era_only() {
    let server = TestServer::start().await;
    let listed = async |era| rpc(&server, era, ("", &[]), "tools/list", json!({})).await.text;
    assert!(listed(Era::Modern).await.contains("x-mcp-header"));
    assert!(!listed(Era::Legacy).await.contains("x-mcp-header"));
}

#[tokio::test]
async fn rejects_headers_that_differ_from_the_body() {
    let server = TestServer::start().await;
    let arguments = json!({ "space": "Default", "projectId": "Route Planner" });
    let tool = "list_releases_for_project";
    let base64 = |text: &str| format!("=?base64?{}?=", BASE64_STANDARD.encode(text));
    let (space, project) = (base64("Default"), base64("Route Planner"));
    for headers in [
        &[("mcp-param-space", "Default"), ("mcp-param-project", "Route Planner")][..],
        &[("mcp-param-space", &space), ("mcp-param-project", &project)],
        &[("Mcp-Param-Space", "Default"), ("MCP-PARAM-PROJECT", "Route Planner")],
    ] {
        let headers: Vec<(&str, &str)> = headers.to_vec();
        let result = call(&server, Era::Modern, ("", &headers), tool, arguments.clone()).await;
        assert_eq!(result["isError"], false, "{headers:?}: {result}");
    }
    for headers in [
        &[("mcp-param-space", "Production")][..],
        &[("mcp-param-space", "default")],
        &[("mcp-param-space", "")],
        &[("mcp-param-space", "=?base64?!!!?=")],
        &[("mcp-param-project", "Parcel Tracking API")],
        &[("mcp-param-project", "Route Planner"), ("mcp-param-project", "Route Planner")],
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let rejected = rpc(&server, Era::Modern, ("", headers), "tools/call", params).await;
        assert_eq!((rejected.status, rejected.error_code()), (400, -32020), "{headers:?}");
    }
    // Without the argument there is no header for it.
    let params = json!({ "name": "list_deployments", "arguments": { "space": "Default" } });
    let extra = &[("mcp-param-environment", "Production")][..];
    let reply = rpc(&server, Era::Modern, ("", extra), "tools/call", params).await;
    assert_eq!(reply.status, 200, "this tool declares no such header");
    let params = json!({ "name": "get_latest_deployment", "arguments": arguments });
    let rejected = rpc(&server, Era::Modern, ("", extra), "tools/call", params).await;
    assert_eq!(
        (rejected.status, rejected.error_code()),
        (400, -32020),
        "a header without its argument is rejected"
    );
}

#[tokio::test]
async fn pinned_arguments_have_no_header() {
    let server = TestServer::start().await;
    let endpoint = ("/i/default/Default/route-planner", &[][..]);
    let params = json!({ "name": "list_releases_for_project", "arguments": {} });
    let reply = rpc(&server, Era::Modern, endpoint, "tools/call", params).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let same = json!({ "space": "Default", "projectId": "Route Planner" });
    let params = json!({ "name": "list_releases_for_project", "arguments": same });
    let headers = [("mcp-param-space", "")];
    let reply = rpc(&server, Era::Modern, (endpoint.0, &headers), "tools/call", params).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn real_client_sends_argument_headers() {
    let server = TestServer::start().await;
    let key = (HeaderName::from_static("x-octopus-apikey"), HeaderValue::from_static(keys::ADMIN));
    let config = StreamableHttpClientTransportConfig::with_uri(server.url.clone())
        .custom_headers(HashMap::from([key]));
    let transport = StreamableHttpClientTransport::with_client(server.http.clone(), config);
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
    let client = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    let listed = client.list_all_tools().await.unwrap();
    // Clients drop tools with an invalid annotation from the list.
    assert_eq!(listed.len(), crate::request_scope::listed_tools(&server, ("", &[])).await.len());
    let arguments = json!({ "space": "Default", "projectId": "Route Planner" });
    let params = CallToolRequestParams::new("list_releases_for_project")
        .with_arguments(arguments.as_object().unwrap().clone());
    let result = client.call_tool(params).await.unwrap();
    assert_ne!(result.is_error, Some(true), "{result:?}");
    client.cancel().await.unwrap();
}
