//! How many connections the listeners keep open, within the file descriptors of the process.

use crate::{config::Config, http::ConnectionLimits, octopus::SET_ASIDE};

/// Connections of the admin listener: probes, and collectors of metrics.
const ADMIN: usize = 32;
/// File descriptors for everything but connections: the runtime, listeners, logs, records of the audit,
/// the store, the collector, files that are read again.
const FILES: usize = 96;
/// The most connections of the main listener where the settings name no number.
const MOST: usize = 10_000;
/// The soft limit is raised this far where the hard limit allows it.
const DESCRIPTORS: u64 = 65_536;

/// The limits of the main and of the admin listener.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) main: ConnectionLimits,
    pub(super) admin: ConnectionLimits,
}

/// Divides the file descriptors of the process: requests to Octopus, the admin listener and files have
/// theirs, and the main listener has the rest. `descriptors`: how many the process may have, where that
/// is limited and known.
pub(super) fn limits(config: &Config, descriptors: Option<u64>) -> Result<Limits, String> {
    let descriptors = descriptors.map_or(usize::MAX, |all| all.try_into().unwrap_or(usize::MAX));
    let upstream = config.each_instance().into_iter();
    // Beside the requests under way, readers may wait for memory (`octopus/places.rs`).
    let upstream = upstream.map(|(.., instance)| instance.concurrent_requests as usize);
    let upstream = upstream.sum::<usize>().saturating_mul(1 + SET_ASIDE);
    // The sample instance has the other ends of its connections here.
    let upstream =
        if config.sample.enabled { usize::saturating_mul(upstream, 2) } else { upstream };
    // Few descriptors are shared by halves, rather than that nothing could connect.
    let reserved = (FILES + ADMIN).saturating_add(upstream).min(descriptors / 2);
    let available = (descriptors - reserved).max(1);
    let total = match config.limits.connections.map(|wanted| wanted as usize) {
        None => available.min(MOST),
        Some(wanted) if wanted <= available => wanted,
        Some(wanted) => {
            return Err(format!(
                "limits.connections: {wanted} connections need more file descriptors than this process \
                 may have: of {descriptors}, {reserved} are reserved; set it to {available} or less, or \
                 raise the limit (ulimit -n, LimitNOFILE)"
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

/// How many file descriptors the process may have, after its soft limit was raised as far as is of use.
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

/// How many file descriptors the process may have: not known here.
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
        let said = main_limit(Some(900), Some(1024)).unwrap_err();
        assert!(said.contains("900") && said.contains("set it to 704 or less"), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_of_this_process_is_known() {
        assert!(descriptors().is_none_or(|all| all >= 8));
    }
}
