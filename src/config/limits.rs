//! Settings of how much the server takes on, and from whom.

use std::{fmt, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::Url;

use super::{ByteSize, Config, Loaded, Period, Secret};

/// How much the server takes on, from one caller and at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many connections the main listener keeps open, in whatever state: TLS handshakes, headers
    /// that arrive slowly, HTTP/1.1 and HTTP/2. One more takes the place of the connection that has been
    /// idle longest, those without an authenticated request first; it is closed where a request is under
    /// way on all of them. Left out, as many as the file descriptors of the process allow
    /// (`RLIMIT_NOFILE`), and 10000 at most. The admin listener has connections of its own.
    pub connections: Option<u32>,
    /// How many connections one address may have open; one more takes the place of one of its own. An
    /// IPv6 address counts as its /64. It does not apply to `http.trusted_proxies`, whose connections
    /// carry the requests of many clients.
    pub connections_per_address: u32,
    /// How many requests may be under way. One more is refused with 503 and `Retry-After`.
    pub concurrent_requests: u32,
    /// How many requests of one caller may be under way, at each replica. One more is answered
    /// that it has to wait.
    pub concurrent_calls_per_caller: u32,
    /// How many bytes the large answers of Octopus may take in memory at once, those of all callers
    /// and instances together. The first 64 KiB of an answer do not count. A read that finds no
    /// room waits for half the `timeout` of its instance, and is refused then. One caller can take
    /// half of it. As much again is for what is parsed of large answers, until their calls end.
    /// The default fits a container with 512 MiB.
    pub bytes_in_flight: ByteSize,
    /// How many bytes large requests may take in memory at once, parsed and with their copies; a
    /// quarter of it is for bodies that are still being read. Small requests do not count. A request
    /// that finds no room within 5 s is refused with 503. One address can take half of it.
    pub request_bytes_in_flight: ByteSize,
    /// How many requests from one address may be under way whose body has not come yet: nobody
    /// knows then whose they are. One more is refused with HTTP 429. An IPv6 address counts as
    /// its /64. Behind a proxy, `http.trusted_proxies` tells addresses apart.
    pub unread_requests_per_address: u32,
    /// How many requests a minute one caller may make. One more is answered with HTTP 200 and a
    /// JSON-RPC error that says how long to wait, since many clients give a connection up at 429.
    pub caller_rate: u32,
    /// How many requests one caller may make at once after a pause.
    pub caller_burst: u32,
    /// How many requests a minute all callers together may make to one instance.
    pub instance_rate: u32,
    /// How many requests all callers together may make at once to one instance after a pause.
    pub instance_burst: u32,
    /// How many times its rate and burst a caller has to ask for to be refused with HTTP 429.
    pub far_over: u32,
    /// How many requests a minute from one address may fail to say who calls (401). One more is
    /// refused with HTTP 429, and so is whatever comes from there until some come back, before
    /// its credential is looked at; credentials that were good a moment ago are served. An IPv6
    /// address counts as its /64. Behind a proxy, `http.trusted_proxies` tells addresses apart.
    pub failed_rate: u32,
    /// How many requests from one address may fail so at once after a pause.
    pub failed_burst: u32,
    /// How many greetings a minute may come from one address with a credential that only Octopus
    /// can judge, or with none; the first request with such a credential counts as well. One more
    /// is refused with HTTP 429.
    pub unproven_rate: u32,
    /// How many of those may come from one address at once after a pause.
    pub unproven_burst: u32,
    /// Number of threads for CPU-bound work (searches, redaction and parsing of large documents),
    /// beside those that serve requests. 0, the default, means one for each core. One caller gets
    /// at most half of them at once, and at least one.
    pub compute_threads: u32,
    /// How long the CPU-bound work of one call may take in all (default 10s). Waiting for a thread
    /// does not count. A call that needs more fails with an error.
    pub compute_time: Period,
    /// Where rates, and what replicas have to know of one another, are kept. `memory`: in this
    /// process, for itself. `redis://HOST:6379` or `rediss://USER:PASSWORD@HOST:6379/0`: in a
    /// Valkey or Redis that all replicas share. While that is away, each counts for itself.
    pub store: StoreAddress,
    /// How long the store may take to answer. A call goes on without it after that.
    pub store_timeout: Period,
    /// What the names of everything in the store begin with.
    pub store_prefix: String,
    /// A PEM file with the authorities that the certificate of the store may come from, in place
    /// of those of the system.
    pub store_ca_file: Option<PathBuf>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: None,
            connections_per_address: 256,
            concurrent_requests: 512,
            concurrent_calls_per_caller: 64,
            bytes_in_flight: ByteSize(96 * 1024 * 1024),
            request_bytes_in_flight: ByteSize(64 * 1024 * 1024),
            unread_requests_per_address: 128,
            caller_rate: 600,
            caller_burst: 600,
            instance_rate: 6_000,
            instance_burst: 6_000,
            far_over: 10,
            failed_rate: 60,
            failed_burst: 300,
            unproven_rate: 120,
            unproven_burst: 600,
            compute_threads: 0,
            compute_time: Period::seconds(10),
            store: StoreAddress::Memory,
            store_timeout: Period(std::time::Duration::from_millis(250)),
            store_prefix: "octopus-mcp:".to_owned(),
            store_ca_file: None,
        }
    }
}

/// Where the store is. Its password is never printed.
#[derive(Clone, Default)]
pub enum StoreAddress {
    /// In this process.
    #[default]
    Memory,
    /// A Redis, or what speaks as one.
    Redis(Secret),
}

