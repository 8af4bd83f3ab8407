//! Integration tests of the whole server, called over HTTP and backed by the sample instance. All
//! tests are linked into one binary.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test binary has no callers, and a test fails by panicking"
)]

// Fixtures and helpers shared by the tests.
mod support;

// Architecture rules: permitted imports, crate names, import cycles, and the layers of the HTTP
// server.
mod architecture;

// Rules for every tool, and the listing of each tool.
mod catalog;

// Generated files are up to date, and the examples load.
mod docs;

// The threat model: the tests, files and settings that docs/security.md names exist.
mod security_doc;

// Client configurations: the web page and the documentation show the same ones.
mod clients;

// Compatibility with the official local server: its tools, their former names and arguments.
mod official_server;

// The tools, by toolset.
mod tools;

// The contract with Octopus: requests and responses compared with the published API.
mod contract;

// Changes: approval before execution, exact execution of the preview, idempotency.
mod approval;

// The policy: which calls are allowed, need approval or are denied.
mod policy;

// Sessions of clients of earlier protocol revisions.
mod sessions;

// Configuration reloads and restarts under load.
mod rollout;

// Telemetry: traces, metrics and logs.
mod telemetry;

// The MCP protocol in both eras, as clients use it.
mod protocol;

// Resources: lists, templates, reads and errors.
mod resources;

// Prompts, and completions of prompt and resource arguments.
mod prompts;

// The scope that the path and headers of a request select, and several instances.
mod request_scope;

// The listener: hosts, sizes, timeouts, health, TLS, shutdown.
mod http;

// Credentials and isolation between callers.
mod credentials;

// Authentication: tokens, authorization servers, proxies, certificates.
mod auth;
// Rate limits and concurrency limits, of one process and shared between replicas.
mod rate_limits;

// Replicas that share a store: executed changes, sessions, and a proxy in front of the replicas.
mod replicas;

// Failures of Octopus, as a caller sees them.
mod failures;

// An instance that is overloaded or does not answer.
mod resilience;

// Token exchange for tokens of a service account.
mod token_exchange;

// Hostile responses of Octopus: calls end in time with an error, and memory stays bounded.
mod hostile;

// Concurrent calls of two callers: isolation and constant memory.
mod isolation;

// Memory: large answers, and requests at the limit of the shipped deployments.
mod call_memory;
mod memory;

// The connection to Octopus: TLS, compression, proxies.
mod upstream;

// The sanitizer: all text from Octopus goes through it.
mod sanitizer;

// The recent calls of a caller, readable by that caller only.
mod last_calls;

// Secrets appear in no log, error or answer.
mod leaks;

// Audit: one complete record for every call.
mod audit;

// The command line.
mod cli;

// The worked example of docs/hosting.md, with an issuer that the test starts.
mod hosting;
