//! The command line: exit codes, output and errors of the program.

mod help;
mod mistakes;
mod printed;
mod serves;
mod serving;

use std::process::Output;

pub use serving::{ServerProcess, program};

fn run_program(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

const ANY_PORT: &str = "--listen=127.0.0.1:0";
