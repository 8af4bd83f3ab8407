//! Reloads the configuration when its file changes or on SIGHUP.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt};

use super::{AppliedSettings, LiveServer, StartError};
use crate::config::{Config, ConfigErrors, FileStamp};

/// Interval at which the file's metadata is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum pause before invalid settings are tried again. A retry can succeed, because a file that
/// the settings name can appear later.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(30);

/// The settings file, if there is one, and its state when it was loaded last.
#[derive(Debug)]
pub struct SettingsFile {
    path: Option<PathBuf>,
    loaded: Option<FileStamp>,
}

impl SettingsFile {
    /// Records the current state of the file. Call it before reading the file, so that no change is
    /// missed.
    pub fn snapshot(path: Option<PathBuf>) -> Self {
        let mut file = Self { path, loaded: None };
        file.loaded = file.stamp();
        file
    }

    fn stamp(&self) -> Option<FileStamp> {
        FileStamp::of(self.path.as_deref()?)
    }
}

/// Watches the settings file and reloads the configuration, until the future is dropped.
///
/// A changed file is loaded once two polls in a row find the same state, so that a file is not read
/// while it is written. Each item of `requests` (SIGHUP) reloads immediately. Invalid settings are
/// logged, not applied, and retried after 1 to 30 seconds.
pub async fn watch(
    live: LiveServer,
    mut file: SettingsFile,
    load: impl Fn() -> Result<Config, ConfigErrors> + Clone + Send + 'static,
    mut requests: impl Stream<Item = ()> + Unpin,
) {
    let mut poll = tokio::time::interval(POLL_INTERVAL);
    let mut seen = file.loaded;
    let mut failed: Option<FailedReload> = None;
    loop {
        let is_requested = tokio::select! {
            request = requests.next() => request.is_some(),
            _ = poll.tick() => false,
        };
        let now = file.stamp();
        let is_still = now == seen;
        seen = now;
        let is_changed = now.is_some() && is_still && now != file.loaded;
        if is_requested || is_changed {
            file.loaded = now;
            failed = None;
        } else if !failed.as_ref().is_some_and(FailedReload::is_due) {
            continue;
        }
        failed = reload(&live, load.clone(), failed).await;
    }
}

/// Reason of a failed reload.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// The settings are invalid.
    #[error(transparent)]
    Settings(#[from] ConfigErrors),
    /// A part cannot be built from the settings.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The task that applies the settings panicked.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// A failed reload that will be retried.
struct FailedReload {
    error: String,
    since: Instant,
    pause: Duration,
}

impl FailedReload {
    fn is_due(&self) -> bool {
        self.since.elapsed() >= self.pause
    }
}

/// Loads and applies the settings. Returns the failure, and logs it only if it differs from
/// `before`.
async fn reload(
    live: &LiveServer,
    load: impl Fn() -> Result<Config, ConfigErrors> + Send + 'static,
    before: Option<FailedReload>,
) -> Option<FailedReload> {
    let serving = live.clone();
    // Logs the result in the blocking task, because a shutdown can drop this future at any time.
    let applied = tokio::task::spawn_blocking(move || {
        let AppliedSettings { changed, need_restart } = serving.apply(load()?)?;
        serving.metrics().record_config_reload(true);
        let changed = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        if need_restart.is_empty() {
            tracing::info!(changed, "config reloaded");
        } else {
            let settings = need_restart.join(", ");
            tracing::warn!(
                settings,
                changed,
                "config reloaded; some changed settings need a restart"
            );
        }
        Ok::<_, ReloadError>(())
    });
    let error = match applied.await.unwrap_or_else(|error| Err(error.into())) {
        Ok(()) => return None,
        Err(error) => error.to_string(),
    };
    let same = before.filter(|before| before.error == error);
    if same.is_none() {
        live.metrics().record_config_reload(false);
        tracing::error!(%error, "config reload failed; the previous settings stay in force");
    }
    let pause = same.map_or(POLL_INTERVAL, |same| (same.pause * 2).min(MAX_RETRY_PAUSE));
    Some(FailedReload { error, since: Instant::now(), pause })
}
