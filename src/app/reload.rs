//! Reloads the configuration when its file changes or on SIGHUP.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use futures::{Stream, StreamExt};

use super::Live;
use crate::config::Config;

/// Interval at which the file's metadata is polled.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Maximum pause before invalid settings are tried again. A retry can succeed, because a file that
/// the settings name can appear later.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The settings file, if there is one, and its state when it was loaded last.
#[derive(Debug)]
pub struct SettingsFile {
    path: Option<PathBuf>,
    read: Option<Stamp>,
}

/// Modification time and size of a file. Kubernetes replaces mounted files by switching a symbolic
/// link, which changes the modification time.
type Stamp = (SystemTime, u64);

impl SettingsFile {
    /// Records the current state of the file. Call it before reading the file, so that no change is
    /// missed.
    pub fn before_reading(path: Option<PathBuf>) -> Self {
        let mut file = Self { path, read: None };
        file.read = file.stamp();
        file
    }

    fn stamp(&self) -> Option<Stamp> {
        let metadata = std::fs::metadata(self.path.as_deref()?).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }
}

/// Watches the settings file and reloads the configuration, until the future is dropped.
///
/// A changed file is loaded once two polls in a row find the same state, so that a file is not read
/// while it is written. Each item of `requests` (SIGHUP) reloads immediately. Invalid settings are
/// logged, not applied, and retried after 1 to 30 seconds.
pub async fn follow(
    live: Live,
    mut file: SettingsFile,
    load: impl Fn() -> Result<Config, String> + Clone + Send + 'static,
    mut requests: impl Stream<Item = ()> + Unpin,
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut seen = file.read;
    let mut refused: Option<Refused> = None;
    loop {
        let is_requested = tokio::select! {
            request = requests.next() => request.is_some(),
            _ = look.tick() => false,
        };
        let now = file.stamp();
        let is_still = now == seen;
        seen = now;
        let is_changed = now.is_some() && is_still && now != file.read;
        if is_requested || is_changed {
            file.read = now;
            refused = None;
        } else if !refused.as_ref().is_some_and(Refused::is_due) {
            continue;
        }
        refused = again(&live, load.clone(), refused).await;
    }
}

/// A failed reload that will be retried.
struct Refused {
    error: String,
    since: Instant,
    pause: Duration,
}

impl Refused {
    fn is_due(&self) -> bool {
        self.since.elapsed() >= self.pause
    }
}

/// Loads and applies the settings. Returns the failure, and logs it only if it differs from
/// `before`.
async fn again(
    live: &Live,
    load: impl Fn() -> Result<Config, String> + Send + 'static,
    before: Option<Refused>,
) -> Option<Refused> {
    let serving = live.clone();
    // Log the result in the blocking task, because a shutdown can drop this future at any time.
    let applied = tokio::task::spawn_blocking(move || {
        let unchanged = serving.apply(load()?)?;
        serving.metrics().reloaded(true);
        if unchanged.is_empty() {
            tracing::info!("config reloaded");
        } else {
            let settings = unchanged.join(", ");
            tracing::warn!(settings, "config reloaded; some changed settings need a restart");
        }
        Ok::<_, String>(())
    });
    let error = match applied.await.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(()) => return None,
        Err(error) => error,
    };
    let same = before.filter(|before| before.error == error);
    if same.is_none() {
        live.metrics().reloaded(false);
        tracing::error!(%error, "config reload failed; the previous settings stay in force");
    }
    let pause = same.map_or(LOOK_EVERY, |same| (same.pause * 2).min(LONGEST_PAUSE));
    Some(Refused { error, since: Instant::now(), pause })
}
