//! The program: reads the command line, runs the command, gives the exit code.

use std::process::ExitCode;

use clap::Parser;
use octopus_mcp::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(Cli::parse()).await
}
