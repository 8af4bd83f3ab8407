//! Settings of authentication by TLS client certificate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TokenScope;

/// TLS client certificates. The organizational units of the subject are the groups of the caller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CertificateAuthSettings {
    /// Part of the certificate that names the caller: `cn` (default), the common name of the
    /// subject, or the first subject alternative name of a kind: `uri` (e.g. SPIFFE), `dns`,
    /// `email`.
    pub subject: SubjectName,
    /// Scope of callers if no group determines it: `read` (default), `deploy` or `admin`.
    pub scope: TokenScope,
}

/// Part of a certificate that names the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubjectName {
    /// Common name of the subject.
    #[default]
    Cn,
    /// First subject alternative name that is a URI.
    Uri,
    /// First subject alternative name that is a DNS name.
    Dns,
    /// First subject alternative name that is an email address.
    Email,
}
