//! Settings of the audit.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ByteSize, List, Loaded, Period, Secret};

/// A record of every call: who, with which right, where, and what became of it. It is kept where
/// at least one of `stdout`, `file.path` and `otlp.endpoint` says so.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Whether records go to standard output, one JSON object a line. The log is on standard
    /// error.
    pub stdout: bool,
    /// Whether nothing is changed without a record: before a change is sent, that it will be is
    /// written and flushed, or the change is refused. The file decides where there is one,
    /// otherwise the collector, otherwise standard output.
    pub required: bool,
    /// The arguments of tools whose values are written as they are: `projectName,releaseVersion`.
    /// Of all others a keyed hash is written, which says whether two values are the same and does
    /// not let anybody guess them.
    pub fields: List,
    /// The key of these hashes: at least 32 characters. Left out, one is made at the start; then
    /// hashes from before and after a restart, or of two replicas, cannot be compared.
    pub hash_key: Option<Secret>,
    /// The key of the audit chain: at least 32 characters, for example from
    /// `octopus-mcp audit new-key`. With a key, each record carries an HMAC-SHA-256, and
    /// `octopus-mcp audit verify` detects records that were changed, removed or added without the
    /// key. Without a key, a user with write access to the file can recompute all hashes undetected.
    pub chain_key: Option<Secret>,
    /// A file that contains the key of the audit chain. It must not be in the folder of `file.path`,
    /// and only this server should be able to read it.
    pub chain_key_file: Option<PathBuf>,
    /// How often the chain head of the file (number and hash of its last record, signed with the
    /// key) is written to the log and to the other audit outputs, if records were added. It is also
    /// written at shutdown. Heads that are kept elsewhere reveal a truncated file. `0s` writes it at
    /// shutdown only.
    pub head_every: Period,
    /// Whether what is made carries who made it and the ID of the record: releases in their notes,
    /// and every change in the user agent that Octopus keeps with its events.
    pub mark_changes: bool,
    /// How many records may wait to be written. More are lost, and counted; with `required`, a
    /// change that finds no place is refused.
    pub queue: u32,
    /// The file that records go to.
    pub file: AuditFile,
    /// The OpenTelemetry collector that records go to.
    pub otlp: Otlp,
}

/// The file that records go to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditFile {
    /// Where it is. Only its owner may read it. One process alone writes to it.
    pub path: Option<PathBuf>,
    /// How large it grows before the next one begins. The one before gets the number of its last
    /// record behind its name.
    pub rotate_bytes: ByteSize,
    /// How old it grows before the next one begins.
    pub rotate_after: Period,
    /// How many earlier ones are kept.
    pub keep: u32,
}

/// An OpenTelemetry collector, as it is reached over HTTP with protobuf.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Otlp {
    /// Where it takes them, whole: `https://collector.example.com:4318/v1/logs`.
    pub endpoint: Option<Url>,
    /// Headers that it asks for. Those of the standard variable `OTEL_EXPORTER_OTLP_LOGS_HEADERS`,
    /// or else `OTEL_EXPORTER_OTLP_HEADERS`, are sent as well, and win over those with the same
    /// name here. `OTEL_EXPORTER_OTLP_LOGS_COMPRESSION`, or else the one without `LOGS_`, and what
    /// the variables say of who sends count as well; where and how often is delivered stands in
    /// the settings alone.
    pub headers: Vec<OtlpHeader>,
    /// A file with the certificates of authorities to trust beside those of the system (PEM).
    pub ca_file: Option<PathBuf>,
    /// How long one delivery may take.
    pub timeout: Period,
    /// How long records are gathered before they are delivered.
    pub delay: Period,
}

/// A header that a collector asks for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtlpHeader {
    /// Its name.
    pub name: String,
    /// Its value, which is never printed.
    pub value: Secret,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            stdout: false,
            required: false,
            fields: List::default(),
            hash_key: None,
            chain_key: None,
            chain_key_file: None,
            head_every: Period::seconds(5 * 60),
            mark_changes: true,
            queue: 10_000,
            file: AuditFile::default(),
            otlp: Otlp::default(),
        }
    }
}

