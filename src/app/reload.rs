//! Reads the settings again when their file changes, or when somebody asks for it.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use futures::{Stream, StreamExt};

use super::Live;
use crate::config::Config;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
/// two looks at it that see the same. Settings with a mistake are told and not used.
pub async fn follow(
    live: Live,
    mut file: SettingsFile,
    load: impl Fn() -> Result<Config, String> + Clone + Send + 'static,
    mut asked: impl Stream<Item = ()> + Unpin,
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut seen = file.read;
    loop {
        let is_asked = tokio::select! {
            asked = asked.next() => asked.is_some(),
            _ = look.tick() => false,
        };
        let now = file.stamp();
        let is_still = now == seen;
        seen = now;
        if is_asked || (now.is_some() && is_still && now != file.read) {
            file.read = now;
            again(&live, load.clone()).await;
        }
    }
}

async fn again(live: &Live, load: impl Fn() -> Result<Config, String> + Send + 'static) {
    let serving = live.clone();
    let applied = tokio::task::spawn_blocking(move || serving.apply(load()?)).await;
    let applied = applied.unwrap_or_else(|error| Err(error.to_string()));
    live.metrics().reloaded(applied.is_ok());
    match applied {
        Ok(unchanged) if unchanged.is_empty() => tracing::info!("the settings were read again"),
        Ok(unchanged) => {
            let settings = unchanged.join(", ");
            tracing::warn!(settings, "the settings were read again; these wait for a restart");
        }
        Err(error) => {
            tracing::error!(%error, "the settings have mistakes, and the ones before stay in force");
        }
    }
}
