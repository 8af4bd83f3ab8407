//! A Redis of a test's own. It listens on a socket in a folder; what stands before it listens on a
//! port of the kernel's choice, which so stays the same while Redis is away, and can hold it up.

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

/// A Redis that runs, until this is dropped.
pub struct Redis {
    folder: TempDir,
    server: Option<Child>,
    url: String,
    /// Whether what is sent is held up.
    held_up: watch::Sender<bool>,
    /// How many times the connections of the moment were left without an answer for good.
    stranded: watch::Sender<u64>,
    cut: Arc<Cut>,
    front: JoinHandle<()>,
}

/// Ends a connection at a command.
#[derive(Default)]
struct Cut(Mutex<Option<(&'static [u8], usize)>>);

impl Cut {
    /// Counts the words in these commands. Returns whether the connection ends before them.
    fn ends_before(&self, sent: &[u8]) -> bool {
        let mut cut = self.0.lock().unwrap();
        let Some((words, times)) = cut.as_mut() else { return false };
        let found = sent.windows(words.len()).filter(|bytes| bytes == words).count();
        *times = times.saturating_sub(found);
        cut.take_if(|(_, times)| *times == 0).is_some()
    }
}

/// The one that `tests/run` installs, or the one of this machine.
fn program() -> PathBuf {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/.venv/bin/redis-server");
    if installed.exists() { installed } else { PathBuf::from("redis-server") }
}

impl Redis {
    pub async fn start() -> Self {
        Self::behind(None).await
    }

    /// One that speaks TLS alone, with this certificate.
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

    /// Its address, as the settings have it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes this the store of a server.
    pub fn store(&self, config: &mut Config) {
        config.limits.store = StoreAddress::read(&self.url).unwrap();
        // The machine may be busy, and what is tested is not how fast it is.
        config.limits.store_timeout = octopus_mcp::config::Period::seconds(5);
    }

    /// Kills it.
    pub fn die(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts it, empty.
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

    /// Holds up what is sent to it, or no longer.
    pub fn hold_up(&self, is_held_up: bool) {
        self.held_up.send_replace(is_held_up);
    }

    /// Ends the connection that sends `words` for the given time, without passing that command on,
    /// and then holds up all others.
    pub fn cut_at(&self, words: &'static str, times: usize) {
        *self.cut.0.lock().unwrap() = Some((words.as_bytes(), times));
    }

    /// Answers nothing more on the connections that there are, and new ones as ever.
    pub fn strand(&self) {
        self.stranded.send_modify(|times| *times += 1);
    }

    /// Every name that is in it.
    pub async fn names(&self) -> Vec<String> {
        self.ask(redis::cmd("KEYS").arg("*")).await
    }

    /// The value that has this name.
    pub async fn value(&self, name: &str) -> Vec<u8> {
        self.ask(redis::cmd("GET").arg(name)).await
    }

    /// Writes a value, as whoever else can reach it might.
    pub async fn write(&self, name: &str, value: &[u8]) {
        self.ask::<()>(redis::cmd("SET").arg(name).arg(value)).await;
    }

    /// How many times it did this.
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

/// The controls of the connections in a test.
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
    // Where nobody listens, the connection ends.
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
