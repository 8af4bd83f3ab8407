//! Validation of the limits and the shared store.

use crate::config::{ByteSize, Config, DurationSetting, LoadedConfig};

/// Maximum timeout of a request to the store.
const MAX_STORE_TIMEOUT: DurationSetting = DurationSetting::seconds(5);

/// Maximum number of compute threads. The runtime needs blocking threads for files and DNS as well.
const MAX_COMPUTE_THREADS: u32 = 256;

/// Adds a mistake for every limit that would block all requests.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    let limits = &config.limits;
    if limits.connections == Some(0) {
        loaded.add_error("limits.connections", "the value must be at least 1");
    }
    if limits.connections_per_address == 0 {
        loaded.add_error("limits.connections_per_address", "the value must be at least 1");
    }
    if limits.concurrent_requests == 0 {
        loaded.add_error("limits.concurrent_requests", "the value must be at least 1");
    }
    if limits.concurrent_calls_per_caller == 0 {
        loaded.add_error("limits.concurrent_calls_per_caller", "the value must be at least 1");
    }
    if limits.unread_requests_per_address == 0 {
        loaded.add_error("limits.unread_requests_per_address", "the value must be at least 1");
    }
    let largest = config
        .instances_with_keys()
        .into_iter()
        .map(|(_, _, instance)| instance.response_limit.0)
        .max();
    let min = largest.unwrap_or_default().saturating_mul(2);
    if limits.bytes_in_flight.0 < min {
        let message = format!(
            "one caller can use half of it, and a response can have {}; set {} or more, or lower \
             response_limit",
            ByteSize(min / 2),
            ByteSize(min)
        );
        loaded.add_error("limits.bytes_in_flight", &message);
    }
    let min = config.http.body_limit.0.saturating_mul(16);
    if limits.request_bytes_in_flight.0 < min {
        let message = format!(
            "a request of the size http.body_limit would not fit; set {} or more, or lower \
             http.body_limit",
            ByteSize(min)
        );
        loaded.add_error("limits.request_bytes_in_flight", &message);
    }
    if limits.far_over == 0 {
        loaded.add_error(
            "limits.far_over",
            "the value must be at least 1; with 1, every request over the rate gets HTTP 429",
        );
    }
    for (key, rate, burst) in [
        ("limits.caller_burst", limits.caller_rate, limits.caller_burst),
        ("limits.instance_burst", limits.instance_rate, limits.instance_burst),
        ("limits.failed_burst", limits.failed_rate, limits.failed_burst),
        ("limits.unproven_burst", limits.unproven_rate, limits.unproven_burst),
    ] {
        if rate > 0 && burst == 0 {
            loaded.add_error(key, "the burst must be at least 1; a rate of 0 disables the limit");
        }
    }
    if limits.compute_time.0.is_zero() {
        loaded.add_error("limits.compute_time", "the value must be more than 0, e.g. `10s`");
    }
    if limits.compute_threads > MAX_COMPUTE_THREADS {
        loaded.add_error(
            "limits.compute_threads",
            "the value must be at most 256; 0 means one per core",
        );
    }
    if limits.store_timeout > MAX_STORE_TIMEOUT || limits.store_timeout.0.is_zero() {
        loaded.add_error("limits.store_timeout", "the value must be more than 0 and at most 5s");
    }
    let prefix = &limits.store_prefix;
    if prefix.len() > 100 || !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        loaded.add_error(
            "limits.store_prefix",
            "the prefix may contain at most 100 visible ASCII characters",
        );
    }
    if limits.store_ca_file.is_some() && !config.limits.store.is_encrypted() {
        loaded.add_error(
            "limits.store_ca_file",
            "the store has no certificate; use a rediss:// address in limits.store",
        );
    }
}
