//! Telemetry of a running server: metrics, traces and logs.

mod cancelled_requests;
mod collector;
mod exercised_servers;
mod json_logs;
mod metrics;
mod observability_docs;
mod otlp_export;
mod promql;
mod redaction;
mod semantic_conventions;
mod text_logs;
