//! Grants of a caller: token scopes, toolsets, instances and spaces.

use std::{collections::BTreeSet, sync::Arc};

use octopus_mcp::{
    access::RequestScope,
    app,
    auth::{Caller, Grants, Identity, TokenScope},
    config::Config,
    mcp::{AdmissionError, McpProvider, OctopusProvider, RequestContext, RequestInfo},
    octopus::Credentials,
    telemetry::Metrics,
};
use octopus_sample::{Sample, keys};
use rmcp::model::{CallToolRequestParams, CallToolResponse, ClientCapabilities, ProtocolVersion};
use serde_json::{Value, json};

use super::grant_set;
use crate::support::serve;

/// The tool provider without HTTP, for grants that no authentication method of these tests can
/// produce.
struct DirectServer {
    tools: OctopusProvider,
    samples: Vec<Sample>,
    _octopus: Vec<octopus_mcp::http::Listening>,
}

fn start_direct(names: &[&str], change: impl FnOnce(&mut Config)) -> DirectServer {
    let mut config = Config::default();
    let samples: Vec<_> = names.iter().map(|_| Sample::new()).collect();
    let octopus: Vec<_> = samples.iter().map(|sample| serve(sample.router())).collect();
    for (name, octopus) in names.iter().zip(&octopus) {
        let instance = octopus_mcp::config::InstanceSettings {
            url: Some(format!("http://{}", octopus.address).parse().unwrap()),
            default: *name == names[0],
            ..octopus_mcp::config::InstanceSettings::default()
        };
        config.instances.insert((*name).to_owned(), instance);
    }
    change(&mut config);
    let tools = app::build_provider(&config, &Metrics::default()).unwrap();
    DirectServer { tools, samples, _octopus: octopus }
}

fn caller(grants: Grants) -> Caller {
    let own = Credentials::api_key(keys::ADMIN).unwrap();
    let caller_identity = Identity { grants, ..Identity::from_octopus_credentials(&own) };
    Caller { identity: Arc::new(caller_identity), own_credentials: Some(own), subject_token: None }
}

fn request_with(grants: Grants, request_scope: RequestScope) -> RequestInfo {
    RequestInfo {
        context: Arc::new(RequestContext::new(caller(grants), request_scope)),
        client: None,
        request_id: None,
        trace_id: None,
        capabilities: ClientCapabilities::default(),
        version: ProtocolVersion::V_2026_07_28,
        can_elicit: false,
        progress: None,
    }
}

