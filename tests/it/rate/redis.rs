//! A Redis of a single test. Redis listens on a Unix socket; a proxy in front of it listens on a
//! TCP port. The port stays the same across Redis restarts, and the proxy can stall traffic.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use octopus_mcp::config::{Config, StoreAddress};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{callers::certificate::Pair, support::soon};

/// A running Redis, which stops on drop.
pub struct Redis {
    folder: TempDir,
    server: Option<Child>,
    url: String,
    /// Whether requests are stalled.
    held_up: watch::Sender<bool>,
    /// How many times the open connections were left without a response for good.
    stranded: watch::Sender<u64>,
    cut: Arc<Cut>,
    front: JoinHandle<()>,
}

/// Closes a connection at a given command.
#[derive(Default)]
struct Cut(Mutex<Option<(&'static [u8], usize)>>);

impl Cut {
    /// Counts the occurrences of the words in these bytes. Returns whether to close the connection
    /// before forwarding them.
    fn ends_before(&self, sent: &[u8]) -> bool {
        let mut cut = self.0.lock().unwrap();
        let Some((words, times)) = cut.as_mut() else { return false };
        let found = sent.windows(words.len()).filter(|bytes| bytes == words).count();
        *times = times.saturating_sub(found);
        cut.take_if(|(_, times)| *times == 0).is_some()
    }
}

/// Returns the Redis that `tests/run` installs, or the one on `PATH`.
fn program() -> PathBuf {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/.venv/bin/redis-server");
    if installed.exists() { installed } else { PathBuf::from("redis-server") }
}

impl Redis {
    pub async fn start() -> Self {
        Self::behind(None).await
    }

    /// Starts a Redis that accepts only TLS, with this certificate.
    pub async fn encrypted(pair: &Pair) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = rustls::ServerConfig::builder_with_provider(provider);
        let settings = settings.with_safe_default_protocol_versions().unwrap();
        let certificate = CertificateDer::from_pem_slice(pair.pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let settings = settings.with_no_client_auth().with_single_cert(vec![certificate], key);
        Self::behind(Some(TlsAcceptor::from(Arc::new(settings.unwrap())))).await
    }

    async fn behind(tls: Option<TlsAcceptor>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "rediss" } else { "redis" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (held_up, holds) = watch::channel(false);
        let (stranded, strands) = watch::channel(0);
        let socket = folder.path().join("socket");
        let cut = Arc::new(Cut::default());
        let controls = Controls { holds, hold_up: held_up.clone(), strands, cut: Arc::clone(&cut) };
        let front = tokio::spawn(front(listener, tls, socket, controls));
        let mut redis = Self { folder, server: None, url, held_up, stranded, cut, front };
        redis.come_back().await;
        redis
    }

    /// Returns the URL in the form of the settings.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Configures a server to use this store.
    pub fn store(&self, config: &mut Config) {
        config.limits.store = StoreAddress::read(&self.url).unwrap();
        // The timeout is generous because speed is not under test and the machine may be busy.
        config.limits.store_timeout = octopus_mcp::config::Period::seconds(5);
    }

    /// Kills Redis; the proxy port stays open.
    pub fn die(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts Redis with an empty database.
    pub async fn come_back(&mut self) {
        let socket = self.folder.path().join("socket");
        let mut command = Command::new(program());
        command
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = command.spawn().unwrap_or_else(|error| {
            panic!(
                "redis-server, which this test starts, is missing ({error}): `tests/run rust` \
                 installs one, and so does `apt-get install redis-server`"
            )
        });
        self.server = Some(server);
        soon(async || UnixStream::connect(&socket).await.ok()).await;
    }

    /// Stalls or resumes the requests to Redis.
    pub fn hold_up(&self, is_held_up: bool) {
        self.held_up.send_replace(is_held_up);
    }

    /// Closes a connection at the given occurrence of `words` without forwarding that command, and
    /// then stalls all other connections.
    pub fn cut_at(&self, words: &'static str, times: usize) {
        *self.cut.0.lock().unwrap() = Some((words.as_bytes(), times));
    }

    /// Leaves the current connections without a response for good; new connections work.
    pub fn strand(&self) {
        self.stranded.send_modify(|times| *times += 1);
    }

    /// Returns all keys in the database.
    pub async fn names(&self) -> Vec<String> {
        self.ask(redis::cmd("KEYS").arg("*")).await
    }

    /// Returns the value of a key.
    pub async fn value(&self, name: &str) -> Vec<u8> {
        self.ask(redis::cmd("GET").arg(name)).await
    }

    /// Writes a value directly, as an attacker with access to the store could.
    pub async fn write(&self, name: &str, value: &[u8]) {
        self.ask::<()>(redis::cmd("SET").arg(name).arg(value)).await;
    }

    /// Returns how many times Redis executed this command.
    pub async fn calls(&self, command: &str) -> u64 {
        let counts: String = self.ask(redis::cmd("INFO").arg("commandstats")).await;
        let start = format!("cmdstat_{command}:calls=");
        let count = counts.lines().find_map(|line| line.strip_prefix(&start)?.split(',').next());
        count.map_or(0, |count| count.parse().unwrap())
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let socket = self.folder.path().join("socket");
        let client = redis::Client::open(format!("redis+unix://{}", socket.display())).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.front.abort();
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Receivers of the test's controls, one set per connection.
#[derive(Clone)]
struct Controls {
    holds: watch::Receiver<bool>,
    hold_up: watch::Sender<bool>,
    strands: watch::Receiver<u64>,
    cut: Arc<Cut>,
}

async fn front(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    socket: PathBuf,
    mut controls: Controls,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        controls.strands.mark_unchanged();
        let (tls, socket, controls) = (tls.clone(), socket.clone(), controls.clone());
        tokio::spawn(async move {
            match tls {
                None => pass(client, &socket, controls).await,
                Some(tls) => {
                    if let Ok(client) = tls.accept(client).await {
                        pass(client, &socket, controls).await;
                    }
                }
            }
        });
    }
}

async fn pass(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    socket: &Path,
    mut controls: Controls,
) {
    // If Redis is down, the connection closes.
    let Ok(mut server) = UnixStream::connect(socket).await else { return };
    let (mut sent, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let _ = controls.holds.wait_for(|is_held_up| !is_held_up).await;
        let mut changed = controls.holds.clone();
        let is_held_up = async move { drop(changed.wait_for(|is_held_up| *is_held_up).await) };
        let written = tokio::select! {
            biased;
            _ = controls.strands.changed() => break,
            () = is_held_up => continue,
            read = client.read(&mut sent) => match read {
                Ok(bytes @ 1..) if controls.cut.ends_before(&sent[..bytes]) => {
                    controls.hold_up.send_replace(true);
                    return;
                }
                Ok(bytes @ 1..) => server.write_all(&sent[..bytes]).await,
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(bytes @ 1..) => client.write_all(&answered[..bytes]).await,
                _ => return,
            },
        };
        if written.is_err() {
            return;
        }
    }
    std::future::pending::<()>().await;
}
