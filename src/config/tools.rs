//! Settings of the tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ByteSize, ListSetting, Secret};

/// Tools that are offered, approval of changes, and size of answers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ToolSettings {
    /// Enabled toolsets, e.g. `core,projects`, or `all` (default). The toolset `core` is always
    /// enabled.
    pub toolsets: ListSetting,
    /// Hides all tools that change Octopus (default true).
    pub read_only: bool,
    /// Offers tools that delete objects (default false). Requires `read_only = false`.
    pub allow_deletes: bool,
    /// Approval required for changes (default `code`). `ask`: the client asks the user; clients
    /// without elicitation cannot change anything. `code`: such clients get a preview with a code
    /// and send the code in a second call. `argument`: clients without elicitation may also send
    /// `confirm: true`. `never`: changes run without approval.
    pub confirm: ApprovalMode,
    /// Key that seals approval requests, codes and session IDs: at least 32 characters, e.g. from
    /// `openssl rand -base64 32`. Set the same key on all replicas, so that each accepts the
    /// approvals of the others. Without it, a random key is created at startup, and a code is
    /// invalid after a restart or on another replica. Replicas share which changes were executed
    /// through `limits.store`; without a store, each replica knows only its own.
    pub seal_key: Option<Secret>,
    /// Previous `seal_key`: at least 32 characters. Set it during a key rotation, as long as codes
    /// and sessions sealed with the previous key may still be used.
    pub seal_key_previous: Option<Secret>,
    /// Maximum size of an answer unless a call requests more (default `20 KiB`, min `1 KiB`).
    /// Larger answers are truncated.
    pub answer_bytes: ByteSize,
    /// Maximum answer size that a call may request (default `100 KiB`, min `answer_bytes`).
    pub answer_bytes_cap: ByteSize,
    /// Number of list items to return unless a call requests another number (default 30, min 1).
    pub take: u32,
    /// Maximum number of list items that a call may request (default 100, min `take`).
    pub take_cap: u32,
}

impl Default for ToolSettings {
    fn default() -> Self {
        Self {
            toolsets: ListSetting(vec!["all".to_owned()]),
            read_only: true,
            allow_deletes: false,
            confirm: ApprovalMode::Code,
            seal_key: None,
            seal_key_previous: None,
            answer_bytes: ByteSize(20 * 1024),
            answer_bytes_cap: ByteSize(100 * 1024),
            take: 30,
            take_cap: 100,
        }
    }
}

/// Approval that changes require, strictest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalMode {
    /// The client asks the user.
    Ask,
    /// The client asks the user; clients that cannot ask get a code.
    Code,
    /// The client asks the user; clients that cannot ask send a code or `confirm: true`.
    Argument,
    /// No approval.
    Never,
}
