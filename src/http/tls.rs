//! Certificates, read again when their files change.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use axum_server::tls_rustls::RustlsConfig;
use tokio_util::sync::CancellationToken;

use crate::config;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A certificate and its key, as the listener uses them.
#[derive(Debug, Clone)]
pub struct Certificates {
    pub(super) live: RustlsConfig,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificates {
    /// Reads the files that the settings name. `None`: the listener is plain HTTP.
    pub async fn load(settings: &config::Tls) -> Result<Option<Self>, String> {
        let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
            return Ok(None);
        };
        // The one place that chooses; a provider that somebody installed before is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let live = RustlsConfig::from_pem_file(certificate, key).await.map_err(|error| {
            format!("http.tls: {} and {}: {error}", certificate.display(), key.display())
        })?;
        Ok(Some(Self { live, certificate: certificate.clone(), key: key.clone() }))
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
            match self.live.reload_from_pem_file(&self.certificate, &self.key).await {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(error) => tracing::warn!(%error, "keeping the last certificate"),
            }
            last = now;
        }
    }

    fn stamp(&self) -> [Option<(SystemTime, u64)>; 2] {
        let stamp = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [stamp(&self.certificate), stamp(&self.key)]
    }
}
