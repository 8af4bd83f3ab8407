//! Settings of the audit records.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ByteSize, DurationSetting, ListSetting, Secret};

/// Audit record of every call: caller, permissions, target and result. Auditing is enabled by at
/// least one output: `stdout`, `file.path` or `otlp.endpoint`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// Writes records to standard output, one JSON object per line (default false). Log lines go to
    /// standard error.
    pub stdout: bool,
    /// Rejects a change unless its audit record was written and flushed before (default false). The
    /// file must accept the record if one is configured, otherwise the collector, otherwise
    /// standard output.
    pub required: bool,
    /// Tool arguments whose values are recorded in clear text, e.g. `projectName,releaseVersion`
    /// (default none). For all other arguments a keyed hash is recorded: equal values have equal
    /// hashes, but values cannot be guessed from them. `confirm` is not allowed here.
    pub fields: ListSetting,
    /// Key of these hashes: at least 32 characters, e.g. from `openssl rand -base64 32`. Without
    /// it, a random key is created at startup, and hashes from different replicas or from before
    /// and after a restart cannot be compared.
    pub hash_key: Option<Secret>,
    /// Key of the audit chain: at least 32 characters, e.g. from `octopus-mcp audit new-key`. With
    /// a key, each record carries an HMAC-SHA-256, and `octopus-mcp audit verify` detects records
    /// that were changed, removed or added without the key. Without a key, a user with write access
    /// to the file can recompute all hashes undetected.
    pub chain_key: Option<Secret>,
    /// File with the key of the audit chain; use it instead of `chain_key`. It must not be in the
    /// folder of `file.path`, and only this server should be able to read it.
    pub chain_key_file: Option<PathBuf>,
    /// Interval at which the chain head of the file is written to the log and to the other audit
    /// outputs, if records were added (default `5m`). The head is the number and hash of the last
    /// record, signed with the key. It is also written at shutdown; `0s` writes it only then. Heads
    /// that are stored elsewhere reveal a truncated file.
    pub head_every: DurationSetting,
    /// Marks changes in Octopus with the caller and the record ID (default true): in the notes of
    /// created releases, and in the user agent that Octopus stores with its events.
    pub mark_changes: bool,
    /// Maximum number of records that wait to be written (default 10000, min 1). Further records
    /// are dropped and counted. With `required`, changes are rejected while the queue is full.
    pub queue: u32,
    /// Audit file.
    pub file: AuditFileSettings,
    /// OpenTelemetry collector for audit records.
    pub otlp: AuditCollectorSettings,
}

/// Audit file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditFileSettings {
    /// Path of the file, e.g. `/var/lib/octopus-mcp/audit.jsonl`. It is created with read access
    /// for its owner only. Only one process may write to it.
    pub path: Option<PathBuf>,
    /// Size at which a new file is started (default `64 MiB`, min `4 KiB`). The number of the last
    /// record is appended to the name of the old file.
    pub rotate_bytes: ByteSize,
    /// Age at which a new file is started (default `24h`).
    pub rotate_after: DurationSetting,
    /// Number of old files to keep (default 30).
    pub keep: u32,
}

/// OpenTelemetry collector, reached with OTLP over HTTP (protobuf).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditCollectorSettings {
    /// Complete URL of the logs endpoint, e.g. `https://collector.example.com:4318/v1/logs`.
    pub endpoint: Option<Url>,
    /// Headers to send, e.g. for authentication. The headers in `OTEL_EXPORTER_OTLP_LOGS_HEADERS`,
    /// or otherwise `OTEL_EXPORTER_OTLP_HEADERS`, are sent too and override headers of the same
    /// name. `OTEL_EXPORTER_OTLP_LOGS_COMPRESSION`, or otherwise `OTEL_EXPORTER_OTLP_COMPRESSION`,
    /// and the variables for resource attributes are also read. Endpoint, timeout and delay come
    /// only from these settings.
    pub headers: Vec<OtlpHeader>,
    /// PEM file with certificate authorities to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// Timeout of one delivery (default `5s`).
    pub timeout: DurationSetting,
    /// Time during which records are collected into one delivery (default `1s`).
    pub delay: DurationSetting,
}

/// HTTP header for the collector.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtlpHeader {
    /// Name of the header.
    pub name: String,
    /// Value of the header. It is never printed.
    pub value: Secret,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            stdout: false,
            required: false,
            fields: ListSetting::default(),
            hash_key: None,
            chain_key: None,
            chain_key_file: None,
            head_every: DurationSetting::seconds(5 * 60),
            mark_changes: true,
            queue: 10_000,
            file: AuditFileSettings::default(),
            otlp: AuditCollectorSettings::default(),
        }
    }
}

impl Default for AuditFileSettings {
    fn default() -> Self {
        Self {
            path: None,
            rotate_bytes: ByteSize(64 * 1024 * 1024),
            rotate_after: DurationSetting::seconds(24 * 60 * 60),
            keep: 30,
        }
    }
}

impl Default for AuditCollectorSettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: Vec::new(),
            ca_file: None,
            timeout: DurationSetting::seconds(5),
            delay: DurationSetting::seconds(1),
        }
    }
}

impl AuditSettings {
    /// Returns whether at least one audit output is configured.
    pub fn is_enabled(&self) -> bool {
        self.stdout || self.file.path.is_some() || self.otlp.endpoint.is_some()
    }
}
