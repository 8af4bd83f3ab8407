//! Resident memory of the program, at rest and after many calls.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use octopus_mcp::config::HttpSettings;
use octopus_sample::Sample;
use serde_json::json;

use crate::variants;

const CALLS: usize = 10_000;
const CONCURRENCY: usize = 16;

/// Prints the resident memory of the program at rest, and after 10000 and 20000 calls.
pub async fn measure() {
    let octopus = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let router = Sample::new().router();
        octopus_mcp::http::listen(socket, router, None, &HttpSettings::default()).unwrap()
    };
    let mut program = Command::new(env!("CARGO_BIN_EXE_octopus-mcp"))
        .args(["--listen=127.0.0.1:0", "--server-url", &format!("http://{}", octopus.address)])
        .env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let url = first.split_whitespace().last().unwrap().to_owned();
    println!("{:<44}{:>6.1} MiB", "at rest", resident(&program));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for total in [CALLS, 2 * CALLS] {
        let workers = (0..CONCURRENCY).map(|_| async {
            for _ in 0..CALLS / CONCURRENCY {
                let params = json!({ "name": "list_deployments",
                    "arguments": { "space": "Default", "take": 30 } });
                let call = variants::request(&http, &url, Some("2026-07-28"), "tools/call", params);
                call.send().await.unwrap().bytes().await.unwrap();
            }
        });
        futures::future::join_all(workers).await;
        let label = format!("after {total} calls of list_deployments");
        println!("{label:<44}{:>6.1} MiB", resident(&program));
    }
    program.kill().unwrap();
    program.wait().unwrap();
}

/// Returns the resident memory in MiB (`VmRSS`, proc(5)).
fn resident(program: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}
