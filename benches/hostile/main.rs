//! Hostile answers and hostile calls against the server at its shipped limits.
//!
//! ```text
//! cargo bench --bench hostile                      all cases, goals of a quiet machine
//! cargo bench --bench hostile -- --short           a few cases, with room for slow machines
//! cargo bench --bench hostile -- --case WORD       the cases whose name contains the word
//! ```
//!
//! For each case a new process of the server is started (`OCTOPUS_MCP_BINARY`, or the debug
//! build), in front of a hostile Octopus. One caller sends up to 64 calls at once; another caller
//! sends pings from a thread of its own. The table shows the slowest ping, the largest answer and
//! the peak memory of the server. The program exits with 1 when a case exceeds its limits.
//!
//! How long a worker computes without yielding cannot be measured from outside. The slowest ping
//! is an upper bound for it: both workers busy for that long would delay a ping as long.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its results, and may stop where it stands"
)]

mod cases;
mod client;
mod server;

use std::{process::ExitCode, time::Duration};

use cases::Case;
use client::{Client, Outcome, Pinger};
use octopus_mcp::sample::{Sample, keys};
use server::{Server, Upstream};

/// What a case may take.
struct Goals {
    ping: Duration,
    /// Peak memory of the server: the limit of `deploy/compose.yaml` and `deploy/kubernetes`.
    memory_mib: u64,
    /// Bytes of an answer: the default budget, and what stands around it.
    answer: usize,
    calls: usize,
    /// How long the calls of a case are awaited. The server is stopped then.
    patience: Duration,
    /// What the size of large hostile answers is divided by.
    divisor: usize,
}

const FULL: Goals = Goals {
    ping: Duration::from_millis(250),
    memory_mib: 512,
    answer: 21 * 1024,
    calls: 64,
    patience: Duration::from_secs(60),
    divisor: 1,
};

const SHORT: Goals = Goals {
    ping: Duration::from_secs(2),
    memory_mib: 512,
    answer: 21 * 1024,
    calls: 16,
    patience: Duration::from_secs(4),
    divisor: 8,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` only asks whether it starts.
    if arguments.iter().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let short = arguments.iter().any(|argument| argument == "--short");
    let word = arguments.iter().position(|argument| argument == "--case");
    let word = word.and_then(|place| arguments.get(place + 1)).map_or("", String::as_str);
    let goals = if short { SHORT } else { FULL };
    let cases: Vec<Case> = cases::all(goals.divisor)
        .into_iter()
        .filter(|case| case.name.contains(word) && (case.is_short || !short))
        .collect();
    println!(
        "{:<44}{:>9}{:>9}{:>9}{:>9}{:>9}  {}",
        "case", "ping ms", "call s", "answer B", "RSS MiB", "pings", "calls"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        wrong.extend(runtime.block_on(run(&case, &goals)));
    }
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("\nexceeded:");
    wrong.iter().for_each(|line| eprintln!("  {line}"));
    ExitCode::FAILURE
}

/// Runs a case, prints its line, and returns what exceeded the goals.
async fn run(case: &Case, goals: &Goals) -> Vec<String> {
    let sample = Sample::new();
    for fault in &case.faults {
        sample.trouble().add(fault.clone());
    }
    let upstream = Upstream::start(&sample);
    let server = Server::start(&upstream.url);
    let client = Client::new(&server.url, keys::ADMIN);
    let pinger = Pinger::start(&server.url, keys::VIEW_ONLY);
    let calls: Vec<_> = (0..goals.calls)
        .map(|number| {
            let (client, call) = (client.clone(), case.calls[number % case.calls.len()].clone());
            tokio::spawn(async move { client.call(&call).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    let deadline = tokio::time::Instant::now() + goals.patience;
    for mut call in calls {
        match tokio::time::timeout_at(deadline, &mut call).await {
            Ok(outcome) => outcomes.push(outcome.unwrap()),
            Err(_) => call.abort(),
        }
    }
    let pings = pinger.stop();
    let memory = server.peak_memory_mib();
    let slowest = |values: &mut dyn Iterator<Item = Duration>| values.max().unwrap_or_default();
    let ping = slowest(&mut pings.answered.iter().copied());
    let call = slowest(&mut outcomes.iter().map(|outcome: &Outcome| outcome.took));
    let answer = outcomes.iter().map(|outcome| outcome.answer).max().unwrap_or_default();
    let failed = outcomes.iter().filter(|outcome| outcome.is_error).count();
    println!(
        "{:<44}{:>9.1}{:>9.1}{:>9}{:>9}{:>9}  {} answered, {} refused, {} unfinished",
        case.name,
        ping.as_secs_f64() * 1e3,
        call.as_secs_f64(),
        answer,
        memory,
        pings.answered.len(),
        outcomes.len() - failed,
        failed,
        goals.calls - outcomes.len(),
    );
    let mut wrong = Vec::new();
    let mut exceeds = |is_over: bool, what: String| {
        if is_over {
            wrong.push(format!("{}: {what}", case.name));
        }
    };
    exceeds(pings.failed > 0, format!("{} pings failed", pings.failed));
    exceeds(pings.answered.is_empty(), "no ping was answered".to_owned());
    exceeds(ping > goals.ping, format!("a ping took {ping:?}, the goal is {:?}", goals.ping));
    let limit = goals.memory_mib;
    exceeds(memory > limit, format!("the server took {memory} MiB, the limit is {limit} MiB"));
    let limit = goals.answer;
    exceeds(answer > limit, format!("an answer has {answer} bytes, the budget is {limit}"));
    exceeds(!server.is_alive(), "the server ended".to_owned());
    wrong
}
