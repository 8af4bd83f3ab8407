//! `octopus-mcp`: the remote MCP server through which a company's AI assistants reach its
//! Octopus Deploy instances.

pub mod config;
pub mod octopus;
pub mod text;
pub mod tool;
pub mod toolsets;
