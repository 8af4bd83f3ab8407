//! TLS certificates, reloaded when their files change.

use std::{path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_util::sync::CancellationToken;

use crate::config::{self, WatchedFile};

/// Error of the TLS certificate of the listener. The text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or certificate and key do not match.
    #[error("http.tls: {0}")]
    Files(String),
    /// The thread that reads the files panicked.
    #[error(transparent)]
    Thread(#[from] tokio::task::JoinError),
}

/// Interval between checks of the files.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The certificate and the key of the listener. Clones share them.
#[derive(Debug, Clone)]
pub struct Certificates {
    live: Arc<ArcSwap<ServerConfig>>,
    files: Arc<WatchedFile<Arc<ServerConfig>>>,
}

impl Certificates {
    /// Reads the certificate files of the settings. Returns `None` if the listener has no TLS.
    ///
    /// # Errors
    ///
    /// Returns an error for files that cannot be read or do not match.
    pub async fn load(settings: &config::TlsSettings) -> Result<Option<Self>, TlsError> {
        if settings.certificate.is_none() || settings.key.is_none() {
            return Ok(None);
        }
        // Fails only if a provider is already installed, which can be used as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let settings = settings.clone();
        let files = off_thread(move || open(settings)).await?;
        let files = files.map_err(TlsError::Files)?;
        let (read, _) = files.current();
        Ok(Some(Self { live: Arc::new(ArcSwap::new(read)), files: Arc::new(files) }))
    }

    /// Returns the TLS settings for new connections.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.live.load_full()
    }

    /// Polls the files until the server stops. While certificate and key do not match, the last
    /// valid pair stays in use.
    pub async fn follow(self, stop: CancellationToken) {
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = poll.tick() => {}
            }
            let files = Arc::clone(&self.files);
            if let Ok((read, _)) = off_thread(move || files.current()).await
                && !Arc::ptr_eq(&read, &self.live.load())
            {
                self.live.store(read);
            }
        }
    }
}

/// Watches the files that the settings name.
fn open(settings: config::TlsSettings) -> Result<WatchedFile<Arc<ServerConfig>>, String> {
    let config::TlsSettings { certificate, key, client_ca, .. } = &settings;
    let files = [certificate, key, client_ca].into_iter().flatten().cloned().collect();
    WatchedFile::open("the certificate", files, move || server_config(&settings).map(Arc::new))
}

/// Reads files on a thread for blocking work.
async fn off_thread<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TlsError> {
    Ok(tokio::task::spawn_blocking(read).await?)
}

fn server_config(settings: &config::TlsSettings) -> Result<ServerConfig, String> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
        return Err("a certificate and its key are needed".to_owned());
    };
    let chain = certificates(certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(client_verifier(settings)?)
        .with_single_cert(chain, key)
        .map_err(|error| format!("{}: {error}", certificate.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Returns the verifier for client certificates, if the settings name a CA.
fn client_verifier(settings: &config::TlsSettings) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let Some(path) = &settings.client_ca else { return Ok(Arc::new(NoClientAuth)) };
    let wrong = |error: &dyn std::fmt::Display| format!("client_ca: {}: {error}", path.display());
    let mut authorities = RootCertStore::empty();
    for authority in certificates(path)? {
        authorities.add(authority).map_err(|error| wrong(&error))?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(authorities));
    let verifier = match settings.client_certificates {
        config::ClientCertificates::Required => verifier,
        config::ClientCertificates::Optional => verifier.allow_unauthenticated(),
    };
    let verifier = verifier.build().map_err(|error| wrong(&error))?;
    Ok(verifier)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let read = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if read.is_empty() { Err(wrong(&"the file contains no certificate")) } else { Ok(read) }
}
