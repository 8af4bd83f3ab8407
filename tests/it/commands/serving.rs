//! The program as a process: how it is called, and how it is started, read and stopped.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

/// The program, without any variable of ours from the environment of the tests.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_octopus-mcp"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("OCTOPUS_")
            || name.starts_with("OTEL_")
            || name.to_lowercase().ends_with("_proxy")
        {
            command.env_remove(name);
        }
    }
    command
}

/// A program that serves. It is killed with the test.
pub struct Serving {
    child: Child,
    log: Option<std::thread::JoinHandle<String>>,
    out: Option<std::thread::JoinHandle<String>>,
    pub url: String,
    pub welcome: String,
}

impl Serving {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        // A full pipe would stop the program, so it is emptied all the time.
        let log = std::thread::spawn(|| std::io::read_to_string(stderr).unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = stdout.by_ref().lines();
        let first = lines.next().expect("it ended at once").unwrap();
        let url = first.strip_prefix("octopus-mcp serves ").unwrap().to_owned();
        let mut welcome = first;
        if welcome_goes_on(&command) {
            for line in lines {
                let line = line.unwrap();
                welcome = format!("{welcome}\n{line}");
                if welcome.matches("\n  - ").count() == 3 {
                    break;
                }
            }
        }
        let out = std::thread::spawn(|| std::io::read_to_string(stdout).unwrap());
        Self { child, log: Some(log), out: Some(out), url, welcome }
    }

    /// The ID of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as an operator does, and gives its exit code and what it wrote to the log.
    pub fn stop(self) -> (i32, String) {
        let (code, _, log) = self.finish();
        (code, log)
    }

    /// The same, with what it wrote to standard output after its welcome.
    pub fn finish(mut self) -> (i32, String, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let out = self.out.take().unwrap().join().unwrap();
        (code, out, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn welcome_goes_on(command: &Command) -> bool {
    command.get_args().any(|argument| argument == "--sample")
}
