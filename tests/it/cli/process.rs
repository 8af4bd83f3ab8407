//! The program as a child process: starting, reading and stopping it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

/// Returns a command for the program, without inherited `OCTOPUS_*`, `OTEL_*` and proxy variables.
/// A closed port of this machine is its proxy, so that requests to other hosts leave no trace.
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
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env("NO_PROXY", "127.0.0.1,localhost,::1");
    command
}

/// Beginning of the startup message, which is in the log if audit records are on standard output.
const SERVES: &str = "octopus-mcp serves ";

/// A running server process, which is killed on drop.
pub struct ServerProcess {
    child: Child,
    log: Option<std::thread::JoinHandle<String>>,
    out: Option<std::thread::JoinHandle<String>>,
    pub url: String,
    pub startup_message: String,
}

impl ServerProcess {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let has_audit_records = command.get_envs().any(|(name, value)| {
            name == "OCTOPUS_MCP_AUDIT__STDOUT" && value.is_some_and(|value| value == "true")
        });
        let mut log_before = String::new();
        let in_log = has_audit_records.then(|| {
            let mut lines = stderr.by_ref().lines().map(Result::unwrap);
            lines.find(|line| {
                log_before.push_str(line);
                log_before.push('\n');
                line.starts_with(SERVES)
            })
        });
        // A full pipe would block the program, so the pipe is read continuously.
        let log =
            std::thread::spawn(move || log_before + &std::io::read_to_string(stderr).unwrap());
        let mut lines = stdout.by_ref().lines();
        let first = in_log
            .flatten()
            .unwrap_or_else(|| lines.next().expect("the program exited immediately").unwrap());
        let url = first.strip_prefix(SERVES).unwrap().to_owned();
        let mut welcome = first;
        if has_client_examples(&command) && !has_audit_records {
            for line in lines {
                let line = line.unwrap();
                welcome = format!("{welcome}\n{line}");
                if welcome.matches("\n  - ").count() == 3 {
                    break;
                }
            }
        }
        let out = std::thread::spawn(|| std::io::read_to_string(stdout).unwrap());
        Self { child, log: Some(log), out: Some(out), url, startup_message: welcome }
    }

    /// Returns the process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM and returns the exit code and the log.
    pub fn stop(self) -> (i32, String) {
        let (code, _, log) = self.finish();
        (code, log)
    }

    /// Sends SIGTERM and returns the exit code, standard output after the startup message, and the
    /// log.
    pub fn finish(mut self) -> (i32, String, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let out = self.out.take().unwrap().join().unwrap();
        (code, out, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn has_client_examples(command: &Command) -> bool {
    command.get_args().any(|argument| argument == "--sample")
}
