//! The program: reads the command line, runs the command, gives the exit code.

use std::{io, process::ExitCode};

use clap::Parser;
use mimalloc::MiMalloc;
use octopus_mcp::cli::{self, Cli};
use tokio::runtime::Builder;

/// Returns freed memory to the system, and has no lock that a large release holds. With the allocator
/// of glibc, hostile documents left 547 MiB in use and delayed other calls by 424 ms
/// (`examples/hostile`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> io::Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(cli::run(Cli::parse()));
    // What did not end in its time is not waited for.
    runtime.shutdown_background();
    Ok(code)
}
