//! What is told of the server while it runs.

mod collector;
mod conventions;
mod everything;
mod given_up;
mod masked;
mod metrics;
mod observed;
mod query;
mod sent;
