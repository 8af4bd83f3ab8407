//! `octopus-mcp`: the remote MCP server through which a company's AI assistants reach its
//! Octopus Deploy instances.
//!
//! The layers, from the one that people see down to the ones that know nothing of the others.
//! Imports point down only; `docs/architecture.md` says why, and a test holds it.

pub mod cli;

pub mod app;

pub mod http;

pub mod mcp;

pub mod toolsets;

pub mod tool;

pub mod audit;

pub mod callers;

pub mod octopus;

pub mod rules;

pub mod store;

pub mod telemetry;

pub mod config;

pub mod text;

pub mod compute;
