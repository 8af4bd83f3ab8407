//! Every instrument: its name, its unit, and what it tells.
//!
//! Names without a prefix are those of OpenTelemetry's semantic conventions (HTTP; MCP), with their
//! buckets. Prometheus sees `octopus_mcp.answer.size` in bytes as `octopus_mcp_answer_size_bytes`.

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// Seconds, as the conventions for HTTP advise.
const HTTP: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Seconds, as the conventions for MCP advise.
const MCP: [f64; 14] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// Bytes, around the sizes at which answers are cut.
const SIZES: [f64; 9] =
    [256.0, 1024.0, 4096.0, 16384.0, 32768.0, 65536.0, 262_144.0, 1_048_576.0, 16_777_216.0];

/// Makes a struct of instruments: the field's documentation is what the instrument tells.
macro_rules! instruments {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident = $name:literal $(in $unit:literal)? $(at $buckets:ident)?;)+) => {
        /// What is counted and measured while it happens.
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
    /// How long requests of clients took, until the head of the answer, or until nobody waited for it any more.
    served: histogram = "http.server.request.duration" in "s" at HTTP;
    /// Requests of clients that are being answered.
    serving: gauge = "http.server.active_requests" in "{request}";
    /// How long requests and notifications of MCP took. Notifications count in sessions alone:
    /// elsewhere nobody reads them. What is refused before it comes to its method is a request of
    /// HTTP only.
    operations: histogram = "mcp.server.operation.duration" in "s" at MCP;
    /// How long requests to Octopus, identity providers and token endpoints took, until the head of the answer.
    asked: histogram = "http.client.request.duration" in "s" at HTTP;
    /// Requests to Octopus, by what came of them: a class of status, or why there was none.
    upstream: counter = "octopus_mcp.upstream.requests" in "{request}";
    /// Questions to what is remembered for a while.
    lookups: counter = "octopus_mcp.cache.lookups" in "{lookup}";
    /// Sizes of answers as JSON, before and after they were cut.
    answers: histogram = "octopus_mcp.answer.size" in "By" at SIZES;
    /// What the rules said of calls. Where none matched, the rule is empty.
    decisions: counter = "octopus_mcp.policy.decisions" in "{decision}";
    /// Questions before changes, by what became of them and how they were asked.
    confirmations: counter = "octopus_mcp.confirmations" in "{confirmation}";
    /// Changes of Octopus that were sent, by what became of them.
    changes: counter = "octopus_mcp.changes" in "{change}";
    /// What was taken out of texts: secrets, and characters that nobody sees.
    redactions: counter = "octopus_mcp.redactions" in "{redaction}";
    /// Requests that had to wait, by the limit that they met.
    limited: counter = "octopus_mcp.rate_limited" in "{request}";
    /// Requests of which nobody knows whose they are.
    strangers: counter = "octopus_mcp.authentication.failures" in "{request}";
    /// Times that the settings were read again, by whether they are in force.
    reloads: counter = "octopus_mcp.config.reloads" in "{reload}";
}
