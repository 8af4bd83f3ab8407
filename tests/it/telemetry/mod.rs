//! Telemetry of a running server: metrics, traces and logs.

mod collector;
mod conventions;
mod everything;
mod given_up;
mod masked;
mod metrics;
mod observed;
mod query;
mod sent;
