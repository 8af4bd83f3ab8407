//! Settings of rate, concurrency and memory limits, and of the shared store.

use std::{fmt, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::Url;

use super::{ByteSize, DurationSetting, Secret};

/// Rate, concurrency and memory limits, and the store that replicas share.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Maximum number of open connections of the main listener. A further connection replaces the
    /// one that has been idle longest, first those without an authenticated request. If all
    /// connections have a running request, the new one is closed. Default: limited by the file
    /// descriptors of the process (`RLIMIT_NOFILE`), at most 10000. The admin listener has its own
    /// connections.
    pub connections: Option<u32>,
    /// Maximum number of open connections from one address (default 256, min 1). A further
    /// connection replaces one of the same address. An IPv6 address counts as its /64 network. The
    /// limit does not apply to `http.trusted_proxies`.
    pub connections_per_address: u32,
    /// Maximum number of concurrent requests (default 512, min 1). Further requests get 503 with
    /// `Retry-After`.
    pub concurrent_requests: u32,
    /// Maximum number of concurrent requests of one caller per replica (default 64, min 1). Further
    /// requests get an error that asks the client to wait.
    pub concurrent_calls_per_caller: u32,
    /// Maximum memory for large Octopus responses in flight, over all callers and instances
    /// (default `96 MiB`, min twice the largest `response_limit`). The first 64 KiB of each
    /// response do not count. If the memory is exhausted, a read waits up to half the `timeout` of
    /// its instance and then fails. One caller can use half of the memory. The same amount again is
    /// reserved for the parsed content of large responses until their calls end. The default fits a
    /// container with 512 MiB.
    pub bytes_in_flight: ByteSize,
    /// Maximum memory for large requests, including parsed values and copies (default `64 MiB`, min
    /// 16 times `http.body_limit`). A quarter of it is for bodies that are still being received.
    /// Small requests do not count. If the memory is exhausted, a request waits up to 5 s and then
    /// gets 503. One address can use half of the memory.
    pub request_bytes_in_flight: ByteSize,
    /// Maximum number of concurrent requests from one address whose body has not arrived yet, so
    /// that the caller is unknown (default 128, min 1). Further requests get 429. An IPv6 address
    /// counts as its /64 network. Behind a proxy, set `http.trusted_proxies` to distinguish client
    /// addresses.
    pub unread_requests_per_address: u32,
    /// Requests per minute of one caller (default 600, 0 for no limit). Further requests get HTTP
    /// 200 with a JSON-RPC error that states the time to wait, because many clients close the
    /// connection after a 429.
    pub caller_rate: u32,
    /// Requests that one caller may send at once after a pause (default 600).
    pub caller_burst: u32,
    /// Requests per minute of all callers together to one instance (default 6000, 0 for no limit).
    pub instance_rate: u32,
    /// Requests that all callers together may send at once to one instance after a pause (default
    /// 6000).
    pub instance_burst: u32,
    /// Factor over `caller_rate` and `caller_burst` above which a caller gets HTTP 429 (default 10,
    /// min 1). With 1, every request over the rate gets 429.
    pub far_over: u32,
    /// Failed authentications (401) per minute from one address (default 60, 0 for no limit).
    /// Further requests from the address get 429 until the limit has recovered, before their
    /// credentials are checked. Credentials that were valid recently are still accepted. An IPv6
    /// address counts as its /64 network. Behind a proxy, set `http.trusted_proxies` to distinguish
    /// client addresses.
    pub failed_rate: u32,
    /// Failed authentications that one address may cause at once after a pause (default 300).
    pub failed_burst: u32,
    /// Requests per minute from one address to `initialize` and `server/discover` without a
    /// credential or with one that only Octopus can verify (default 120, 0 for no limit). The first
    /// request with such a credential also counts. Further requests get 429.
    pub unproven_rate: u32,
    /// Number of requests limited by `unproven_rate` that one address may send at once after a
    /// pause (default 600).
    pub unproven_burst: u32,
    /// Number of threads for CPU-bound work: searches, redaction and parsing of large documents
    /// (default 0: one per core, max 256). They are additional to the threads that serve requests.
    /// One caller uses at most half of them at once, but at least one.
    pub compute_threads: u32,
    /// Maximum CPU-bound work of one call (default `10s`). Waiting for a thread does not count. A
    /// call that needs more fails with an error.
    pub compute_time: DurationSetting,
    /// Store for rates and for the state that replicas share (default `memory`). `memory`: in this
    /// process only. `redis://HOST:6379` or `rediss://USER:PASSWORD@HOST:6379/0`: a Valkey or Redis
    /// that all replicas share. While it is unavailable, each replica counts for itself.
    pub store: StoreAddress,
    /// Timeout of a request to the store (default `250ms`, max `5s`). The call then continues
    /// without it.
    pub store_timeout: DurationSetting,
    /// Prefix of all keys in the store (default `octopus-mcp:`, max 100 characters).
    pub store_prefix: String,
    /// PEM file with the certificate authorities of the store, instead of those of the system.
    /// Requires a `rediss://` store.
    pub store_ca_file: Option<PathBuf>,
}

impl Default for LimitSettings {
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
            compute_time: DurationSetting::seconds(10),
            store: StoreAddress::Memory,
            store_timeout: DurationSetting(std::time::Duration::from_millis(250)),
            store_prefix: "octopus-mcp:".to_owned(),
            store_ca_file: None,
        }
    }
}

/// Address of the store. Its password is never printed.
#[derive(Clone, Default)]
pub enum StoreAddress {
    /// Memory of this process.
    #[default]
    Memory,
    /// Redis or a compatible server such as Valkey.
    Redis(Secret),
}

impl StoreAddress {
    /// Parses `memory` or the URL of a Redis. Returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "memory" {
            return Some(Self::Memory);
        }
        let url = Url::parse(text).ok()?;
        let is_redis = matches!(url.scheme(), "redis" | "rediss");
        // A fragment such as `#insecure` would disable the certificate check.
        let is_whole = url.host_str().is_some_and(|host| !host.is_empty());
        let is_plain = url.fragment().is_none() && url.query().is_none();
        (is_redis && is_whole && is_plain).then(|| Self::Redis(Secret::from(text.to_owned())))
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Redis(url) => f.write_str(&super::values::mask_url_credentials(url.expose())),
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
        Self::parse(text.expose()).ok_or_else(|| {
            D::Error::custom(
                "expected `memory` or the URL of a Redis such as `redis://HOST:6379` or \
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

impl StoreAddress {
    /// Returns whether the connection uses TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Redis(url) if url.expose().starts_with("rediss:"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_store_addresses_and_masks_passwords() {
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
            let read = StoreAddress::parse(written);
            let printed = read.as_ref().map(|store| format!("{store:?}"));
            assert_eq!(printed.as_deref(), shown, "{written}");
            let json = read.map(|store| serde_json::to_value(store).unwrap());
            assert_eq!(json, shown.map(Into::into), "{written}");
        }
        let wrong = serde_json::from_str::<StoreAddress>("\"redus://:hunter2@cache\"").unwrap_err();
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    }
}
