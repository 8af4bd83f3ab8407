//! `octopus-mcp healthcheck`: checks the readiness of the running server.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::Failure;
use crate::{app, config::Config};

/// Time limit for connecting and for each read and write.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Requests `/readyz` from the server that runs with these settings.
///
/// With TLS and without `http.admin_listen`, it only checks that the port accepts connections.
///
/// # Errors
///
/// The address with the I/O error or the status line, if the server is not ready.
pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let address = app::reachable_address(config.http.admin_listen.unwrap_or(config.http.listen));
    let failed = |reason: &dyn std::fmt::Display| Failure::Other(format!("{address}: {reason}"));
    let mut server = TcpStream::connect_timeout(&address, TIMEOUT).map_err(|e| failed(&e))?;
    if config.http.admin_listen.is_none() && config.http.tls.certificate.is_some() {
        // This client has no TLS, so an open port must be enough.
        return Ok(());
    }
    let sent = server
        .set_read_timeout(Some(TIMEOUT))
        .and_then(|()| server.set_write_timeout(Some(TIMEOUT)))
        .and_then(|()| {
            server
                .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        });
    sent.map_err(|e| failed(&e))?;
    let mut answer = Vec::new();
    server.take(4096).read_to_end(&mut answer).map_err(|e| failed(&e))?;
    if answer.starts_with(b"HTTP/1.1 200 ") {
        Ok(())
    } else {
        let first = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
        Err(failed(&String::from_utf8_lossy(first)))
    }
}
