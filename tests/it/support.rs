//! A whole server on a sample instance of its own, and the two ways of speaking to it.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use octopus_mcp::{
    app::{self, Running},
    config::{Config, Instance, Secret},
    http::{self, Certificates, Listening},
    rules::Clock,
    sample::{Sample, keys},
    tool::Catalog,
};
use serde_json::{Value, json};

/// The two eras of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// With a handshake; here without a session.
    Legacy,
    /// Without a handshake: each request says everything.
    Modern,
}

pub const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];
pub const LEGACY: &str = "2025-11-25";
pub const MODERN: &str = "2026-07-28";

/// Stands in arguments for the address of the sample instance, whose port no test knows.
pub const OCTOPUS: &str = "https://octopus.invalid";

/// A server that runs, and the sample instance that it reaches.
pub struct TestServer {
    /// The sample instance; of several the one that is the default.
    pub sample: Sample,
    pub url: String,
    pub http: reqwest::Client,
    pub running: Option<Running>,
    /// The settings that it was started with.
    pub config: Config,
    octopus: Listening,
    /// The other instances, where there are several.
    others: BTreeMap<String, (Sample, Listening)>,
}

/// What came back over HTTP.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON; of an event stream, the last message.
    pub fn json(&self) -> Value {
        let is_stream = self.header("content-type").starts_with("text/event-stream");
        let text = if is_stream {
            let last = self.text.lines().rev().find_map(|line| line.strip_prefix("data:"));
            last.unwrap_or_else(|| panic!("no event in {:?}", self.text))
        } else {
            &self.text
        };
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the JSON-RPC error.
    pub fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {}", self.text))
    }

    /// The words of the JSON-RPC error.
    pub fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    pub structured: Value,
    pub text: String,
    pub is_error: bool,
    pub meta: Value,
}

