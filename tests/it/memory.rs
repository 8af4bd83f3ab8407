//! Memory: large answers of Octopus and large requests, at the limit that the shipped deployments set.

use std::{process::Command, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, future::join_all, stream};
use octopus_mcp::{
    config::ByteSize,
    sample::{Sample, keys},
};
use serde_json::{Value, json};

use crate::{
    commands::{Serving, program},
    support::{TestServer, client, serve, soon},
};

/// The memory limit in deploy/: kubernetes, helm, ecs, compose.
const SHIPPED_LIMIT_KIB: u64 = 512 * 1024;
const MIB: usize = 1024 * 1024;
/// Concurrent calls: as many as one caller may have under way.
const CALLS: usize = 64;

/// A page of releases with this many bytes of JSON, in items as Octopus sends them.
fn page(bytes: usize) -> Bytes {
    let mut page = r#"{"ItemType":"Release","Items":["#.to_owned();
    while page.len() < bytes {
        let number = page.len();
        let item = json!({ "Id": format!("Releases-{number}"), "Version": format!("1.0.{number}"),
            "ProjectId": "Projects-1", "ChannelId": "Channels-1", "ReleaseNotes": null,
            "IgnoreChannelRules": false, "SelectedPackages": [{ "ActionName": "Deploy",
            "Version": "1.0", "PackageReferenceName": "" }, 1, 2, 3],
            "Links": { "Self": "/api/releases/1", "Project": "/api/projects/1" } });
        page += &item.to_string();
        page.push(',');
    }
    page.pop();
    (page + r#"],"TotalResults":123456}"#).into()
}

/// Answers requests for releases with `page`, and other requests as the sample instance does.
/// Every second answer has no length, as those of Octopus.
fn large(sample: &Sample, page: Bytes) -> axum::Router {
    let answer = move |request: Request, next: Next| {
        let page = page.clone();
        async move {
            if !request.uri().path().ends_with("/releases") {
                return next.run(request).await;
            }
            let is_streamed = request.uri().query().is_some_and(|query| query.ends_with('1'));
            let body = if is_streamed {
                let pieces = (0..page.len()).step_by(64 * 1024).map(move |from| {
                    Ok::<_, std::io::Error>(page.slice(from..page.len().min(from + 64 * 1024)))
                });
                Body::from_stream(stream::iter(pieces))
            } else {
                Body::from(page)
            };
            ([("content-type", "application/json")], body).into_response()
        }
    };
    sample.router().layer(from_fn(answer))
}

fn execute(skip: usize) -> Value {
    json!({ "method": "GET", "path": "/api/Spaces-1/releases",
        "query": { "skip": skip, "streamed": skip % 2 } })
}

/// Calls `execute` at a server that is a process, and returns the text of its answer.
async fn call(url: &str, skip: usize) -> String {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "execute", "arguments": execute(skip) } });
    let request = client().post(url).header("content-type", "application/json");
    let request = request.header("accept", "application/json, text/event-stream");
    let request = request.header("x-octopus-apikey", keys::ADMIN).body(call.to_string());
    let answer = request.timeout(Duration::from_mins(2)).send().await.unwrap();
    answer.text().await.unwrap()
}

/// The most memory that a process has used, in KiB.
fn peak_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

fn process(octopus: &octopus_mcp::http::Listening, settings: &[(&str, &str)]) -> Serving {
    let url = format!("http://{}", octopus.address);
    let mut command: Command = program(&["--listen=127.0.0.1:0", "--server-url", &url]);
    for (name, value) in settings {
        command.env(name, value);
    }
    Serving::start(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn large_reads_stay_within_the_shipped_memory_limit() {
    let sample = Sample::new();
    let octopus = serve(large(&sample, page(18 * MIB)));
    let server = process(&octopus, &[]);
    let answers = join_all((0..CALLS).map(|skip| call(&server.url, skip))).await;
    let peak = peak_of(server.id());
    for answer in &answers {
        let is_refusal = answer.contains("larger than") && answer.contains("take");
        assert!(is_refusal || answer.contains("Releases-"), "{answer}");
    }
    assert!(peak < SHIPPED_LIMIT_KIB, "{peak} KiB");
}
