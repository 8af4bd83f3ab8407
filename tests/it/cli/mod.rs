//! The command line: exit codes, output and errors of the program.

mod check;
mod config;
mod errors;
mod help;
mod output;
mod process;
mod sample;
mod serve;

use std::process::Output;

pub use process::{ServerProcess, program};

fn run_program(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

const ANY_PORT: &str = "--listen=127.0.0.1:0";
