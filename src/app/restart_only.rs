//! Settings that need a restart.

use serde::Serialize;

use crate::config::Config;

/// Overwrites the settings that need a restart with their running values, and returns the keys
/// whose new values differ. Secrets are never reported as different.
pub(super) fn restore_running_values(config: &mut Config, running: &Config) -> Vec<&'static str> {
    let mut changed_keys = Vec::new();
    macro_rules! restore {
        ($($($field:ident).+),+ $(,)?) => {$(
            if differ(&config.$($field).+, &running.$($field).+) {
                changed_keys.push(stringify!($($field).+));
            }
            config.$($field).+.clone_from(&running.$($field).+);
        )+};
    }
    restore!(
        http.listen,
        http.admin_listen,
        http.header_timeout,
        http.idle_timeout,
        http.drain_pause,
        http.drain_timeout,
        http.sessions,
        http.session_idle,
        http.session_limit,
        http.session_limit_per_caller,
        http.tls,
        limits.compute_threads,
        limits.connections,
        limits.connections_per_address,
        limits.store,
        limits.store_timeout,
        limits.store_ca_file,
        tools.seal_key,
        audit,
        telemetry,
        sample,
    );
    // Keeps the address of the running sample instance.
    if running.sample.enabled {
        config.octopus.clone_from(&running.octopus);
    }
    changed_keys
}

fn differ(new: &impl Serialize, old: &impl Serialize) -> bool {
    serde_json::to_value(new).ok() != serde_json::to_value(old).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ApprovalMode;

    #[test]
    fn keeps_and_reports_settings_that_need_a_restart() {
        let running = Config::default();
        let mut new = Config::default();
        new.http.listen = ([127, 0, 0, 1], 9).into();
        new.audit.stdout = true;
        new.tools.confirm = ApprovalMode::Never;
        assert_eq!(restore_running_values(&mut new, &running), ["http.listen", "audit"]);
        assert_eq!(new.http.listen, running.http.listen);
        assert!(!new.audit.stdout);
        assert_eq!(new.tools.confirm, ApprovalMode::Never);
    }
}
