//! Audit log: one record per call, in a verifiable hash chain.

mod chain;
mod changes;
mod collector;
mod forger;
mod keyed;
mod kinds;
mod records;
mod refusals;
mod required;
mod verify;

use std::path::{Path, PathBuf};

use octopus_mcp::config::Config;
use serde_json::Value;

use crate::consent::{Desk, changes};

/// A server with write tools and an audit file, and the folder of the file.
pub struct Recorded {
    pub desk: Desk,
    pub folder: tempfile::TempDir,
}

impl Recorded {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::within(folder, change).await
    }

    pub async fn within(folder: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let path = folder.path().join("audit.jsonl");
        let desk = Desk::with(|config| {
            config.audit.file.path = Some(path);
            change(config);
        })
        .await;
        Self { desk, folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    /// Stops the server, which flushes the audit file, and returns the folder.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.desk.server.running.take().unwrap().stop().await;
        self.folder
    }

    /// Stops the server and returns its call records.
    pub async fn records(self) -> Vec<Value> {
        let folder = self.stop().await;
        records(&folder.path().join("audit.jsonl"))
    }
}

/// Reads the records of a file, without the notices at the beginning of a file (`kind: "begin"`).
pub fn records(path: &Path) -> Vec<Value> {
    let all = lines(path);
    all.into_iter().filter(|record| record["kind"] != "begin").collect()
}

/// Reads all lines of a file.
pub fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns a call that deploys a release.
pub fn deployment() -> (&'static str, Value) {
    let (tool, arguments, ..) = changes().remove(1);
    (tool, arguments)
}
