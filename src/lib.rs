//! `octopus-mcp`: a remote MCP server for Octopus Deploy.
//!
//! The modules below are listed from the top layer (command line) to the bottom (pure functions). A
//! module may import only from modules below it; `tests/it/architecture` checks this, and
//! `docs/architecture.md` gives the reasons.

pub mod cli;

pub mod app;

pub mod http;

pub mod mcp;

pub mod toolsets;

pub mod tool;

pub mod approval;

pub mod access;

pub mod audit;

pub mod auth;

pub mod octopus;

pub mod policy;

pub mod store;

pub mod telemetry;

pub mod config;

pub mod compute;

pub mod grep;

pub mod sanitize;

pub mod text;
