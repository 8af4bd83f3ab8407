//! Certificates, read again when their files change.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_util::sync::CancellationToken;

use crate::config;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A certificate and its key, as the listener uses them.
#[derive(Debug, Clone)]
pub struct Certificates {
    pub(super) live: RustlsConfig,
    settings: config::Tls,
}

impl Certificates {
    /// Reads the files that the settings name. `None`: the listener is plain HTTP.
    pub async fn load(settings: &config::Tls) -> Result<Option<Self>, String> {
        if settings.certificate.is_none() || settings.key.is_none() {
            return Ok(None);
        }
        // The one place that chooses; a provider that somebody installed before is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let read = read(settings.clone()).await.map_err(|error| format!("http.tls: {error}"))?;
        let live = RustlsConfig::from_config(Arc::new(read));
        Ok(Some(Self { live, settings: settings.clone() }))
    }

    /// Follows the files until the server stops. A pair that does not read is not used.
    pub async fn follow(self, stop: CancellationToken) {
        let mut last = self.stamp();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
            }
            let now = self.stamp();
            if now == last {
                continue;
            }
            match read(self.settings.clone()).await {
                Ok(read) => {
                    self.live.reload_from_config(Arc::new(read));
                    tracing::info!("the certificate was read again");
                }
                Err(error) => tracing::warn!(%error, "keeping the last certificate"),
            }
            last = now;
        }
    }

    fn stamp(&self) -> [Option<(SystemTime, u64)>; 3] {
        let stamp = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        let config::Tls { certificate, key, client_ca, .. } = &self.settings;
        [certificate, key, client_ca].map(|path| stamp(path.as_deref()?))
    }
}

/// Reads the files, off the threads that serve.
async fn read(settings: config::Tls) -> Result<ServerConfig, String> {
    let reading = tokio::task::spawn_blocking(move || server_config(&settings));
    reading.await.map_err(|error| error.to_string())?
}

fn server_config(settings: &config::Tls) -> Result<ServerConfig, String> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
        return Err("a certificate and its key are needed".to_owned());
    };
    let chain = certificates(certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(clients(settings)?)
        .with_single_cert(chain, key)
        .map_err(|error| format!("{}: {error}", certificate.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Whose certificates are good, where clients are asked for one.
fn clients(settings: &config::Tls) -> Result<Arc<dyn ClientCertVerifier>, String> {
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
    if read.is_empty() { Err(wrong(&"there is no certificate in it")) } else { Ok(read) }
}
