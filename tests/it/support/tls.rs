//! A self-signed certificate for tests with TLS.

use std::{fs, path::PathBuf};

use octopus_mcp::{config::TlsSettings, http::Certificates};
use tempfile::TempDir;

/// A self-signed certificate for `localhost` and `127.0.0.1`, with its files.
pub struct SelfSigned {
    /// The file with the certificate in PEM.
    pub certificate: PathBuf,
    /// The TLS settings of a server.
    pub settings: TlsSettings,
    _folder: TempDir,
}

impl SelfSigned {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let pair = rcgen::generate_simple_self_signed(names).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, pair.cert.pem()).unwrap();
        fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let settings = TlsSettings {
            certificate: Some(certificate.clone()),
            key: Some(key),
            ..TlsSettings::default()
        };
        Self { certificate, settings, _folder: folder }
    }

    /// Loads the certificate for a listener.
    pub async fn load(&self) -> Option<Certificates> {
        Certificates::load(&self.settings).await.unwrap()
    }
}