impl StoreAddress {
    /// Reads `memory`, or the address of a Redis.
    pub fn read(text: &str) -> Option<Self> {
        if text == "memory" {
            return Some(Self::Memory);
        }
        let url = Url::parse(text).ok()?;
        let is_redis = matches!(url.scheme(), "redis" | "rediss");
        // What stands after # would switch the check of the certificate off.
        let is_whole = url.host_str().is_some_and(|host| !host.is_empty());
        let is_plain = url.fragment().is_none() && url.query().is_none();
        (is_redis && is_whole && is_plain).then(|| Self::Redis(Secret::from(text.to_owned())))
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Redis(url) => f.write_str(&super::values::without_password(url.expose())),
        }
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for StoreAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StoreAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        Self::read(text.expose()).ok_or_else(|| {
            D::Error::custom(
                "expected `memory`, or the address of a Redis such as `redis://HOST:6379` or \
                 `rediss://USER:PASSWORD@HOST:6379/0`",
            )
        })
    }
}

impl JsonSchema for StoreAddress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StoreAddress".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// The longest that a call may be held up by the store.
const LONGEST_WAIT: Period = Period::seconds(5);

/// The most compute threads. Blocking threads of the runtime serve files and names as well.
const MOST_THREADS: u32 = 256;

/// Adds a mistake for every limit that nothing could pass.
pub(super) fn validate(loaded: &mut Loaded, config: &Config) {
    let limits = &config.limits;
    if limits.connections == Some(0) {
        loaded.refuse("limits.connections", "at least one connection must be served");
    }
    if limits.connections_per_address == 0 {
        loaded.refuse("limits.connections_per_address", "at least one must be served");
    }
    if limits.concurrent_requests == 0 {
        loaded.refuse("limits.concurrent_requests", "at least one request must be served");
    }
    if limits.concurrent_calls_per_caller == 0 {
        loaded.refuse("limits.concurrent_calls_per_caller", "at least one must be served");
    }
    if limits.unread_requests_per_address == 0 {
        loaded.refuse("limits.unread_requests_per_address", "at least one must be read");
    }
    let largest = config.each_instance().into_iter().map(|(_, _, one)| one.response_limit.0).max();
    let least = largest.unwrap_or_default().saturating_mul(2);
    if limits.bytes_in_flight.0 < least {
        let message = format!(
            "one caller can take half of it, and an answer may have {}; give {} or more, or lower \
             response_limit",
            ByteSize(least / 2),
            ByteSize(least)
        );
        loaded.refuse("limits.bytes_in_flight", &message);
    }
    let least = config.http.body_limit.0.saturating_mul(16);
    if limits.request_bytes_in_flight.0 < least {
        let message = format!(
            "a request of http.body_limit would find no room; give {} or more, or lower that",
            ByteSize(least)
        );
        loaded.refuse("limits.request_bytes_in_flight", &message);
    }
    if limits.far_over == 0 {
        loaded.refuse("limits.far_over", "it must be 1 or more; 1 leaves HTTP 429 alone");
    }
    for (key, rate, burst) in [
        ("limits.caller_burst", limits.caller_rate, limits.caller_burst),
        ("limits.instance_burst", limits.instance_rate, limits.instance_burst),
        ("limits.failed_burst", limits.failed_rate, limits.failed_burst),
        ("limits.unproven_burst", limits.unproven_rate, limits.unproven_burst),
    ] {
        if rate > 0 && burst == 0 {
            loaded.refuse(key, "nothing could come at all; a rate of 0 is no limit");
        }
    }
    if limits.compute_time.0.is_zero() {
        loaded.refuse("limits.compute_time", "it must be more than 0, such as 10s");
    }
    if limits.compute_threads > MOST_THREADS {
        loaded.refuse("limits.compute_threads", "it must be 256 or less; 0 means one a core");
    }
    if limits.store_timeout > LONGEST_WAIT || limits.store_timeout.0.is_zero() {
        loaded.refuse("limits.store_timeout", "it must be more than nothing, and 5s at most");
    }
    let prefix = &limits.store_prefix;
    if prefix.len() > 100 || !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        loaded.refuse("limits.store_prefix", "give at most 100 letters, digits and signs");
    }
    if limits.store_ca_file.is_some() && !config.limits.store.is_encrypted() {
        loaded.refuse("limits.store_ca_file", "only a store at rediss:// has a certificate");
    }
}

impl StoreAddress {
    fn is_encrypted(&self) -> bool {
        matches!(self, Self::Redis(url) if url.expose().starts_with("rediss:"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_the_memory_or_a_redis_and_never_shows_its_password() {
        for (written, shown) in [
            ("memory", Some("memory")),
            ("redis://cache:6379", Some("redis://cache:6379")),
            ("rediss://me:pa@ss@cache:6379/2", Some("rediss://********@cache:6379/2")),
            ("redis://:hunter2@[::1]:6379", Some("redis://********@[::1]:6379")),
            ("", None),
            ("disk", None),
            ("redis://", None),
            ("http://cache:6379", None),
            ("rediss://cache:6379/#insecure", None),
            ("unix:///run/redis", None),
        ] {
            let read = StoreAddress::read(written);
            let printed = read.as_ref().map(|store| format!("{store:?}"));
            assert_eq!(printed.as_deref(), shown, "{written}");
            let json = read.map(|store| serde_json::to_value(store).unwrap());
            assert_eq!(json, shown.map(Into::into), "{written}");
        }
        let wrong = serde_json::from_str::<StoreAddress>("\"redus://:hunter2@cache\"").unwrap_err();
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    }
}
