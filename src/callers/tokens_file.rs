//! The file with tokens, read again when it changes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::tokens::Table;
use crate::config;

/// A file with tokens. While it cannot be read, what it last held is used.
#[derive(Debug)]
pub(super) struct TokensFile {
    path: PathBuf,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    stamp: Option<Stamp>,
    table: Arc<Table>,
}

/// Tells one state of a file from the next.
type Stamp = (Option<SystemTime>, u64);

impl TokensFile {
    /// Reads the file for the first time.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let wrong = |error: String| format!("{}: {error}", path.display());
        let stamp = stamp(path);
        let table = Arc::new(read(path).map_err(wrong)?);
        Ok(Self { path: path.to_owned(), last: Mutex::new(Last { stamp, table }) })
    }

    /// The tokens of the file as it is now.
    pub(super) fn table(&self) -> Arc<Table> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path);
        if now != last.stamp {
            last.stamp = now;
            let file = self.path.display();
            match read(&self.path) {
                Ok(table) => {
                    tracing::info!(%file, "the tokens were read again");
                    last.table = Arc::new(table);
                }
                Err(error) => tracing::warn!(%file, error, "keeping the last tokens"),
            }
        }
        Arc::clone(&last.table)
    }
}

fn read(path: &Path) -> Result<Table, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    config::tokens(&text).map(|tokens| Table::of(&tokens))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}
