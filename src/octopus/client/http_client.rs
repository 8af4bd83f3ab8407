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
/// Returns an error if `ca_file` cannot be read or contains no PEM certificates, or if the client
/// cannot be built.
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
        let wrong =
            |error: &dyn std::fmt::Display| format!("octopus.ca_file: {}: {error}", path.display());
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        let trusted = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
        builder = builder.tls_certs_merge(trusted);
    }
    builder
        .build()
        .map_err(|error| format!("failed to build the HTTP client: {}", root_cause(&error)))
}

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
