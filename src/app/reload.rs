//! Reads the settings again when their file changes, or when somebody asks for it.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use futures::{Stream, StreamExt};

use super::Live;
use crate::config::Config;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest pause before settings with a mistake are tried again: a file that they name may come
/// after them.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The file of the settings, where there is one, as it was before it was read.
#[derive(Debug)]
pub struct SettingsFile {
    path: Option<PathBuf>,
    read: Option<Stamp>,
}

/// Tells one state of a file from the next. Kubernetes replaces mounted files by switching a link,
/// which shows in the time of change.
type Stamp = (SystemTime, u64);

impl SettingsFile {
    /// The file as it is now. Whoever looks at it first and reads it then misses no change.
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

/// Follows the file until it is dropped. A file that is being written is left until it is still:
/// two looks at it that see the same. Settings with a mistake are told and not used, and tried again
/// from time to time.
pub async fn follow(
    live: Live,
    mut file: SettingsFile,
    load: impl Fn() -> Result<Config, String> + Clone + Send + 'static,
    mut asked: impl Stream<Item = ()> + Unpin,
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut seen = file.read;
    let mut refused: Option<Refused> = None;
    loop {
        let is_asked = tokio::select! {
            asked = asked.next() => asked.is_some(),
            _ = look.tick() => false,
        };
        let now = file.stamp();
        let is_still = now == seen;
        seen = now;
        let is_changed = now.is_some() && is_still && now != file.read;
        if is_asked || is_changed {
            file.read = now;
            refused = None;
        } else if !refused.as_ref().is_some_and(Refused::is_due) {
            continue;
        }
        refused = again(&live, load.clone(), refused).await;
    }
}

/// That the settings had a mistake when they were read last.
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

/// Reads the settings and serves by them. Where they have a mistake that they had before, nothing is
/// said of it again.
async fn again(
    live: &Live,
    load: impl Fn() -> Result<Config, String> + Send + 'static,
    before: Option<Refused>,
) -> Option<Refused> {
    let serving = live.clone();
    // What was applied is logged in the same task: a stop may end this one at once.
    let applied = tokio::task::spawn_blocking(move || {
        let unchanged = serving.apply(load()?)?;
        serving.metrics().reloaded(true);
        if unchanged.is_empty() {
            tracing::info!("the settings were read again");
        } else {
            let settings = unchanged.join(", ");
            tracing::warn!(settings, "the settings were read again; these wait for a restart");
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
        tracing::error!(%error, "the settings have mistakes, and the ones before stay in force");
    }
    let pause = same.map_or(LOOK_EVERY, |same| (same.pause * 2).min(LONGEST_PAUSE));
    Some(Refused { error, since: Instant::now(), pause })
}
