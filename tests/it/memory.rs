//! Memory: large Octopus responses and large requests, at the limit of the shipped deployments.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::IntoResponse,
};
use futures::{StreamExt, future::join_all, stream};
use octopus_mcp::config::{ByteSize, Config, DurationSetting};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    cli::{ServerProcess, program},
    support::{TestServer, client, serve, wait_until_some},
};

/// The memory limit in deploy/: kubernetes, helm, ecs, compose.
const SHIPPED_LIMIT_KIB: u64 = 512 * 1024;
const MIB: usize = 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
/// Slightly below `execute_limit`.
const LARGE_BODY_BYTES: usize = 8 * MIB - 3 * CHUNK_BYTES;
/// Responses pause at this byte until all have started.
const PAUSE_AT: usize = LARGE_BODY_BYTES - CHUNK_BYTES;
/// The notes of a release. A debug build parses many values slowly, so it gets few large values.
const NOTES: usize = if cfg!(debug_assertions) { 32 * 1024 } else { 0 };
/// Number of concurrent calls: the limit of one caller.
const CONCURRENT_CALLS: usize = 64;

/// Returns a page of releases with this many bytes of JSON, in items like those of Octopus.
fn page(bytes: usize, notes: usize) -> Bytes {
    let mut page = r#"{"ItemType":"Release","Items":["#.to_owned();
    while page.len() < bytes {
        let number = page.len();
        let item = json!({ "Id": format!("Releases-{number}"), "Version": format!("1.0.{number}"),
            "ProjectId": "Projects-1", "ChannelId": "Channels-1", "ReleaseNotes": "x".repeat(notes),
            "IgnoreChannelRules": false, "SelectedPackages": [{ "ActionName": "Deploy",
            "Version": "1.0", "PackageReferenceName": "" }, 1, 2, 3],
            "Links": { "Self": "/api/releases/1", "Project": "/api/projects/1" } });
        page += &item.to_string();
        page.push(',');
    }
    page.pop();
    (page + r#"],"TotalResults":123456}"#).into()
}

/// Returns a router that answers requests for releases with one of two pages, and other requests
/// from the sample instance. Most responses have no length, like those of Octopus. Each response
/// pauses near its end until `calls` of them have started, so that all are in memory at once.
fn large_pages_router(sample: &Sample, pages: [Bytes; 2], calls: usize) -> axum::Router {
    let (begun, all_begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let answer = move |request: Request, next: Next| {
        let (pages, begun, all_begun) = (pages.clone(), Arc::clone(&begun), Arc::clone(&all_begun));
        async move {
            if !request.uri().path().ends_with("/releases") {
                return next.run(request).await;
            }
            if begun.fetch_add(1, Ordering::SeqCst) + 1 == calls {
                all_begun.close();
            }
            let query = request.uri().query().unwrap_or_default();
            let [first, second] = pages;
            let page = if query.contains("large=1") { second } else { first };
            let length = || [("content-length", page.len().to_string())];
            let length = query.contains("streamed=0").then(length);
            let stop = page.len().min(PAUSE_AT);
            let (start, rest) = (page.slice(..stop), page.slice(stop..));
            let rest = stream::once(async move {
                // The semaphore has no permits, so this await ends when it is closed.
                let _ = all_begun.acquire().await;
                stream::iter(chunks(rest))
            });
            let body = Body::from_stream(stream::iter(chunks(start)).chain(rest.flatten()));
            (length, [("content-type", "application/json")], body).into_response()
        }
    };
    sample.router().layer(from_fn(answer))
}

fn chunks(page: Bytes) -> impl Iterator<Item = Result<Bytes, std::io::Error>> {
    let starts = (0..page.len()).step_by(CHUNK_BYTES);
    starts.map(move |from| Ok(page.slice(from..page.len().min(from + CHUNK_BYTES))))
}

/// Returns the arguments of a distinct call, because identical concurrent reads of one caller are
/// coalesced.
fn execute(number: usize) -> Value {
    let (streamed, large) = (usize::from(!number.is_multiple_of(4)), number / 2 % 2);
    json!({ "method": "GET", "path": "/api/Spaces-1/releases",
        "query": { "skip": number, "streamed": streamed, "large": large } })
}

/// Calls a tool of a server process and returns the text of its answer.
async fn call(http: &reqwest::Client, url: &str, tool: &str, arguments: Value) -> String {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } });
    let request = http.post(url).header("content-type", "application/json");
    let request = request.header("accept", "application/json, text/event-stream");
    let request = request.header("x-octopus-apikey", keys::ADMIN).body(call.to_string());
    let answer = request.timeout(Duration::from_mins(2)).send().await.unwrap();
    answer.text().await.unwrap()
}

