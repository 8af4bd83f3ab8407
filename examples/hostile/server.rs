//! The server under attack, as a separate process.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::upstream::Upstream;

pub struct Server {
    pub url: String,
    process: Child,
}

impl Server {
    /// Starts the server in front of the hostile upstream and waits for its address.
    pub fn start(binary: &Path, upstream: &Upstream) -> Self {
        let mut process = Command::new(binary)
            .args(["serve", "--listen=127.0.0.1:0", "--server-url", &upstream.url])
            // A computation on the only worker delays everything else.
            .env("TOKIO_WORKER_THREADS", "1")
            .env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", "error")
            // The default rates would reject most of the attack.
            .env("OCTOPUS_MCP_LIMITS__CALLER_RATE", "1000000")
            .env("OCTOPUS_MCP_LIMITS__CALLER_BURST", "1000000")
            .env("OCTOPUS_MCP_LIMITS__INSTANCE_RATE", "1000000")
            .env("OCTOPUS_MCP_LIMITS__INSTANCE_BURST", "1000000")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", binary.display()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
        });
        let url = url.expect("the server prints its address");
        std::thread::spawn(move || lines.for_each(drop));
        Self { url, process }
    }

    /// Resets the peak resident memory that the kernel records (`clear_refs`, proc(5)).
    pub fn reset_peak_memory(&self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5");
    }

    /// Returns the peak resident memory in MiB (`VmHWM`, proc(5)).
    pub fn peak_memory_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the server is running");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let line = line.expect("the server has not ended");
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
