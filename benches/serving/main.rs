//! Benchmark of protocol, listener and memory: `cargo bench --profile dist --bench serving`.
//!
//! Times of different machines are not comparable, so every result is a ratio of medians. The
//! baseline is a plain axum handler that does the same work in the same process. The variants take
//! turns, one round each, so that other load on the machine affects all of them equally. A separate
//! benchmark for each variant could not do that.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints its results and fails by panicking"
)]

mod memory;
mod variants;

use std::time::{Duration, Instant};

use variants::Variant;

/// Number of rounds of each variant.
const ROUNDS: usize = 15;
/// Number of requests of a variant in one round.
const REQUESTS_PER_ROUND: usize = 400;

fn main() {
    // `cargo test --benches` only checks that the program starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (variants, _serving) = variants::all();
        for at_once in [1, 16] {
            println!("\n{at_once} at once, ratio to plain axum doing the same\n");
            compare(&variants, at_once).await;
        }
        println!("\nmemory of the program\n");
        memory::measure().await;
    });
}

async fn compare(variants: &[Variant], at_once: usize) {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); variants.len()];
    for round in 0..=ROUNDS {
        for (variant, times) in variants.iter().zip(&mut times) {
            let started = Instant::now();
            let workers = (0..at_once).map(|_| async {
                for _ in 0..REQUESTS_PER_ROUND / at_once {
                    variant.send().await;
                }
            });
            futures::future::join_all(workers).await;
            // The first round fills pools and caches.
            if round > 0 {
                times.push(started.elapsed() / u32::try_from(REQUESTS_PER_ROUND).unwrap());
            }
        }
    }
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    for (variant, median) in variants.iter().zip(&medians) {
        let plain = variants.iter().position(|other| other.name == variant.baseline).unwrap();
        let ratio = median.as_secs_f64() / medians[plain].as_secs_f64();
        println!("{:<44}{ratio:>6.2}", variant.name);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