/// Makes the maximum number of concurrent reads of one caller at a server process, of two pages.
/// Returns the answers and the peak memory of the process in KiB.
async fn read_concurrently(pages: [Bytes; 2]) -> (Vec<String>, u64) {
    let octopus = serve(large_pages_router(&Sample::new(), pages, CONCURRENT_CALLS));
    let url = format!("http://{}", octopus.address);
    let server = ServerProcess::start(program(&["--listen=127.0.0.1:0", "--server-url", &url]));
    // One shared client: creating 64 clients takes longer than the server waits for a request head.
    let http = client();
    // After this call Octopus has accepted the key, so all reads may run concurrently.
    call(&http, &server.url, "list_spaces", json!({})).await;
    let calls =
        (0..CONCURRENT_CALLS).map(|number| call(&http, &server.url, "execute", execute(number)));
    (join_all(calls).await, peak_memory_kib(server.pid()))
}

/// Returns the peak memory of a process in KiB.
fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

/// Half of the responses have 18 MiB and are rejected at `execute_limit` bytes. The others are
/// below the limit and are parsed.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn large_reads_stay_within_the_shipped_memory_limit() {
    let (answers, peak) =
        read_concurrently([page(LARGE_BODY_BYTES, NOTES), page(18 * MIB, NOTES)]).await;
    let is = |text: &str| answers.iter().filter(|answer| answer.contains(text)).count();
    let (shown, too_large) = (is("responseBytes"), is("larger than 8388608 bytes"));
    let waited = is("exhausted by other large responses");
    assert_eq!(shown + too_large + waited, CONCURRENT_CALLS, "{answers:?}");
    assert!(shown > 0 && too_large >= CONCURRENT_CALLS / 4, "{shown} {too_large} {waited}");
    assert!(peak < SHIPPED_LIMIT_KIB, "{peak} KiB");
}

/// All responses are below `execute_limit` and are parsed.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn parsed_reads_stay_within_the_shipped_memory_limit() {
    let page = page(LARGE_BODY_BYTES, NOTES);
    let (answers, peak) = read_concurrently([page.clone(), page]).await;
    let is = |text: &str| answers.iter().filter(|answer| answer.contains(text)).count();
    let (shown, waited) = (is("responseBytes"), is("exhausted by other large responses"));
    assert_eq!(shown + waited, CONCURRENT_CALLS, "{answers:?}");
    assert!(shown >= CONCURRENT_CALLS / 2, "{shown} {waited}");
    assert!(peak < SHIPPED_LIMIT_KIB, "{peak} KiB");
}

#[tokio::test]
async fn truncated_page_reports_where_to_continue() {
    let sample = Sample::new();
    let router = large_pages_router(&sample, [page(MIB, 0), Bytes::new()], 1);
    let server = TestServer::with_router(sample, router, |_| {}).await;
    let answer = server.call_ok("execute", execute(4)).await;
    let items = answer["response"]["Items"].as_array().unwrap();
    assert_eq!((&answer["skip"], &answer["nextSkip"]), (&json!(4), &json!(4 + items.len())));
    assert_eq!(answer["response"]["TotalResults"], 123_456);
    assert!(
        items.iter().all(|item| item.get("Links").is_none() && item["SelectedPackages"][3] == 3)
    );
    let omitted = &answer["omitted"];
    assert!(omitted["responseBytes"].as_u64().unwrap() >= MIB as u64, "{omitted}");
    assert!(omitted["items"].as_u64().unwrap() > 1000, "{omitted}");
}

