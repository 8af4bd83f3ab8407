//! What is told of the server while it runs.

mod collector;
mod metrics;
mod observed;
mod query;
mod sent;
