//! Another caller, which pings the server continuously.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use octopus_sample::keys;

/// Pause between two pings.
const PING_INTERVAL: Duration = Duration::from_millis(20);

/// Sends pings from its own thread, so that the attack delays the server and not the measurement.
pub struct Pinger {
    /// The slowest ping so far, in milliseconds.
    slowest: Arc<AtomicU64>,
    /// Send time of the pending ping in milliseconds since the start; 0 if none is pending.
    waiting: Arc<AtomicU64>,
    /// The reason of a failed ping. No more pings are sent after it.
    failed: Arc<Mutex<Option<String>>>,
    started: Instant,
}

impl Pinger {
    pub fn start(url: &str) -> Self {
        let pinger = Self {
            slowest: Arc::default(),
            waiting: Arc::default(),
            failed: Arc::default(),
            started: Instant::now(),
        };
        let (slowest, waiting) = (Arc::clone(&pinger.slowest), Arc::clone(&pinger.waiting));
        let failed = Arc::clone(&pinger.failed);
        let (url, started) = (url.to_owned(), pinger.started);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                loop {
                    let sent = millis(started);
                    waiting.store(sent.max(1), Ordering::SeqCst);
                    if let Err(reason) = ping(&http, &url).await {
                        *failed.lock().unwrap() = Some(reason);
                        return;
                    }
                    slowest.fetch_max(millis(started) - sent, Ordering::SeqCst);
                    waiting.store(0, Ordering::SeqCst);
                    tokio::time::sleep(PING_INTERVAL).await;
                }
            });
        });
        pinger
    }

    /// Discards the pings so far.
    pub fn reset(&self) {
        self.slowest.store(0, Ordering::SeqCst);
    }

    /// Returns the reason of a failed ping, if any.
    pub fn failure(&self) -> Option<String> {
        self.failed.lock().unwrap().clone()
    }

    /// Returns the slowest ping since the last reset, including a pending one.
    pub fn slowest(&self) -> Duration {
        let waiting = match self.waiting.load(Ordering::SeqCst) {
            0 => 0,
            sent => millis(self.started).saturating_sub(sent),
        };
        Duration::from_millis(self.slowest.load(Ordering::SeqCst).max(waiting))
    }
}

async fn ping(http: &reqwest::Client, url: &str) -> Result<(), String> {
    let request = http
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .header("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)
        .body(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    let is_answered = status.is_success() && text.contains("result");
    is_answered.then_some(()).ok_or_else(|| format!("{status} {text}"))
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
