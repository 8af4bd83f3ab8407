//! HTTP client of one instance: timeouts, trusted certificates and redirects.

use std::{error::Error, io, time::Duration};

use reqwest::redirect;
use url::Url;

use crate::{
    config::{self, is_loopback},
    text::root_cause,
};

/// Maximum number of redirects that are followed within the instance.
const MAX_REDIRECTS: usize = 5;

/// Builds the HTTP client of an instance. If `follow`, it follows redirects within the origin of
/// the instance; otherwise none.
///
/// # Errors
///
/// Returns an error with the setting below the section of the instance, if `ca_file` cannot be read or
/// contains no PEM certificates, or if the client cannot be built.
pub(in crate::octopus) fn build_http_client(
    url: &Url,
    settings: &config::InstanceSettings,
    follow: bool,
) -> Result<reqwest::Client, String> {
    let redirects = if follow {
        redirect::Policy::custom(follow_within_origin)
    } else {
        redirect::Policy::none()
    };
    let mut builder = reqwest::Client::builder()
        .connect_timeout(settings.connect_timeout.0)
        .read_timeout(settings.timeout.0)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_nodelay(true)
        .redirect(redirects);
    if is_loopback(url) {
        // Proxies from the environment do not apply to the local machine.
        builder = builder.no_proxy();
    }
    if let Some(path) = &settings.ca_file {
        let wrong = |error: &dyn std::fmt::Display| format!("ca_file: {}: {error}", path.display());
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        let trusted = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
        if trusted.is_empty() {
            return Err(wrong(&"the file contains no PEM certificate"));
        }
        builder = builder.tls_certs_merge(trusted);
    } else if url.scheme() == "http" {
        // Redirects to https are not followed, so certificate authorities are not needed.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| match root_cause(&error) {
        reason if reason.contains(NO_AUTHORITIES) => NO_AUTHORITIES_HELP.to_owned(),
        reason => format!("url: failed to set up the HTTP client: {reason}"),
    })
}

/// Returns the error of the HTTP client of an instance, with the setting below its section, e.g.
/// `ca_file: ...`. Sends nothing.
pub fn http_client_error(url: &Url, settings: &config::InstanceSettings) -> Option<String> {
    // Fails only if a provider is already installed, which can be used as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    build_http_client(url, settings, true).err()
}

/// Part of the error of `rustls-platform-verifier` for a machine without certificate authorities.
const NO_AUTHORITIES: &str = "No CA certificates were loaded";

const NO_AUTHORITIES_HELP: &str = "\
    ca_file: this machine has no CA certificates, so no https server can be verified; install them \
    (on Debian the package `ca-certificates`), or set a PEM file with the certificate authority of \
    Octopus";

/// Returns whether a request failed because this process or machine is out of file descriptors
/// (`EMFILE`, `ENFILE`). Such a failure shows nothing about the instance.
pub(in crate::octopus) fn is_out_of_descriptors(error: &(dyn Error + 'static)) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[10_024] } else { &[23, 24] };
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error())
        .any(|code| codes.contains(&code))
}

/// Follows a redirect within the origin of the instance. Redirects to another origin are not
/// followed, so the credential is never sent there.
fn follow_within_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt.previous().first().is_some_and(|first| {
        first.origin() == attempt.url().origin() && attempt.previous().len() <= MAX_REDIRECTS
    });
    if same { attempt.follow() } else { attempt.stop() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("connection failed")]
    struct Outer(#[source] io::Error);

    #[cfg(unix)]
    #[test]
    fn detects_descriptor_exhaustion_in_error_sources() {
        for (code, expected) in [(23, true), (24, true), (111, false)] {
            let inner = || io::Error::from_raw_os_error(code);
            assert_eq!(is_out_of_descriptors(&inner()), expected, "{code}");
            assert_eq!(is_out_of_descriptors(&Outer(inner())), expected, "{code}");
        }
        assert!(!is_out_of_descriptors(&Outer(io::Error::other("other"))));
    }
}
