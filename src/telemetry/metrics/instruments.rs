//! All synchronous instruments, with name, unit, buckets and description.
//!
//! Names without the prefix `octopus_mcp.` and their buckets come from the OpenTelemetry semantic
//! conventions (HTTP, MCP). Prometheus exposes `octopus_mcp.answer.size` in bytes as
//! `octopus_mcp_answer_size_bytes`.

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// Buckets in seconds that the HTTP conventions recommend.
const HTTP_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Buckets in seconds that the MCP conventions recommend.
const MCP_BUCKETS: [f64; 14] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// Buckets in bytes, chosen around the sizes at which answers are truncated.
const SIZE_BUCKETS: [f64; 9] =
    [256.0, 1024.0, 4096.0, 16384.0, 32768.0, 65536.0, 262_144.0, 1_048_576.0, 16_777_216.0];

/// Defines the struct of instruments. The doc comment of a field is the description of the metric.
macro_rules! instruments {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident = $name:literal $(in $unit:literal)? $(at $buckets:ident)?;)+) => {
        /// Instruments that record values when they occur.
        #[derive(Debug, Clone)]
        pub(super) struct Instruments {
            $($(#[doc = $help])+ pub(super) $field: instruments!(@type $kind),)+
        }

        impl Instruments {
            pub(super) fn new(meter: &Meter) -> Self {
                Self {
                    $($field: instruments!(@make $kind meter $name)
                        .with_description(concat!($($help),+).trim())
                        $(.with_unit($unit))?
                        $(.with_boundaries($buckets.to_vec()))?
                        .build(),)+
                }
            }
        }
    };
    (@type counter) => { Counter<u64> };
    (@type histogram) => { Histogram<f64> };
    (@type gauge) => { UpDownCounter<i64> };
    (@make counter $meter:ident $name:literal) => { $meter.u64_counter($name) };
    (@make histogram $meter:ident $name:literal) => { $meter.f64_histogram($name) };
    (@make gauge $meter:ident $name:literal) => { $meter.i64_up_down_counter($name) };
}

instruments! {
    /// Duration of HTTP server requests, until the response head was sent or the client gave up.
    http_server_duration: histogram = "http.server.request.duration" in "s" at HTTP_BUCKETS;
    /// Number of active HTTP server requests.
    http_server_active: gauge = "http.server.active_requests" in "{request}";
    /// Duration of MCP requests and notifications. Notifications are recorded only in sessions,
    /// because they are not processed in other transport modes. Requests rejected before their method is known
    /// are recorded as HTTP requests only.
    mcp_operation_duration: histogram = "mcp.server.operation.duration" in "s" at MCP_BUCKETS;
    /// Duration of HTTP requests to Octopus, identity providers and token endpoints, until the
    /// response head.
    http_client_duration: histogram = "http.client.request.duration" in "s" at HTTP_BUCKETS;
    /// Number of requests to Octopus, by outcome: status class (such as 2xx) or error type.
    upstream_requests: counter = "octopus_mcp.upstream.requests" in "{request}";
    /// Number of cache lookups, by cache and result.
    cache_lookups: counter = "octopus_mcp.cache.lookups" in "{lookup}";
    /// Size of answers as JSON, before and after truncation.
    answer_size: histogram = "octopus_mcp.answer.size" in "By" at SIZE_BUCKETS;
    /// Number of policy decisions on calls, by effect and rule. The rule is empty if none matched.
    policy_decisions: counter = "octopus_mcp.policy.decisions" in "{decision}";
    /// Number of approvals requested for changes, by outcome and approval method.
    confirmations: counter = "octopus_mcp.confirmations" in "{confirmation}";
    /// Number of changes sent to Octopus, by tool and result.
    changes: counter = "octopus_mcp.changes" in "{change}";
    /// Number of redacted secrets and removed invisible characters, by kind.
    redactions: counter = "octopus_mcp.redactions" in "{redaction}";
    /// Number of requests rejected by a rate or concurrency limit, by limit.
    rate_limited: counter = "octopus_mcp.rate_limited" in "{request}";
    /// Number of requests that failed authentication.
    authentication_failures: counter = "octopus_mcp.authentication.failures" in "{request}";
    /// Number of configuration reloads, by result.
    config_reloads: counter = "octopus_mcp.config.reloads" in "{reload}";
}
