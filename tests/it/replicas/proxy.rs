//! An nginx for a single test. It sends each request to the next replica.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    task::JoinHandle,
};

use crate::support::wait_until_some;

/// A running nginx, which stops on drop. It listens on a Unix socket; a TCP listener in front of it
/// uses a free port.
pub struct Proxy {
    folder: TempDir,
    server: Child,
    accept_task: JoinHandle<()>,
    /// The URL of the MCP endpoint.
    pub url: String,
}

/// Returns the nginx that `tests/run` unpacks, or the one on `PATH`.
fn program() -> PathBuf {
    let unpacked = "tests/.debian/nginx/usr/sbin/nginx";
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join(unpacked);
    [unpacked, "/usr/sbin/nginx".into()]
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("nginx"))
}

impl Proxy {
    /// Starts an nginx in front of servers at these addresses.
    pub async fn start(addresses: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, socket) = (folder.path().join("nginx.conf"), folder.path().join("socket"));
        std::fs::write(&file, nginx_config(folder.path(), addresses)).unwrap();
        let mut command = Command::new(program());
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        command.args(["-e", "stderr"]).stdout(Stdio::null());
        let server = command.spawn().unwrap_or_else(|error| {
            panic!(
                "nginx, which this test starts, is missing ({error}): `tests/run rust` unpacks one, \
                 and so does `apt-get install nginx-light`"
            )
        });
        wait_until_some(async || UnixStream::connect(&socket).await.ok()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let front = tokio::spawn(async move {
            loop {
                let Ok((mut client, _)) = listener.accept().await else { continue };
                let socket = socket.clone();
                tokio::spawn(async move {
                    let Ok(mut server) = UnixStream::connect(&socket).await else { return };
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { folder, server, accept_task: front, url }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept_task.abort();
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = &self.folder;
    }
}

/// Returns the configuration: round robin, failover on connection errors, no buffering.
fn nginx_config(folder: &Path, addresses: &[String]) -> String {
    let folder = folder.display();
    let servers: Vec<String> =
        addresses.iter().map(|address| format!("server {address} max_fails=0;")).collect();
    let servers = servers.join(" ");
    format!(
        "daemon off;
master_process off;
pid {folder}/pid;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream replicas {{ {servers} }}
  server {{
    listen unix:{folder}/socket;
    location / {{
      proxy_pass http://replicas;
      proxy_http_version 1.1;
      proxy_set_header Host localhost;
      proxy_set_header Connection \"\";
      proxy_buffering off;
      add_header x-replica $upstream_addr always;
    }}
  }}
}}
"
    )
}