impl DirectServer {
    async fn names(&self, grants: Grants) -> BTreeSet<String> {
        let tools = Box::pin(self.tools.tools(request_with(grants, RequestScope::default()))).await;
        tools.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    async fn call(&self, grants: Grants, tool: &'static str, arguments: Value) -> (bool, String) {
        let Value::Object(arguments) = arguments else { panic!("no object") };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        match Box::pin(self.tools.call_tool(params, request_with(grants, RequestScope::default())))
            .await
        {
            Ok(CallToolResponse::Complete(result)) => {
                let json = serde_json::to_value(&result).unwrap();
                let text = json["content"][0]["text"].as_str().unwrap().to_owned();
                (result.is_error != Some(true), text)
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => (false, error.message.into_owned()),
        }
    }
}

#[tokio::test]
async fn token_scope_and_granted_toolsets_limit_tools() {
    let server = start_direct(&["warehouse"], |config| config.tools.read_only = false);
    let all_tools = server.names(Grants::default()).await;
    let read = Grants { scope: TokenScope::Read, ..Grants::default() };
    let readable = server.names(read.clone()).await;
    assert!(all_tools.contains("create_release") && !readable.contains("create_release"));
    assert!(readable.is_subset(&all_tools));
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/releases", "body": {} });
    let (is_ok, message) = server.call(read, "execute", post).await;
    assert!(!is_ok && message.contains("it requires the scope octopus:deploy"), "{message}");
    let tasks = Grants { toolsets: grant_set(&["tasks"]), ..Grants::default() };
    let listed = server.names(tasks.clone()).await;
    assert!(listed.contains("get_task_raw") && !listed.contains("list_projects"));
    let arguments = json!({ "space": "Default" });
    let (is_ok, message) = server.call(tasks, "list_projects", arguments).await;
    assert!(!is_ok && message.starts_with("unknown tool: list_projects. "), "{message}");
}

#[tokio::test]
async fn only_granted_instances_are_visible() {
    let server = start_direct(&["warehouse", "shop", "yard"], |_| {});
    let grants = Grants { instances: grant_set(&["shop", "yard"]), ..Grants::default() };
    let admits = |instance: Option<&str>| {
        let request_scope =
            RequestScope { instance: instance.map(str::to_owned), ..RequestScope::default() };
        server.tools.check_request(&server.tools.resolve(caller(grants.clone()), request_scope))
    };
    assert_eq!(admits(Some("shop")), Ok(()));
    for other in [None, Some("warehouse"), Some("nowhere")] {
        let Err(AdmissionError::NotFound(message)) = admits(other) else { panic!("{other:?}") };
        assert!(message.contains("available: shop, yard."), "{message}");
    }
}

#[tokio::test]
async fn only_granted_spaces_are_accessible() {
    let server = start_direct(&["warehouse"], |_| {});
    let grants = || Grants { spaces: grant_set(&["default"]), ..Grants::default() };
    for (tool, arguments, part) in [
        ("list_projects", json!({ "space": "Spaces-1" }), "Route Planner"),
        ("list_spaces", json!({}), "\"Default\""),
        ("execute", json!({ "method": "GET", "path": "/api/Spaces-1/projects" }), "Projects-2"),
        (
            "execute",
            json!({ "method": "GET", "path": "/api/spaces/default/projects" }),
            "one space",
        ),
        ("read_resource", json!({ "uri": "octopus://spaces/Default" }), "Spaces-1"),
    ] {
        let (_, message) = server.call(grants(), tool, arguments).await;
        assert!(message.contains(part), "{tool}: {message}");
        assert!(!message.contains("Warehouse Systems"), "{tool}: {message}");
    }
    for (tool, arguments) in [
        ("list_projects", json!({ "space": "Warehouse Systems" })),
        ("list_projects", json!({ "space": "Spaces-22" })),
        ("list_projects", json!({ "space": "Nowhere" })),
        ("execute", json!({ "method": "GET", "path": "/api/Spaces-22/projects" })),
        ("read_resource", json!({ "uri": "octopus://spaces/Spaces-22" })),
    ] {
        let (is_ok, message) = server.call(grants(), tool, arguments).await;
        assert!(!is_ok && message.contains("granted: default"), "{tool}: {message}");
    }
    let all = json!({ "method": "GET", "path": "/api/spaces" });
    let (is_ok, message) = server.call(grants(), "execute", all).await;
    assert!(!is_ok, "{message}");
    let listed = server.tools.resources(0, request_with(grants(), RequestScope::default()));
    let resources = Box::pin(listed).await.unwrap();
    let uris: Vec<_> = resources.resources.iter().map(|resource| resource.uri.as_str()).collect();
    assert!(uris.contains(&"octopus://spaces/Default"), "{uris:?}");
    assert!(!uris.iter().any(|uri| uri.contains("Warehouse")), "{uris:?}");
}

/// A granted ID matches only that ID. Otherwise users with permission to rename a space could grant
/// it to themselves.
#[tokio::test]
async fn space_named_like_a_granted_id_is_not_granted() {
    let server = start_direct(&["warehouse"], |_| {});
    let grants = || Grants { spaces: grant_set(&["Spaces-22"]), ..Grants::default() };
    for (key, value) in [("Name", "Spaces-22"), ("Slug", "spaces-22")] {
        server.samples[0].edit("Spaces-1", key, value);
        let arguments = json!({ "space": "Spaces-1" });
        let (is_ok, message) = server.call(grants(), "list_projects", arguments).await;
        assert!(!is_ok && message.contains("granted: Spaces-22"), "{key}: {message}");
        let arguments = json!({ "space": "Spaces-22" });
        let (is_ok, message) = server.call(grants(), "list_environments", arguments).await;
        assert!(is_ok && message.contains("Yard Test"), "{key}: {message}");
    }
}
