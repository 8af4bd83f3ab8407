//! The server under test as a process of its own, and the hostile Octopus behind it.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use octopus_mcp::sample::Sample;

/// A hostile Octopus on a port of the kernel's choice, until it is dropped.
pub struct Upstream {
    pub url: String,
    serving: tokio::task::JoinHandle<()>,
}

impl Upstream {
    pub fn start(sample: &Sample) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = sample.router();
        let serving = tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, serving }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The server as a process with the shipped settings. Dropping it ends the process.
pub struct Server {
    pub url: String,
    child: Mutex<Child>,
}

impl Server {
    pub fn start(upstream: &str) -> Self {
        let binary = std::env::var("OCTOPUS_MCP_BINARY")
            .unwrap_or_else(|_| "target/debug/octopus-mcp".to_owned());
        let mut command = Command::new(&binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--server-url", upstream]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OCTOPUS_")) {
            command.env_remove(name);
        }
        command.env("NO_PROXY", "127.0.0.1").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| {
            eprintln!("{binary}: {error}; build it, or name one in OCTOPUS_MCP_BINARY");
            std::process::exit(2);
        });
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            if output.read_line(&mut line).unwrap() == 0 {
                eprintln!("{binary} printed no address");
                std::process::exit(2);
            }
            let mut words = line.split_whitespace();
            if let Some(url) = words.find(|word| word.starts_with("http://127.0.0.1:")) {
                break url.to_owned();
            }
        };
        // The server would block on a full pipe.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { url, child: Mutex::new(child) }
    }

    /// Returns the peak resident memory of the process (`VmHWM`), in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        let id = self.child.lock().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        kib.map_or(0, |kib: u64| kib / 1024)
    }

    pub fn is_alive(&self) -> bool {
        matches!(self.child.lock().unwrap().try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}