/// Starts a server whose large responses pause after 1 MiB until `resume` has a permit for each.
/// Also returns the number of responses that have started.
async fn stalling_server(
    resume: &Arc<Semaphore>,
    change: impl FnOnce(&mut Config),
) -> (TestServer, Arc<AtomicUsize>) {
    let (sample, begun) = (Sample::new(), Arc::new(AtomicUsize::new(0)));
    let (page, gate, count) = (page(3 * MIB / 2, 0), Arc::clone(resume), Arc::clone(&begun));
    let answer = move |request: Request, next: Next| {
        let (page, gate) = (page.clone(), Arc::clone(&gate));
        let is_large = request.uri().path().ends_with("/releases");
        count.fetch_add(usize::from(is_large), Ordering::SeqCst);
        async move {
            if !is_large {
                return next.run(request).await;
            }
            let (first, rest) = (page.slice(..MIB), page.slice(MIB..));
            let rest = stream::once(async move {
                gate.acquire().await.unwrap().forget();
                Ok(rest)
            });
            let body = Body::from_stream(stream::iter(chunks(first)).chain(rest));
            ([("content-type", "application/json")], body).into_response()
        }
    };
    let router = sample.router().layer(from_fn(answer));
    let server = TestServer::with_router(sample, router, |config| {
        config.octopus.retries = 0;
        config.octopus.concurrent_requests = 4;
        config.octopus.response_limit = ByteSize(2 * MIB);
        config.octopus.execute_limit = ByteSize(2 * MIB);
        config.limits.bytes_in_flight = ByteSize(BUDGET);
        change(config);
    });
    (server.await, begun)
}

/// The memory budget of these servers. One caller can reserve 2 MiB.
const BUDGET: usize = 4 * MIB;

#[tokio::test]
async fn other_callers_proceed_while_large_answers_wait() {
    let resume = Arc::new(Semaphore::new(0));
    let (server, begun) = stalling_server(&resume, |_| {}).await;
    let memory = server.running.as_ref().unwrap().memory.clone();
    let large = (0..8).map(|number| server.call_as(keys::ADMIN, "execute", execute(number)));
    let small = async {
        // More reads than concurrency permits: a read that waits for memory has released its
        // permit.
        wait_until_some(async || (begun.load(Ordering::SeqCst) == 8).then_some(())).await;
        for _ in 0..20 {
            let called = server.call_as(keys::DEFAULT_SPACE_ONLY, "list_spaces", json!({})).await;
            assert!(!called.is_error, "{}", called.text);
        }
        let metrics = server.running.as_ref().unwrap().metrics.prometheus_text().unwrap();
        let reserved = format!("octopus_mcp_memory_reserved_bytes {}", memory.reserved());
        assert!(memory.reserved() > 0 && metrics.contains(&reserved), "{metrics}");
        resume.add_permits(8);
    };
    let (large, ()) = tokio::join!(join_all(large), small);
    for called in large {
        assert!(called.text.contains("Releases-"), "{}", called.text);
    }
    assert!(memory.bodies().peak() <= BUDGET, "{}", memory.bodies().peak());
    assert_eq!((memory.reserved(), memory.refusals()), (0, 0));
}

#[tokio::test]
async fn memory_timeout_error_suggests_a_smaller_request() {
    let resume = Arc::new(Semaphore::new(0));
    let time = DurationSetting(Duration::from_secs(2));
    let (server, _) = stalling_server(&resume, |config| config.octopus.timeout = time).await;
    let calls = (0..3).map(|number| server.call_as(keys::ADMIN, "execute", execute(number)));
    let called = join_all(calls).await;
    for called in &called {
        let is_known = [
            "the memory budget for responses of Octopus is exhausted",
            "did not respond within 2 s",
        ]
        .iter()
        .any(|reason| called.text.contains(reason));
        assert!(called.is_error && is_known, "{}", called.text);
    }
    let rejected = called
        .iter()
        .find(|called| {
            called.text.contains("the memory budget for responses of Octopus is exhausted")
        })
        .unwrap();
    assert!(rejected.text.contains("a smaller `take`"), "{}", rejected.text);
    assert_eq!(server.running.as_ref().unwrap().memory.reserved(), 0);
}

#[tokio::test]
async fn rejects_requests_with_too_many_values() {
    let server = TestServer::start().await;
    let body = |argument: String| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"list_spaces",
                "arguments":{{"partialName":{argument}}}}}}}"#
        )
    };
    let reply = server.post(&[], body(format!("[1{}]", ",1".repeat(400_000)))).await;
    assert_eq!(reply.status, 413, "{}", reply.text);
    assert!(reply.text.contains("JSON values"), "{}", reply.text);
    let reply = server.post(&[], body(format!("\"{}\"", "[,".repeat(400_000)))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}
