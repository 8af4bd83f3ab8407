//! Attacks the server with hostile inputs and measures the effect on another caller.
//!
//! ```text
//! cargo build --release --bins --example hostile && target/release/examples/hostile
//! target/debug/examples/hostile --short
//! ```
//!
//! The server is a separate process with the shipped limits, except for its request rates, which
//! would end the attack early. It has one async worker. A computation that does not yield then
//! delays every other request, so the slowest `ping` of another caller bounds the longest
//! computation. For each attack the program prints the outcomes of the calls, the slowest ping, the
//! largest answer and the peak memory of the server. It exits with status 1 if a bound is exceeded.
//!
//! `--short` uses fewer and smaller inputs and allows slower pings, for debug builds and busy
//! machines. `--server PATH` names the binary; the default is the binary of the same build.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test program prints its report, and may panic on failure"
)]

mod attacks;
mod documents;
mod logs;
mod ping;
mod server;
mod upstream;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use attacks::{Attack, Outcome};
use ping::Pinger;
use server::Server;
use upstream::Upstream;

/// Sizes of the inputs, and the permitted bounds.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Calls in flight.
    pub concurrency: usize,
    /// Bytes of one document that `execute` reads: slightly below its limit.
    pub document: usize,
    /// Bytes of a document that is too large for `execute`.
    pub too_large: usize,
    /// Bytes of one document for all other tools.
    pub small_document: usize,
    /// Bytes of a task log.
    pub log: usize,
    /// The slowest permitted ping.
    pub ping: Duration,
    /// Permitted peak memory of the server in MiB: the shipped container limit.
    pub memory: u64,
}

const FULL: Scale = Scale {
    concurrency: 64,
    document: 7 << 20,
    too_large: 18 << 20,
    small_document: 4 << 20,
    log: 20 << 20,
    ping: Duration::from_millis(250),
    memory: 512,
};

const SHORT: Scale = Scale {
    concurrency: 16,
    document: 2 << 20,
    too_large: 9 << 20,
    small_document: 256 << 10,
    log: 1 << 20,
    // Generous for a debug build on a busy machine; a stalled worker needs far longer.
    ping: Duration::from_secs(5),
    memory: 512,
};

fn main() -> ExitCode {
    let mut scale = FULL;
    let mut binary = default_server_path();
    let mut only = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--short" => scale = SHORT,
            "--server" => binary = arguments.next().expect("--server needs a path").into(),
            "--only" => only = Some(arguments.next().expect("--only needs a part of a name")),
            other => {
                println!("unknown argument '{other}'; use --short, --server PATH or --only NAME");
                return ExitCode::from(2);
            }
        }
    }
    // The HTTP client has no default cryptography provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let upstream = Upstream::start();
    let server = Server::start(&binary, &upstream);
    let pinger = Pinger::start(&server.url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let violations = runtime.block_on(run(scale, only.as_deref(), &server, &upstream, &pinger));
    for violation in &violations {
        println!("VIOLATION: {violation}");
    }
    println!("\n{} violations", violations.len());
    ExitCode::from(u8::from(!violations.is_empty()))
}

async fn run(
    scale: Scale,
    only: Option<&str>,
    server: &Server,
    upstream: &Upstream,
    pinger: &Pinger,
) -> Vec<String> {
    println!(
        "{:<44}{:>7}{:>9}{:>7}{:>10}{:>12}{:>10}",
        "attack", "answers", "refusals", "lost", "ping ms", "answer KiB", "peak MiB"
    );
    let mut violations = Vec::new();
    for attack in attacks::all(scale) {
        if only.is_some_and(|part| !attack.name.contains(part)) {
            continue;
        }
        upstream.serve(&attack.upstream_data);
        server.reset_peak_memory();
        pinger.reset();
        let outcome = attack.run(scale, server, &upstream.url).await;
        let ping = pinger.slowest();
        let memory = server.peak_memory_mib();
        println!(
            "{:<44}{:>7}{:>9}{:>7}{:>10}{:>12}{:>10}",
            attack.name,
            outcome.answers,
            outcome.refusals,
            outcome.unanswered.len(),
            ping.as_millis(),
            outcome.largest / 1024,
            memory,
        );
        violations.extend(find_violations(scale, &attack, &outcome, ping, memory));
        if let Some(reason) = pinger.failure() {
            violations.push(format!("{}: a ping failed: {reason}", attack.name));
            break;
        }
    }
    violations
}

fn find_violations(
    scale: Scale,
    attack: &Attack,
    outcome: &Outcome,
    ping: Duration,
    memory: u64,
) -> Vec<String> {
    let mut violations = Vec::new();
    let name = &attack.name;
    if ping > scale.ping {
        violations.push(format!("{name}: a ping took {ping:?}, the limit is {:?}", scale.ping));
    }
    if memory > scale.memory {
        violations.push(format!("{name}: peak memory {memory} MiB of {} MiB", scale.memory));
    }
    if outcome.answers < attack.least_answers {
        let (answers, least) = (outcome.answers, attack.least_answers);
        violations
            .push(format!("{name}: {answers} calls were answered, expected at least {least}"));
    }
    if let Some(lost) = outcome.unanswered.first() {
        violations
            .push(format!("{name}: {} calls had no answer: {lost}", outcome.unanswered.len()));
    }
    if outcome.largest > attacks::ANSWER_LIMIT {
        violations.push(format!("{name}: an answer has {} bytes", outcome.largest));
    }
    violations
}

/// Returns the path of the server of the same build: `target/PROFILE/octopus-mcp` for
/// `target/PROFILE/examples/hostile`.
fn default_server_path() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().and_then(|examples| examples.parent()).unwrap().join("octopus-mcp")
}
