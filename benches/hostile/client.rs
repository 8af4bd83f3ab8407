//! The hostile caller, and the caller who pings meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

const PROTOCOL: &str = "2025-11-25";
/// Time between two pings. A caller may make 600 requests a minute.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a ping is awaited. One without an answer counts as one that took so long.
const LONGEST_PING: Duration = Duration::from_secs(10);

/// A caller with an API key.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: &'static str,
}

/// What became of a call.
pub struct Outcome {
    pub took: Duration,
    /// Bytes of the structured answer.
    pub answer: usize,
    pub is_error: bool,
}

impl Client {
    pub fn new(url: &str, key: &'static str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, url: url.to_owned(), key }
    }

    async fn send(&self, method: &str, params: &Value) -> Option<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", PROTOCOL)
            .header("x-octopus-apikey", self.key)
            .body(body.to_string());
        let text = request.send().await.ok()?.text().await.ok()?;
        // Of an event stream the last message.
        let last = text.lines().rev().find_map(|line| line.strip_prefix("data:"));
        serde_json::from_str(last.unwrap_or(&text)).ok()
    }

    pub async fn call(&self, call: &Value) -> Outcome {
        let started = Instant::now();
        let answer = self.send("tools/call", call).await.unwrap_or_default();
        let result = &answer["result"];
        let structured = &result["structuredContent"];
        let is_error = structured.is_null() || result["isError"] == true;
        let answer = if structured.is_null() { 0 } else { structured.to_string().len() };
        Outcome { took: started.elapsed(), answer, is_error }
    }
}

/// Pings from a thread with a runtime of its own, so that nothing else in this process delays it.
pub struct Pinger {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Pings>,
}

/// How long the pings took, and how many had no answer.
#[derive(Default)]
pub struct Pings {
    pub answered: Vec<Duration>,
    pub failed: usize,
}

impl Pinger {
    /// Starts once the first ping was answered: the connection is there then.
    pub fn start(url: &str, key: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = Client::new(url, key);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut pings = Pings::default();
                let _ = client.send("ping", &json!({})).await;
                ready.send(()).unwrap();
                loop {
                    let started = Instant::now();
                    let params = json!({});
                    let pong = client.send("ping", &params);
                    match tokio::time::timeout(LONGEST_PING, pong).await {
                        Err(_) => pings.answered.push(LONGEST_PING),
                        Ok(Some(pong)) if pong["result"].is_object() => {
                            pings.answered.push(started.elapsed());
                        }
                        _ => pings.failed += 1,
                    }
                    if stopped.load(Ordering::Relaxed) {
                        return pings;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            })
        });
        is_ready.recv().unwrap();
        Self { stop, thread }
    }

    pub fn stop(self) -> Pings {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
