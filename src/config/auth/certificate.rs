//! The settings of callers whom a TLS certificate names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scope;

/// Certificates of TLS clients. The organizational units of the subject are the caller's groups.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Certificate {
    /// What of a certificate names its caller: `cn`, the common name of the subject; or the first
    /// alternative name of a kind: `uri` (SPIFFE), `dns`, `email`.
    pub subject: SubjectName,
    /// How much a caller may do where no group says: `read`, `deploy` or `admin`.
    pub scope: Scope,
}

/// What of a certificate names its caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubjectName {
    /// The common name of the subject.
    #[default]
    Cn,
    /// The first alternative name that is a URI.
    Uri,
    /// The first alternative name that is a DNS name.
    Dns,
    /// The first alternative name that is an address of mail.
    Email,
}
