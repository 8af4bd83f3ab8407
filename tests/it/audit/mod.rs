//! Audit log: one record per call, in a verifiable hash chain.

mod chain;
mod changes;
mod collector;
mod forger;
mod keyed_chain;
mod record_contents;
mod record_kinds;
mod rejections;
mod required_records;
mod verify_command;

use std::path::{Path, PathBuf};

use octopus_mcp::config::Config;
use serde_json::Value;

use crate::approval::{ApprovalFixture, ApprovalFlow, write_calls};

/// A server with write tools and an audit file, and the folder of the file.
pub struct AuditFixture {
    pub approval: ApprovalFixture,
    pub folder: tempfile::TempDir,
}

impl AuditFixture {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_folder(folder, change).await
    }

    pub async fn in_folder(folder: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let path = folder.path().join("audit.jsonl");
        let fixture = ApprovalFixture::with(|config| {
            config.audit.file.path = Some(path);
            change(config);
        })
        .await;
        Self { approval: fixture, folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    /// Requests approval of a deployment, and sends this action of the user. Returns the preview.
    pub async fn deploy_and_respond(&self, action: &str) -> String {
        let (flow, (tool, arguments)) = (ApprovalFlow::InputRequired, deployment());
        let (preview, token) =
            self.approval.call(flow, tool, &arguments).await.expect_approval_request();
        self.approval.respond(flow, tool, &arguments, &token, action).await;
        preview
    }

    /// Stops the server, which flushes the audit file, and returns the folder.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.approval.server.running.take().unwrap().stop().await;
        self.folder
    }

    /// Stops the server and returns its call records.
    pub async fn records(self) -> Vec<Value> {
        let folder = self.stop().await;
        read_records(&folder.path().join("audit.jsonl"))
    }
}

/// Reads the records of a file, without the notices at the beginning of a file (`kind: "begin"`).
pub fn read_records(path: &Path) -> Vec<Value> {
    let all = read_lines(path);
    all.into_iter().filter(|record| record["kind"] != "begin").collect()
}

/// Reads all lines of a file.
pub fn read_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns a call that deploys a release.
pub fn deployment() -> (&'static str, Value) {
    let (tool, arguments, ..) = write_calls().remove(1);
    (tool, arguments)
}