impl TestServer {
    /// A server with the usual settings, where each caller brings their own key.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with changed settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Sample::new(), change).await
    }

    /// A server on this sample instance.
    pub async fn on(sample: Sample, change: impl FnOnce(&mut Config)) -> Self {
        let router = sample.router();
        Self::of(Clock::default(), sample, router, change).await
    }

    /// The same, whose rules go by this clock.
    pub async fn by(clock: Clock, sample: Sample, change: impl FnOnce(&mut Config)) -> Self {
        let router = sample.router();
        Self::of(clock, sample, router, change).await
    }

    /// A server on what this router makes of a sample instance.
    pub async fn behind(
        sample: Sample,
        router: axum::Router,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::of(Clock::default(), sample, router, change).await
    }

    async fn of(
        clock: Clock,
        sample: Sample,
        router: axum::Router,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let octopus = serve(router);
        let mut config = Config::default();
        config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.http.drain_timeout = octopus_mcp::config::Period::seconds(2);
        change(&mut config);
        Box::pin(Self::run(clock, config, sample, octopus, BTreeMap::new())).await
    }

    /// A server of several instances with these names, each a sample instance of its own. The
    /// first is the default; callers bring their own keys.
    pub async fn several(names: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        for name in names {
            config.instances.insert((*name).to_owned(), Instance::default());
        }
        config.instances.get_mut(names[0]).unwrap().default = true;
        config.http.drain_timeout = octopus_mcp::config::Period::seconds(2);
        change(&mut config);
        Box::pin(Self::hosting(Clock::default(), config)).await
    }

    /// A server with these settings, each of whose instances is a sample instance of its own.
    pub async fn hosting(clock: Clock, mut config: Config) -> Self {
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.http.admin_listen = None;
        let default = config.default_instance().unwrap().to_owned();
        let mut samples: BTreeMap<String, (Sample, Listening)> = BTreeMap::new();
        for (name, instance) in &mut config.instances {
            let sample = Sample::new();
            let octopus = serve(sample.router());
            instance.url = Some(format!("http://{}", octopus.address).parse().unwrap());
            samples.insert(name.clone(), (sample, octopus));
        }
        let (sample, octopus) = samples.remove(&default).unwrap();
        Box::pin(Self::run(clock, config, sample, octopus, samples)).await
    }

    async fn run(
        clock: Clock,
        config: Config,
        sample: Sample,
        octopus: Listening,
        others: BTreeMap<String, (Sample, Listening)>,
    ) -> Self {
        let tls = config.http.tls.certificate.is_some();
        let running = app::start_by(config.clone(), clock).await.unwrap();
        let url = running.endpoint(tls);
        Self { sample, url, http: client(), running: Some(running), config, octopus, others }
    }

    /// The sample instance that stands behind another instance than the default.
    pub fn other(&self, name: &str) -> &Sample {
        &self.others[name].0
    }

    /// Where another instance than the default listens, as its portal's addresses begin.
    pub fn other_address(&self, name: &str) -> String {
        format!("http://{}", self.others[name].1.address)
    }

    /// Stops another instance than the default; requests to it find nobody.
    pub async fn stop_other(&mut self, name: &str) {
        let (_, listening) = self.others.remove(name).unwrap();
        listening.stop(Duration::ZERO).await;
    }

    /// A server whose callers need no key.
    pub async fn with_configured_key() -> Self {
        Self::with(|config| config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned())))
            .await
    }

    /// The address of the sample instance.
    pub fn octopus(&self) -> String {
        format!("http://{}", self.octopus.address)
    }

    /// Sends a body as it is, with these headers beside the usual ones. A header with an empty
    /// value is left out.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
        self.post_at("", headers, body).await
    }

    /// The same, to this path below `/mcp`.
    pub async fn post_at(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let mut all = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("x-octopus-apikey", keys::ADMIN),
        ];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body);
        for (name, value) in all {
            request = request.header(name, value);
        }
        reply(request).await
    }

    /// Sends a request of the protocol as a client of this era does.
    pub async fn ask(&self, era: Era, method: &str, params: Value) -> Reply {
        self.ask_as(era, keys::ADMIN, method, params).await
    }

    /// The same with this key.
    pub async fn ask_as(&self, era: Era, key: &str, method: &str, params: Value) -> Reply {
        self.ask_at("", &[("x-octopus-apikey", key)], era, method, params).await
    }

    /// The same, to this path below `/mcp`, with these headers beside the usual ones.
    pub async fn ask_at(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        era: Era,
        method: &str,
        mut params: Value,
    ) -> Reply {
        let name =
            ["name", "uri"].iter().find_map(|field| params[*field].as_str().map(str::to_owned));
        let projected = params["name"].as_str().filter(|_| method == "tools/call");
        let projected = projected.map(|tool| projected_headers(tool, &params["arguments"]));
        let projected = projected.unwrap_or_default();
        let mut headers = headers.to_vec();
        match era {
            Era::Legacy => headers.push(("mcp-protocol-version", LEGACY)),
            Era::Modern => {
                headers.extend([("mcp-protocol-version", MODERN), ("mcp-method", method)]);
                if let Some(name) = &name {
                    headers.push(("mcp-name", name));
                }
                let more = projected.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let is_new =
                    |name: &str| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
                let more: Vec<_> = more.filter(|(name, _)| is_new(name)).collect();
                headers.extend(more);
                for (field, value) in meta().as_object().unwrap() {
                    params["_meta"][field] = value.clone();
                }
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.post_at(path, &headers, body.to_string()).await
    }

    /// Calls a tool in both eras, and checks that they agree.
    pub async fn call(&self, tool: &str, arguments: Value) -> Called {
        let legacy = self.call_in(Era::Legacy, keys::ADMIN, tool, arguments.clone()).await;
        let modern = self.call_in(Era::Modern, keys::ADMIN, tool, arguments).await;
        assert_eq!(legacy, modern, "{tool}: the eras differ");
        modern
    }

    /// Calls a tool as the owner of this key does.
    pub async fn call_as(&self, key: &str, tool: &str, arguments: Value) -> Called {
        self.call_in(Era::Modern, key, tool, arguments).await
    }

    /// Calls a tool in one era.
    pub async fn call_in(&self, era: Era, key: &str, tool: &str, arguments: Value) -> Called {
        let octopus = self.octopus();
        let params = json!({ "name": tool, "arguments": arguments }).to_string();
        let params = serde_json::from_str(&params.replace(OCTOPUS, &octopus)).unwrap();
        let reply = self.ask_as(era, key, "tools/call", params).await;
        assert_eq!(reply.status, 200, "{tool}: {}", reply.text);
        let json = reply.json();
        let result = &json["result"];
        assert!(result.is_object(), "{tool}: {}", reply.text);
        if era == Era::Modern {
            assert_eq!(result["resultType"], "complete", "{tool}");
        }
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        let structured = result["structuredContent"].clone();
        let is_error = result["isError"] == true;
        if !is_error {
            let as_text: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(as_text, structured, "{tool}: text and structure differ");
        }
        Called { structured, text, is_error, meta: result["_meta"].clone() }
    }

    /// Calls a tool that answers, in both eras.
    pub async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let called = self.call(tool, arguments).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        called.structured
    }

    /// Calls a tool that fails, in both eras, and gives its words.
    pub async fn failure(&self, tool: &str, arguments: Value) -> String {
        let called = self.call(tool, arguments).await;
        assert!(called.is_error, "{tool}: {}", called.text);
        called.text
    }
}

/// The headers that repeat arguments of a call, as the listing of the tool asks for them.
pub fn projected_headers(tool: &str, arguments: &Value) -> Vec<(String, String)> {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(app::catalog);
    let Some(entry) = CATALOG.named(tool) else { return Vec::new() };
    let properties = entry.model.input_schema["properties"].as_object().unwrap();
    let named = properties.iter().filter_map(|(argument, schema)| {
        let header = schema.get("x-mcp-header")?.as_str().unwrap().to_ascii_lowercase();
        let value = match &arguments[argument] {
            Value::String(text) => text.clone(),
            value if value.is_number() || value.is_boolean() => value.to_string(),
            _ => return None,
        };
        let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
            && value.trim() == value
            && !value.is_empty();
        let value =
            if is_plain { value } else { format!("=?base64?{}?=", BASE64_STANDARD.encode(value)) };
        Some((format!("mcp-param-{header}"), value))
    });
    named.collect()
}

/// What a request of the modern era says of its client.
pub fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// Serves a router on a port of the kernel's choice.
pub fn serve(router: axum::Router) -> Listening {
    serve_with(router, None)
}

/// The same, over TLS where there are certificates.
pub fn serve_with(router: axum::Router, certificates: Option<&Certificates>) -> Listening {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    http::listen(socket, router, certificates, Duration::from_secs(10)).unwrap()
}

/// An HTTP client that no proxy of the environment comes between.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1));
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Sends a request and reads its whole answer.
pub async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Reply { status, headers, text: response.text().await.unwrap() }
}

/// Waits for what must come soon, without a fixed pause.
pub async fn soon<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "it did not come in 20 s");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
