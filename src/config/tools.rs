//! Settings of the tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ByteSize, List, Secret};

/// Which tools are offered, and how much they may answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tools {
    /// The toolsets that are on, or `all`. `core` is always on.
    pub toolsets: List,
    /// Whether tools that change anything are left out.
    pub read_only: bool,
    /// Whether things may be deleted, where changes are allowed at all.
    pub allow_deletes: bool,
    /// How a change is agreed to. `ask`: a person is asked through the client, and a client that
    /// cannot ask changes nothing. `code`: such a client gets a code with the preview of the
    /// change, and calls again with it. `argument`: there a bare `confirm: true` will do too.
    /// `never`: changes are made at once.
    pub confirm: Confirm,
    /// The key that seals questions, codes and sessions: at least 32 characters. Left out, one is
    /// made at the start; then a code is of no use after a restart or at another replica. With one,
    /// any replica takes the yes. What was done, replicas tell one another through `limits.store`;
    /// without one, each remembers what it did itself.
    pub seal_key: Option<Secret>,
    /// The key before, while what it sealed may still come back.
    pub seal_key_previous: Option<Secret>,
    /// How large an answer is before it is cut.
    pub answer_bytes: ByteSize,
    /// How large an answer can be where a call asks for more.
    pub answer_bytes_cap: ByteSize,
    /// How many items a list has where a call does not say.
    pub take: u32,
    /// How many items a list can have.
    pub take_cap: u32,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            toolsets: List(vec!["all".to_owned()]),
            read_only: true,
            allow_deletes: false,
            confirm: Confirm::Code,
            seal_key: None,
            seal_key_previous: None,
            answer_bytes: ByteSize(20 * 1024),
            answer_bytes_cap: ByteSize(100 * 1024),
            take: 30,
            take_cap: 100,
        }
    }
}

/// How far consent to a change may be let down, strictest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// A person, through the client.
    Ask,
    /// A person; where the client cannot ask, a code.
    Code,
    /// A person; where the client cannot ask, a code or `confirm: true`.
    Argument,
    /// Nobody.
    Never,
}
