//! A new process replaces the old one under load without losing calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    cli::{ServerProcess, program},
    support::{client, wait_until_some},
};

/// Number of calls; they continue for two seconds after the old process stops accepting
/// connections.
const CALLS: usize = 1400;

fn start() -> ServerProcess {
    let mut command = program(&["--sample", "--listen=127.0.0.1:0"]);
    command
        .env("OCTOPUS_MCP_HTTP__DRAIN_PAUSE", "3s")
        .env("OCTOPUS_MCP_HTTP__DRAIN_TIMEOUT", "10s")
        .env("OCTOPUS_MCP_LIMITS__CALLER_RATE", "0")
        .env("OCTOPUS_MCP_LIMITS__INSTANCE_RATE", "0")
        .env("OCTOPUS_MCP_LIMITS__UNPROVEN_RATE", "0")
        // All calls come from one caller, and the machine may be slow.
        .env("OCTOPUS_MCP_LIMITS__CONCURRENT_REQUESTS", "2000")
        .env("OCTOPUS_MCP_LIMITS__CONCURRENT_CALLS_PER_CALLER", "2000");
    ServerProcess::start(command)
}

/// The ready servers, as a polling load balancer sees them.
type Ready = Arc<Mutex<Vec<String>>>;

async fn poll_readiness(all: Vec<String>, ready: Ready, done: Arc<AtomicBool>) {
    let client = client();
    while !done.load(Ordering::Relaxed) {
        let mut now = Vec::new();
        for url in &all {
            let probe = client.get(url.replace("/mcp", "/readyz")).send().await;
            if probe.is_ok_and(|answer| answer.status() == 200) {
                now.push(url.clone());
            }
        }
        *ready.lock().unwrap() = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_under_load_loses_no_call() {
    let (old, new) = (start(), start());
    let ready = Ready::default();
    let done = Arc::new(AtomicBool::new(false));
    let all = vec![old.url.clone(), new.url.clone()];
    let looking = tokio::spawn(poll_readiness(all, Arc::clone(&ready), Arc::clone(&done)));
    wait_until_some(async || (ready.lock().unwrap().len() == 2).then_some(())).await;

    let (answered, next) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let client = client();
    let mut calls = JoinSet::new();
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    let mut old = Some(old);
    let mut stopping = None;
    for n in 0..CALLS {
        beat.tick().await;
        if n == 400 {
            let old = old.take().unwrap();
            stopping = Some(tokio::task::spawn_blocking(move || old.stop()));
        }
        let url = {
            let ready = ready.lock().unwrap();
            ready[next.fetch_add(1, Ordering::Relaxed) % ready.len()].clone()
        };
        let (client, answered) = (client.clone(), Arc::clone(&answered));
        calls.spawn(async move {
            let body = json!({ "jsonrpc": "2.0", "id": n, "method": "tools/call",
                "params": { "name": "list_spaces", "arguments": {} } });
            let request = client.post(url).header("content-type", "application/json");
            let answer = request.body(body.to_string()).send().await.unwrap();
            let text = answer.text().await.unwrap();
            assert!(text.contains("\"totalResults\":2"), "{n}: {text}");
            answered.fetch_add(1, Ordering::Relaxed);
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_eq!(answered.load(Ordering::Relaxed), CALLS);
    let (code, log) = stopping.unwrap().await.unwrap();
    assert_eq!(code, 0, "{log}");
    assert_eq!(ready.lock().unwrap().join(" "), new.url, "the old process is no longer ready");
    done.store(true, Ordering::Relaxed);
    looking.await.unwrap();
    assert_eq!(new.stop().0, 0);
}
