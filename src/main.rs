//! The program: parses the command line, runs the command and returns its exit code.

use std::{io, process::ExitCode};

use octopus_mcp::cli::{self, Cli};
use tokio::runtime::Builder;

fn main() -> io::Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(cli::run(Cli::from_process()));
    // Do not wait for blocking tasks that are still running after the drain.
    runtime.shutdown_background();
    Ok(code)
}