impl Default for AuditFile {
    fn default() -> Self {
        Self {
            path: None,
            rotate_bytes: ByteSize(64 * 1024 * 1024),
            rotate_after: Period::seconds(24 * 60 * 60),
            keep: 30,
        }
    }
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: Vec::new(),
            ca_file: None,
            timeout: Period::seconds(5),
            delay: Period::seconds(1),
        }
    }
}

impl Audit {
    /// Whether records are kept anywhere.
    pub fn is_on(&self) -> bool {
        self.stdout || self.file.path.is_some() || self.otlp.endpoint.is_some()
    }
}

/// What no record may hold in clear: it is worth as much as a password for a while.
const NEVER_CLEAR: &str = "confirm";
const SHORTEST_KEY: usize = 32;
/// A file that holds a few records at least.
const SMALLEST_FILE: usize = 4 * 1024;

/// Adds a mistake for what cannot stand together.
pub(super) fn validate(loaded: &mut Loaded, audit: &Audit) {
    if audit.required && !audit.is_on() {
        loaded.refuse(
            "audit.required",
            "say where records go: audit.file.path, audit.otlp.endpoint or audit.stdout",
        );
    }
    if audit.hash_key.as_ref().is_some_and(|key| key.expose().len() < SHORTEST_KEY) {
        let message = "give at least 32 characters, as `openssl rand -base64 32` does";
        loaded.refuse("audit.hash_key", message);
    }
    chain_key(loaded, audit);
    if audit.fields.0.iter().any(|field| field.eq_ignore_ascii_case(NEVER_CLEAR)) {
        let message = "`confirm` holds a code that agrees to a change; leave it out";
        loaded.refuse("audit.fields", message);
    }
    if audit.queue == 0 {
        loaded.refuse("audit.queue", "at least one record must have a place");
    }
    if audit.file.rotate_bytes.0 < SMALLEST_FILE {
        loaded.refuse("audit.file.rotate_bytes", "leave at least 4 KiB for each file");
    }
    if audit.file.rotate_after.0.is_zero() {
        loaded.refuse("audit.file.rotate_after", "give a file some time, such as `24h`");
    }
    let otlp = &audit.otlp;
    if otlp.endpoint.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        loaded
            .refuse("audit.otlp.endpoint", "give an address that begins with https:// or http://");
    }
    if otlp.timeout.0.is_zero() || otlp.delay.0.is_zero() {
        loaded.refuse("audit.otlp.timeout", "timeout and delay must be longer than nothing");
    }
    if let Some(path) = &otlp.ca_file
        && let Err(error) = std::fs::File::open(path)
    {
        let message = format!("the file {} cannot be read: {error}", path.display());
        loaded.refuse("audit.otlp.ca_file", &message);
    }
}

fn chain_key(loaded: &mut Loaded, audit: &Audit) {
    let is_short = |key: &str| key.trim().len() < SHORTEST_KEY;
    let message = "give at least 32 characters, as `octopus-mcp audit new-key` does";
    if audit.chain_key.as_ref().is_some_and(|key| is_short(key.expose())) {
        loaded.refuse("audit.chain_key", message);
    }
    let Some(path) = &audit.chain_key_file else { return };
    let key = "audit.chain_key_file";
    if audit.chain_key.is_some() {
        loaded.refuse(key, "give either audit.chain_key or audit.chain_key_file, not both");
    }
    match std::fs::read_to_string(path) {
        Ok(text) if is_short(&text) => {
            loaded.refuse(key, &format!("the key in {} is too short; {message}", path.display()));
        }
        Ok(_) => {}
        Err(error) => {
            loaded.refuse(key, &format!("the file {} cannot be read: {error}", path.display()));
        }
    }
    let folder =
        |path: &std::path::Path| std::path::absolute(path).ok()?.parent().map(PathBuf::from);
    if audit.file.path.as_ref().is_some_and(|file| folder(file) == folder(path)) {
        let message = "keep the key in another folder than audit.file.path: a user who can \
                       change records must not be able to read it";
        loaded.refuse(key, message);
    }
}
