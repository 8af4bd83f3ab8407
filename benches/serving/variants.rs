//! The compared variants: calls through the complete server, and plain handlers that do the same
//! work.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use octopus_mcp::{
    access::InstanceRateLimit,
    app,
    compute::ComputePool,
    config::{Config, HttpSettings, LimitSettings},
    http::{self, Auth, HttpState, Listening, RateLimits, Readiness},
    mcp::{McpProvider, Protocol, ProtocolSettings, RequestContext, RequestInfo},
    octopus::{ApiPath, Client, Credentials, ResponseMemory, Session},
    store::Store,
    telemetry::Metrics,
};
use octopus_sample::{Sample, keys};
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
        ServerConfig, Tool,
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const MODERN: &str = "2026-07-28";

/// One kind of request.
pub struct Variant {
    pub name: &'static str,
    /// The name of the plain handler that does the same work.
    pub baseline: &'static str,
    request: reqwest::RequestBuilder,
}

impl Variant {
    pub async fn send(&self) {
        let answer = self.request.try_clone().unwrap().send().await.unwrap();
        let status = answer.status();
        let body = answer.bytes().await.unwrap();
        assert!(status.is_success() && body.len() > 10, "{status}: {body:?}");
    }
}

/// A provider with one tool that does nothing, so that only protocol and listener remain.
struct EmptyProvider;

impl McpProvider for EmptyProvider {
    fn info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn tools(&self, _: RequestInfo) -> Vec<Tool> {
        Vec::new()
    }

    fn tool(&self, _: &str, _: Option<&RequestContext>) -> Option<Tool> {
        None
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestInfo,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into())
    }
}

/// Returns all variants, and the listeners that serve them.
pub fn all() -> (Vec<Variant>, Vec<Listening>) {
    let octopus = serve(Sample::new().router());
    let mut config = Config::default();
    config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    let client = Client::new(
        "default",
        config.octopus.url.clone().unwrap(),
        &config.octopus,
        &Metrics::default(),
        &ComputePool::new(0, config.limits.compute_time.0),
        &ResponseMemory::new(config.limits.bytes_in_flight.0),
    )
    .unwrap();

    let tools = app::build_provider(&config, &Metrics::default()).unwrap();
    let product = serve(http::router(&state(&config, Auth::Octopus), protocol(tools)));
    let nothing = serve(http::router(&state(&config, Auth::Open), protocol(EmptyProvider)));
    let plain = serve(plain_handlers(client));

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |listening: &Listening, path: &str| format!("http://{}{path}", listening.address);
    let (product_url, nothing_url) = (url(&product, "/mcp"), url(&nothing, "/mcp"));
    let variant = |name, against, url: &str, era, method: &str, params: Value| Variant {
        name,
        baseline: against,
        request: request(&http, url, era, method, params),
    };
    let spaces = || json!({ "name": "list_spaces", "arguments": {} });
    let modern = Some(MODERN);
    let variants = vec![
        variant(
            "plain axum, nothing",
            "plain axum, nothing",
            &url(&plain, "/nothing"),
            None,
            "x",
            json!({}),
        ),
        variant(
            "a call that does nothing, 2026-07-28",
            "plain axum, nothing",
            &nothing_url,
            modern,
            "tools/call",
            json!({ "name": "nothing" }),
        ),
        variant(
            "a call that does nothing, 2025-11-25",
            "plain axum, nothing",
            &nothing_url,
            None,
            "tools/call",
            json!({ "name": "nothing" }),
        ),
        variant(
            "plain axum, one GET from Octopus",
            "plain axum, one GET from Octopus",
            &url(&plain, "/spaces"),
            None,
            "x",
            json!({}),
        ),
        variant(
            "list_spaces, 2026-07-28",
            "plain axum, one GET from Octopus",
            &product_url,
            modern,
            "tools/call",
            spaces(),
        ),
        variant(
            "list_spaces, 2025-11-25",
            "plain axum, one GET from Octopus",
            &product_url,
            None,
            "tools/call",
            spaces(),
        ),
        variant(
            "tools/list of 16 tools, 2026-07-28",
            "plain axum, nothing",
            &product_url,
            modern,
            "tools/list",
            json!({}),
        ),
    ];
    (variants, vec![octopus, product, nothing, plain])
}

fn state(config: &Config, auth: Auth) -> HttpState {
    // High rates, so that counting is measured but never delays a request.
    let many = 1_000_000_000;
    let limits = LimitSettings {
        caller_rate: many,
        caller_burst: many,
        instance_rate: many,
        instance_burst: many,
        unproven_rate: many,
        unproven_burst: many,
        ..config.limits.clone()
    };
    let store = Store::in_memory();
    let rates = RateLimits::new(
        &limits,
        config.default_instance(),
        &store,
        InstanceRateLimit::new(&limits, &store),
    );
    HttpState::new(&config.http, &limits, rates, auth, Readiness::default(), None)
}

fn protocol<O: McpProvider>(offering: O) -> Protocol<O> {
    let call_timeout = Duration::from_mins(1);
    let local = None;
    Protocol::new(
        offering,
        ProtocolSettings {
            call_timeout,
            stop: CancellationToken::default(),
            local_caller: local,
            sessions: false,
            metrics: Metrics::default(),
        },
    )
}

/// Handlers that do the same work without the server's layers, through the same Octopus client.
fn plain_handlers(client: Client) -> Router {
    let credentials = Credentials::api_key(keys::ADMIN).unwrap();
    let session = Session::new(client, credentials.clone(), credentials.fingerprint(), None);
    let spaces = async move |_: Json<Value>| {
        let page: Value = session.get(&ApiPath::new(["spaces"]).query("take", 30)).await.unwrap();
        Json(page)
    };
    Router::new()
        .route("/nothing", post(async |_: Json<Value>| Json(json!({ "result": "done" }))))
        .route("/spaces", post(spaces))
}

fn serve(router: Router) -> Listening {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    http::listen(socket, router, None, &HttpSettings::default()).unwrap()
}

/// Builds a request like those of real clients.
pub fn request(
    http: &reqwest::Client,
    url: &str,
    era: Option<&str>,
    method: &str,
    mut params: Value,
) -> reqwest::RequestBuilder {
    let mut request = http
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("x-octopus-apikey", keys::ADMIN);
    if let Some(version) = era {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        request = request.header("mcp-protocol-version", version).header("mcp-method", method);
        if let Some(name) = params["name"].as_str() {
            request = request.header("mcp-name", name);
        }
        if let Some(space) = params["arguments"]["space"].as_str() {
            request = request.header("mcp-param-space", space);
        }
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    request.body(body.to_string())
}
