//! Connection limits of the listeners, derived from the file descriptor limit of the process.

use super::StartError;
use crate::{config::Config, http::ConnectionLimits, octopus::PARKED_PER_PERMIT};

/// Connections of the admin listener: probes and metrics collectors.
const ADMIN_CONNECTIONS: usize = 32;
/// File descriptors that are not connections of clients or to Octopus: the runtime, listeners,
/// logs, audit records, the store, the collector and watched files.
const RESERVED_FILES: usize = 96;
/// Maximum connections of the main listener if `limits.connections` is not set.
const DEFAULT_MAX_CONNECTIONS: usize = 10_000;
/// Target of the soft file descriptor limit, within the hard limit.
const TARGET_DESCRIPTORS: u64 = 65_536;

/// The limits of the main and of the admin listener.
#[derive(Debug)]
pub(super) struct ListenerLimits {
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
/// Returns an error if `limits.connections` exceeds the available file descriptors.
pub(super) fn listener_limits(
    config: &Config,
    descriptors: Option<u64>,
) -> Result<ListenerLimits, StartError> {
    let descriptors = descriptors.map_or(usize::MAX, |all| all.try_into().unwrap_or(usize::MAX));
    let upstream = config.instances_with_keys().into_iter();
    // In addition to running requests, responses that wait for memory keep their connections.
    let upstream = upstream.map(|(.., instance)| instance.concurrent_requests as usize);
    let upstream = upstream.sum::<usize>().saturating_mul(1 + PARKED_PER_PERMIT);
    // The sample instance runs in this process, so both ends of its connections use descriptors.
    let upstream =
        if config.sample.enabled { usize::saturating_mul(upstream, 2) } else { upstream };
    // With few descriptors, at most half of them are reserved, so that clients can still connect.
    let reserved =
        (RESERVED_FILES + ADMIN_CONNECTIONS).saturating_add(upstream).min(descriptors / 2);
    let available = (descriptors - reserved).max(1);
    let total = match config.limits.connections.map(|requested| requested as usize) {
        None => available.min(DEFAULT_MAX_CONNECTIONS),
        Some(requested) if requested <= available => requested,
        Some(requested) => {
            return Err(StartError::TooManyConnections {
                requested,
                descriptors,
                reserved,
                available,
            });
        }
    };
    let admin = ADMIN_CONNECTIONS.min(reserved / 4).max(1);
    Ok(ListenerLimits {
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
    let target = maximum.map_or(TARGET_DESCRIPTORS, |maximum| maximum.min(TARGET_DESCRIPTORS));
    if current.is_some_and(|current| current < target)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum }).is_ok()
    {
        return Some(target);
    }
    current
}

/// Returns `None`, because the file descriptor limit is unknown on this platform.
#[cfg(not(unix))]
pub(super) fn descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_limit(requested: Option<u32>, descriptors: Option<u64>) -> Result<usize, String> {
        let mut config = Config::default();
        config.octopus.url = "https://octopus.example.com".parse().ok();
        config.limits.connections = requested;
        let limits = listener_limits(&config, descriptors).map_err(|error| error.to_string())?;
        assert!(limits.admin.total >= 1);
        if let Some(descriptors) = descriptors {
            assert!(limits.main.total + limits.admin.total < descriptors.try_into().unwrap());
        }
        Ok(limits.main.total)
    }

    #[test]
    fn main_listener_gets_the_remaining_descriptors() {
        for (descriptors, expected) in [
            (None, DEFAULT_MAX_CONNECTIONS),
            (Some(1_000_000), DEFAULT_MAX_CONNECTIONS),
            (Some(1024), 1024 - RESERVED_FILES - ADMIN_CONNECTIONS - 192),
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
    fn process_descriptor_limit_is_known() {
        assert!(descriptors().is_none_or(|all| all >= 8));
    }
}
