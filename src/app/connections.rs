//! Connection limits of the listeners, derived from the file descriptor limit of the process.

use crate::{config::Config, http::ConnectionLimits, octopus::SET_ASIDE};

/// Connections of the admin listener: probes and metrics collectors.
const ADMIN: usize = 32;
/// File descriptors that are not connections of clients or to Octopus: the runtime, listeners,
/// logs, audit records, the store, the collector and watched files.
const FILES: usize = 96;
/// Maximum connections of the main listener if `limits.connections` is not set.
const MOST: usize = 10_000;
/// Target of the soft file descriptor limit, within the hard limit.
const DESCRIPTORS: u64 = 65_536;

/// The limits of the main and of the admin listener.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) main: ConnectionLimits,
    pub(super) admin: ConnectionLimits,
}

/// Divides the file descriptors of the process. Requests to Octopus, the admin listener and files
/// have fixed shares; the main listener gets the rest.
///
/// `descriptors` is the file descriptor limit, or `None` if it is unlimited or unknown.
///
/// # Errors
///
/// A message if `limits.connections` exceeds the available file descriptors.
pub(super) fn limits(config: &Config, descriptors: Option<u64>) -> Result<Limits, String> {
    let descriptors = descriptors.map_or(usize::MAX, |all| all.try_into().unwrap_or(usize::MAX));
    let upstream = config.each_instance().into_iter();
    // Besides the running requests, responses that wait for memory keep their connections.
    let upstream = upstream.map(|(.., instance)| instance.concurrent_requests as usize);
    let upstream = upstream.sum::<usize>().saturating_mul(1 + SET_ASIDE);
    // The sample instance runs in this process, so both ends of its connections count.
    let upstream =
        if config.sample.enabled { usize::saturating_mul(upstream, 2) } else { upstream };
    // With few descriptors, reserve at most half of them, so that clients can still connect.
    let reserved = (FILES + ADMIN).saturating_add(upstream).min(descriptors / 2);
    let available = (descriptors - reserved).max(1);
    let total = match config.limits.connections.map(|wanted| wanted as usize) {
        None => available.min(MOST),
        Some(wanted) if wanted <= available => wanted,
        Some(wanted) => {
            return Err(format!(
                "limits.connections: {wanted} connections exceed the file descriptors of this \
                 process ({descriptors}, of which {reserved} are reserved); set it to {available} \
                 or less, or raise the limit (ulimit -n, LimitNOFILE)"
            ));
        }
    };
    let admin = ADMIN.min(reserved / 4).max(1);
    Ok(Limits {
        main: ConnectionLimits {
            total,
            per_address: config.limits.connections_per_address as usize,
            trusted_proxies: config.http.trusted_proxies.clone(),
            authenticates: true,
        },
        admin: ConnectionLimits { total: admin, per_address: admin, ..ConnectionLimits::default() },
    })
}

/// Raises the soft file descriptor limit to the target, and returns the limit that applies.
#[cfg(unix)]
pub(super) fn descriptors() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS));
    if current.is_some_and(|current| current < wanted)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok()
    {
        return Some(wanted);
    }
    current
}

/// Returns `None`: the file descriptor limit is not known on this platform.
#[cfg(not(unix))]
pub(super) fn descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_limit(wanted: Option<u32>, descriptors: Option<u64>) -> Result<usize, String> {
        let mut config = Config::default();
        config.octopus.url = "https://octopus.example.com".parse().ok();
        config.limits.connections = wanted;
        let limits = limits(&config, descriptors)?;
        assert!(limits.admin.total >= 1);
        if let Some(descriptors) = descriptors {
            assert!(limits.main.total + limits.admin.total < descriptors.try_into().unwrap());
        }
        Ok(limits.main.total)
    }

    #[test]
    fn the_main_listener_has_what_others_do_not_need() {
        for (descriptors, expected) in [
            (None, MOST),
            (Some(1_000_000), MOST),
            (Some(1024), 1024 - FILES - ADMIN - 192),
            (Some(64), 32),
            (Some(8), 4),
        ] {
            assert_eq!(main_limit(None, descriptors), Ok(expected), "{descriptors:?}");
        }
        assert_eq!(main_limit(Some(20), Some(64)), Ok(20));
        assert_eq!(main_limit(Some(50_000), None), Ok(50_000));
        let error = main_limit(Some(900), Some(1024)).unwrap_err();
        assert!(error.contains("900") && error.contains("set it to 704 or less"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_of_this_process_is_known() {
        assert!(descriptors().is_none_or(|all| all >= 8));
    }
}
