//! The whole server, through HTTP, against the sample instance: one binary, linked once.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test binary has no users, and a test stops where it fails"
)]

// What the tests share.
mod support;

// The house: who may import whom, which crate is named where, how long a file is.
mod architecture;

// The layers of the HTTP server and their order, its imports, and what is done once a request.
mod architecture_layers;

// What holds for every tool, and what each is listed as.
mod catalog;

// Generated files are fresh, and the examples load.
mod docs;

// The threat model: every test and file that docs/security.md names is there, and its settings load.
mod security_doc;

// The configurations of clients: the same on the page and in the docs.
mod clients;

// What the official local server offered, under every name that it had.
mod official;

// Each tool, by toolset.
mod tools;

// Changes: nothing before a yes, exactly what was shown after it, nothing twice.
mod consent;

// The policy: which calls are let through, asked about or refused.
mod rules;

// Sessions of earlier clients, where they are kept.
mod sessions;

// New settings, and a new version, while callers call.
mod rollout;

// What is told of the server while it runs: traces, metrics, logs.
mod telemetry;

// The protocol in both eras, as clients speak it.
mod protocol;

// Resources: lists, templates, reads, refusals.
mod resources;

// Prompts, and completions of what they and resources take.
mod prompts;

// What a request is narrowed to by its path and headers, and several instances.
mod narrowing;

// The listener: hosts, sizes, times, health, TLS, stopping.
mod http;

// Who calls, with which credential, and that nothing of one reaches another.
mod credentials;

// Who may call: tokens, authorization servers, proxies, certificates.
mod callers;
// How much one caller may ask for, and all together: rates, calls at once, replicas.
mod rate;

// Several replicas that share a store: deeds, sessions, and all of it behind a proxy.
mod replicas;

// Every way in which Octopus can fail, as a caller sees it.
mod failures;

// An instance that is busy or does not answer.
mod ailing;

// The exchange of tokens for those of a service account.
mod exchange;

// Whatever answers in the place of Octopus, nobody is hurt by it.
mod hostile;

// Many calls of two callers at once: nothing of one reaches the other, and memory stays flat.
mod isolation;

// Memory: large answers and requests at the limit of the shipped deployments.
mod memory;
mod memory_of_calls;

// The way to Octopus: TLS, compression, proxies.
mod upstream;

// The one door for text: no way leads past it.
mod door;

// The last calls of a caller, for that caller alone.
mod last_calls;

// Secrets: in no log, no error, no answer.
mod leaks;

// One record of every call, kept and whole.
mod audit;

// The command line.
mod commands;

// The worked example of docs/hosting.md, with an issuer that the test starts.
mod hosting;
