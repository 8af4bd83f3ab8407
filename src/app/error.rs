//! Errors when the server starts or reloads its configuration.

use std::{io, net::SocketAddr};

use crate::{
    access::UnknownName, audit::AuditError, auth::AuthSetupError, http::TlsError,
    octopus::CredentialError, store::StoreError, telemetry::TelemetryError,
};

/// Error when the server starts or applies new settings. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The metrics exporter cannot start.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The audit log cannot start.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The shared store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authentication of callers cannot be set up.
    #[error(transparent)]
    Auth(#[from] AuthSetupError),
    /// The TLS certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A socket cannot be bound.
    #[error("{setting}: cannot listen on {address}: {error}; choose another address or port")]
    Bind {
        /// Name of the setting.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// The I/O error.
        error: io::Error,
    },
    /// A bound socket cannot be served.
    #[error("{setting}: {error}")]
    Listen {
        /// Name of the setting.
        setting: &'static str,
        /// The I/O error.
        error: io::Error,
    },
    /// `limits.connections` exceeds the file descriptors of the process.
    #[error(
        "limits.connections: {requested} connections exceed the file descriptors of this process \
         ({descriptors}, of which {reserved} are reserved); set it to {available} or less, or \
         raise the limit (ulimit -n, LimitNOFILE)"
    )]
    TooManyConnections {
        /// The configured number of connections.
        requested: usize,
        /// File descriptors of the process.
        descriptors: usize,
        /// File descriptors that are reserved for other uses.
        reserved: usize,
        /// The highest possible number of connections.
        available: usize,
    },
    /// `tools.toolsets` names an unknown toolset.
    #[error("tools.toolsets: {0}")]
    Toolsets(UnknownName),
    /// A policy rule is invalid.
    #[error("policy.rules: {0}")]
    Policy(String),
    /// An instance or the seal key cannot be set up. The text names the setting.
    #[error("{0}")]
    Setting(String),
    /// This build has no sample instance.
    #[error("sample.enabled: {0}")]
    NoSample(&'static str),
    /// Records on standard output would mix with the messages of a local client.
    #[error("audit.stdout: stdio mode uses standard output for MCP; set audit.file.path instead")]
    StdioAudit,
    /// A local client selects no instance, so it needs a default.
    #[error("no default instance; set `default = true` on one instance")]
    NoDefaultInstance,
    /// A local client sends no credential, so the instance needs one.
    #[error(
        "a local client sends no Octopus credential; set OCTOPUS_API_KEY, or OCTOPUS_API_KEY_FILE \
         with the path of a file that contains the key"
    )]
    NoLocalCredential(#[source] CredentialError),
    /// The session with a local client failed to start or ended with an error.
    #[error("{0}")]
    Stdio(String),
}

impl StartError {
    /// Returns whether the settings must be corrected, as opposed to a failure of the machine.
    pub fn is_settings_error(&self) -> bool {
        match self {
            Self::Telemetry(_)
            | Self::Auth(_)
            | Self::Tls(_)
            | Self::TooManyConnections { .. }
            | Self::Toolsets(_)
            | Self::Policy(_)
            | Self::Setting(_)
            | Self::NoSample(_)
            | Self::StdioAudit
            | Self::NoDefaultInstance
            | Self::NoLocalCredential(_) => true,
            Self::Audit(error) => {
                matches!(
                    error,
                    AuditError::Key(_) | AuditError::File { .. } | AuditError::HashKey(_)
                )
            }
            Self::Store(_) | Self::Bind { .. } | Self::Listen { .. } | Self::Stdio(_) => false,
        }
    }
}
