//! Benchmark of the sanitizer on the log of a large task: `cargo bench --bench sanitizer`.
//!
//! Like in the `serving` benchmark, results are ratios of medians to the same work without the
//! sanitizer, and the variants take turns.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints its results and fails by panicking"
)]

use std::time::{Duration, Instant};

use futures::{StreamExt, future::BoxFuture};
use octopus_mcp::{
    app,
    config::{Config, HttpSettings, Secret},
    grep, http,
    sanitize::sanitize,
};
use octopus_sample::{Sample, keys};
use serde_json::json;

const ROUNDS: usize = 9;
const TASK: &str = "ServerTasks-90032";
const PATTERN: &str = "quota .* 92 %";

fn main() {
    // `cargo test --benches` only checks that the program starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        bench_over_http().await;
        bench_in_memory().await;
    });
}

struct Variant<'a> {
    name: &'static str,
    run: Box<dyn Fn() -> BoxFuture<'a, ()> + 'a>,
}

/// Benchmarks the log over HTTP: read from Octopus, and through the server.
async fn bench_over_http() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let octopus =
        http::listen(socket, Sample::new().router(), None, &HttpSettings::default()).unwrap();
    let mut config = Config::default();
    config.octopus.url = Some(format!("http://{}", octopus.address).parse().unwrap());
    config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    config.http.listen = ([127, 0, 0, 1], 0).into();
    let running = app::start(config).await.unwrap();
    let (url, raw) = (
        running.endpoint(false),
        format!("http://{}/api/Spaces-1/tasks/{TASK}/raw", octopus.address),
    );
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = |tool: &str, arguments: serde_json::Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = http.post(&url).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream");
        request.header("x-octopus-apikey", keys::ADMIN).body(body.to_string())
    };
    let ask = async |request: reqwest::RequestBuilder| {
        let text = request.send().await.unwrap().text().await.unwrap();
        assert!(text.contains("118044"), "{text}");
    };
    let get = || http.get(&raw).header("x-octopus-apikey", keys::ADMIN);
    let (ask, get, call) = (&ask, &get, &call);
    let task = json!({ "space": "Default", "taskId": TASK });
    let mut search = task.clone();
    search["pattern"] = json!(PATTERN);
    let (task, search) = (&task, &search);
    let variants = [
        Variant {
            name: "the stream, read",
            run: Box::new(move || {
                Box::pin(async move {
                    let mut pieces = get().send().await.unwrap().bytes_stream();
                    while let Some(piece) = pieces.next().await {
                        std::hint::black_box(memchr::memchr_iter(b'\n', &piece.unwrap()).count());
                    }
                })
            }),
        },
        Variant {
            name: "get_task_raw, through the server",
            run: Box::new(move || Box::pin(ask(call("get_task_raw", task.clone())))),
        },
        Variant {
            name: "grep_task_log, through the server",
            run: Box::new(move || Box::pin(ask(call("grep_task_log", search.clone())))),
        },
    ];
    println!("\nthe log of {TASK}, over HTTP, ratio to reading the stream\n");
    compare(&variants).await;
}

/// Benchmarks the same text in memory, without Octopus and HTTP.
async fn bench_in_memory() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let octopus =
        http::listen(socket, Sample::new().router(), None, &HttpSettings::default()).unwrap();
    let url = format!("http://{}/api/Spaces-1/tasks/{TASK}/raw", octopus.address);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let log = http.get(url).header("x-octopus-apikey", keys::ADMIN).send().await.unwrap();
    let log = log.text().await.unwrap();
    let leaking = with_secrets(&log);
    println!("\nthe same {} bytes in memory, ratio to a copy of them\n", log.len());
    bench_sanitizer(&log, &leaking).await;
    println!("\nthe same, ratio to a search without the sanitizer\n");
    bench_search(&log).await;
}

/// One of this many lines contains a secret.
const LINES_PER_SECRET: usize = 50;

/// Returns the text with a secret at the end of every fiftieth line.
fn with_secrets(log: &str) -> String {
    let mut text = String::with_capacity(log.len());
    for (number, line) in log.lines().enumerate() {
        text.push_str(line);
        if number % LINES_PER_SECRET == 0 {
            text.push_str(" API-FAKEFAKEFAKEFAKEFAKEFAKE password=hunter2-hunter2");
        }
        text.push('\n');
    }
    text
}

/// Splits the text into chunks of at most 64 KiB, each of complete characters.
fn chunks(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes().chunks(64 * 1024);
    let pieces: Vec<&str> = bytes.filter_map(|piece| std::str::from_utf8(piece).ok()).collect();
    assert_eq!(pieces.iter().map(|piece| piece.len()).sum::<usize>(), text.len());
    pieces
}

async fn bench_sanitizer(log: &str, leaking: &str) {
    let (plain, leaking) = (&chunks(log), &chunks(leaking));
    let variants = [
        Variant {
            name: "copied, 64 KiB at once",
            run: Box::new(move || {
                for piece in plain {
                    std::hint::black_box((*piece).to_owned());
                }
                Box::pin(async {})
            }),
        },
        Variant {
            name: "written as JSON",
            run: Box::new(move || {
                for piece in plain {
                    std::hint::black_box(serde_json::to_string(piece).unwrap());
                }
                Box::pin(async {})
            }),
        },
        Variant {
            name: "sanitized",
            run: Box::new(move || {
                let sanitized = plain.iter().map(|piece| sanitize(piece));
                assert_eq!(sanitized.map(|piece| piece.redactions).sum::<usize>(), 0);
                Box::pin(async {})
            }),
        },
        Variant {
            name: "sanitized, with secrets",
            run: Box::new(move || {
                let sanitized = leaking.iter().map(|piece| sanitize(piece));
                assert!(sanitized.map(|piece| piece.redactions).sum::<usize>() > 1000);
                Box::pin(async {})
            }),
        },
    ];
    compare(&variants).await;
}

async fn bench_search(log: &str) {
    let plain = &regex::bytes::Regex::new(PATTERN).unwrap();
    let variants = [
        Variant {
            name: "each line searched, not sanitized",
            run: Box::new(move || {
                let lines = log.as_bytes().split(|byte| *byte == b'\n');
                assert_eq!(lines.filter(|line| plain.is_match(line)).count(), 1);
                Box::pin(async {})
            }),
        },
        Variant {
            name: "grep, in sanitized lines",
            run: Box::new(move || {
                let pattern = grep::Pattern::new(PATTERN, false, false).unwrap();
                let options = grep::GrepOptions {
                    invert: false,
                    strip_prefixes: false,
                    before: 0,
                    after: 0,
                    max_count: 100,
                    offset: 0,
                    max_bytes: 20_000,
                };
                let mut search = grep::Grep::new(pattern, options);
                log.as_bytes().chunks(64 * 1024).for_each(|piece| search.push(piece));
                assert_eq!(search.finish().total_matches, 1);
                Box::pin(async {})
            }),
        },
    ];
    compare(&variants).await;
}

async fn compare(variants: &[Variant<'_>]) {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); variants.len()];
    for round in 0..=ROUNDS {
        for (variant, times) in variants.iter().zip(&mut times) {
            let started = Instant::now();
            (variant.run)().await;
            // The first round fills pools and caches.
            if round > 0 {
                times.push(started.elapsed());
            }
        }
    }
    let mut first = None;
    for (variant, mut times) in variants.iter().zip(times) {
        times.sort();
        let median = times[times.len() / 2].as_secs_f64();
        let against = *first.get_or_insert(median);
        println!("{:<44}{:>7.2}   {:>7.1} ms", variant.name, median / against, median * 1000.0);
    }
}
