//! Three replicas as separate processes, and their clients.

use std::collections::BTreeMap;

use octopus_mcp::http::Listening;
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{SEAL_KEY, proxy::Proxy};
use crate::{
    cli::{ServerProcess, program},
    rate_limits::redis::Redis,
    sessions::{MessageStream, initialize_request},
    support::{
        LEGACY_VERSION, MODERN_VERSION, argument_headers, client, modern_meta, serve,
        wait_until_some,
    },
};

/// Three server processes, their shared services, and the proxy in front of them.
pub struct Fleet {
    pub sample: Sample,
    _octopus: Listening,
    _redis: Redis,
    _folder: TempDir,
    pub replicas: BTreeMap<String, ServerProcess>,
    proxy: Proxy,
    http: reqwest::Client,
}

/// The protocol variant of a client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClientKind<'a> {
    Modern,
    /// An earlier revision, without a session.
    Stateless,
    /// An earlier revision, with this session.
    Session(&'a str),
}

impl Fleet {
    pub async fn start(sessions: &str, rate: (u32, u32)) -> Self {
        let (sample, redis) = (Sample::new(), Redis::start().await);
        let octopus = serve(sample.router());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        let settings = format!(
            "[octopus]
url = \"http://{}\"
[http]
listen = \"127.0.0.1:0\"
sessions = \"{sessions}\"
[tools]
read_only = false
seal_key = \"{SEAL_KEY}\"
[limits]
store = \"{}\"
store_timeout = \"5s\"
caller_rate = {}
caller_burst = {}
",
            octopus.address,
            redis.url(),
            rate.0,
            rate.1
        );
        std::fs::write(&file, settings).unwrap();
        let mut replicas = BTreeMap::new();
        // Start the processes on other threads: the store proxy runs on this thread, and each
        // process connects to it at startup.
        let starting = [(); 3].map(|()| {
            let command = program(&["--config", file.to_str().unwrap()]);
            tokio::task::spawn_blocking(|| ServerProcess::start(command))
        });
        for serving in futures::future::try_join_all(starting).await.unwrap() {
            let address = serving.url.trim_start_matches("http://").trim_end_matches("/mcp");
            replicas.insert(address.to_owned(), serving);
        }
        let addresses: Vec<String> = replicas.keys().cloned().collect();
        let proxy = Proxy::start(&addresses).await;
        Self {
            sample,
            _octopus: octopus,
            _redis: redis,
            _folder: folder,
            replicas,
            proxy,
            http: client(),
        }
    }

    /// Kills a replica like a machine failure. Returns after its port is closed.
    pub async fn kill(&mut self, address: &str) {
        drop(self.replicas.remove(address).unwrap());
        wait_until_some(async || TcpStream::connect(address).await.is_err().then_some(())).await;
    }

    fn request(
        &self,
        kind: ClientKind<'_>,
        method: &str,
        mut params: Value,
    ) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .post(&self.proxy.url)
            .header("accept", "application/json, text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN);
        match kind {
            ClientKind::Stateless => {
                request = request.header("mcp-protocol-version", LEGACY_VERSION);
            }
            ClientKind::Session(id) => {
                request = request.header("mcp-protocol-version", LEGACY_VERSION);
                request = request.header("mcp-session-id", id);
            }
            ClientKind::Modern => {
                request = request.header("mcp-protocol-version", MODERN_VERSION);
                request = request.header("mcp-method", method);
                if let Some(name) = params["name"].as_str() {
                    request = request.header("mcp-name", name);
                    for (name, value) in argument_headers(name, &params["arguments"]) {
                        request = request.header(name, value);
                    }
                }
                for (field, value) in modern_meta().as_object().unwrap() {
                    params["_meta"][field] = value.clone();
                }
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        request.json(&body)
    }

    /// Calls a tool, and returns its stream or answer with the address of the replica that served
    /// it.
    pub async fn call(
        &self,
        kind: ClientKind<'_>,
        tool: &str,
        arguments: &Value,
    ) -> (ToolReply, String) {
        let params =
            json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": "p" } });
        let response = self.request(kind, "tools/call", params).send().await.unwrap();
        assert_eq!(response.status(), 200, "{kind:?} {tool}");
        let replica = response.headers()["x-replica"].to_str().unwrap().to_owned();
        // The last address served the request; the addresses before it did not accept the
        // connection.
        let replica = replica.rsplit(", ").next().unwrap().to_owned();
        let is_stream = response.headers()["content-type"] == "text/event-stream";
        let reply = if is_stream {
            ToolReply::Stream(MessageStream::of(response))
        } else {
            ToolReply::Answer(response.json().await.unwrap())
        };
        (reply, replica)
    }

    pub async fn session(&self) -> String {
        let request = self.http.post(&self.proxy.url).header("x-octopus-apikey", keys::ADMIN);
        let request = request.header("accept", "application/json, text/event-stream");
        let initialized =
            request.json(&initialize_request(&json!({ "elicitation": {} }))).send().await.unwrap();
        assert_eq!(initialized.status(), 200);
        let session = initialized.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        initialized.text().await.unwrap();
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.notify(&session, &ready).await, 202);
        session
    }

    /// Sends a notification or response on a session and returns the HTTP status.
    pub async fn notify(&self, session: &str, message: &Value) -> u16 {
        let request = self
            .http
            .post(&self.proxy.url)
            .header("accept", "application/json, text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", LEGACY_VERSION)
            .header("mcp-session-id", session);
        request.json(message).send().await.unwrap().status().as_u16()
    }
}

pub enum ToolReply {
    Answer(Value),
    Stream(MessageStream),
}

impl ToolReply {
    /// Returns the next message other than progress, and the number of progress messages before it.
    pub async fn next(&mut self) -> (Value, usize) {
        let mut progress = 0;
        loop {
            let message = match self {
                Self::Answer(answer) => answer.clone(),
                Self::Stream(messages) => {
                    messages.next().await.expect("the stream has another message")
                }
            };
            if message["method"] != "notifications/progress" {
                return (message, progress);
            }
            progress += 1;
        }
    }
}
