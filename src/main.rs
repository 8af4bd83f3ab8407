//! The program: reads the command line, runs the command, gives the exit code.

use std::{io, process::ExitCode};

use clap::Parser;
use octopus_mcp::cli::{self, Cli};
use tokio::runtime::Builder;

fn main() -> io::Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(cli::run(Cli::parse()));
    // What did not end in its time is not waited for.
    runtime.shutdown_background();
    Ok(code)
}
