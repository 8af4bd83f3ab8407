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

use crate::{auth::certificates::IssuedCertificate, support::wait_until_some};

/// A running Redis, which stops on drop.
pub struct Redis {
    folder: TempDir,
    server: Option<Child>,
    url: String,
    /// Whether requests are stalled.
    stalled: watch::Sender<bool>,
    /// Number of times the open connections were abandoned: they get no further response.
    stranded: watch::Sender<u64>,
    cut: Arc<Cutoff>,
    accept_task: JoinHandle<()>,
}

/// Closes a connection at a given command.
#[derive(Default)]
struct Cutoff(Mutex<Option<(&'static [u8], usize)>>);

impl Cutoff {
    /// Counts the occurrences of the words in these bytes. Returns whether to close the connection
    /// before forwarding them.
    fn should_cut(&self, sent: &[u8]) -> bool {
        let mut cut = self.0.lock().unwrap();
        let Some((text, times)) = cut.as_mut() else { return false };
        let found = sent.windows(text.len()).filter(|bytes| bytes == text).count();
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
        Self::start_behind(None).await
    }

    /// Starts a Redis that accepts only TLS, with this certificate.
    pub async fn encrypted(pair: &IssuedCertificate) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = rustls::ServerConfig::builder_with_provider(provider);
        let settings = settings.with_safe_default_protocol_versions().unwrap();
        let certificate = CertificateDer::from_pem_slice(pair.pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let settings = settings.with_no_client_auth().with_single_cert(vec![certificate], key);
        Self::start_behind(Some(TlsAcceptor::from(Arc::new(settings.unwrap())))).await
    }

    async fn start_behind(tls: Option<TlsAcceptor>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "rediss" } else { "redis" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (held_up, holds) = watch::channel(false);
        let (stranded, strands) = watch::channel(0);
        let socket = folder.path().join("socket");
        let cut = Arc::new(Cutoff::default());
        let controls = Controls {
            stalled: holds,
            stall: held_up.clone(),
            stranded: strands,
            cut: Arc::clone(&cut),
        };
        let front = tokio::spawn(accept_loop(listener, tls, socket, controls));
        let mut redis =
            Self { folder, server: None, url, stalled: held_up, stranded, cut, accept_task: front };
        redis.restart().await;
        redis
    }

    /// Returns the URL in the form of the settings.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Configures a server to use this store.
    pub fn configure(&self, config: &mut Config) {
        config.limits.store = StoreAddress::parse(&self.url).unwrap();
        // The timeout is generous because speed is not under test and the machine may be busy.
        config.limits.store_timeout = octopus_mcp::config::DurationSetting::seconds(5);
    }

    /// Kills Redis; the proxy port stays open.
    pub fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts Redis with an empty database.
    pub async fn restart(&mut self) {
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
        wait_until_some(async || UnixStream::connect(&socket).await.ok()).await;
    }

    /// Stalls or resumes the requests to Redis.
    pub fn set_stalled(&self, is_held_up: bool) {
        self.stalled.send_replace(is_held_up);
    }

    /// Closes a connection at the given occurrence of `words` without forwarding that command, and
    /// then stalls all other connections.
    pub fn cut_and_stall_at(&self, text: &'static str, times: usize) {
        *self.cut.0.lock().unwrap() = Some((text.as_bytes(), times));
    }

    /// Abandons the current connections: they get no further response. New connections work.
    pub fn strand_connections(&self) {
        self.stranded.send_modify(|times| *times += 1);
    }

    /// Returns all keys in the database.
    pub async fn key_names(&self) -> Vec<String> {
        self.query(redis::cmd("KEYS").arg("*")).await
    }

    /// Returns the value of a key.
    pub async fn value(&self, name: &str) -> Vec<u8> {
        self.query(redis::cmd("GET").arg(name)).await
    }

    /// Writes a value directly, as an attacker with access to the store could.
    pub async fn write(&self, name: &str, value: &[u8]) {
        self.query::<()>(redis::cmd("SET").arg(name).arg(value)).await;
    }

    /// Returns the number of times that Redis executed this command.
    pub async fn command_count(&self, command: &str) -> u64 {
        let counts: String = self.query(redis::cmd("INFO").arg("commandstats")).await;
        let start = format!("cmdstat_{command}:calls=");
        let count = counts.lines().find_map(|line| line.strip_prefix(&start)?.split(',').next());
        count.map_or(0, |count| count.parse().unwrap())
    }

    async fn query<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let socket = self.folder.path().join("socket");
        let client = redis::Client::open(format!("redis+unix://{}", socket.display())).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.accept_task.abort();
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Receivers of the test's controls, one set per connection.
#[derive(Clone)]
struct Controls {
    stalled: watch::Receiver<bool>,
    stall: watch::Sender<bool>,
    stranded: watch::Receiver<u64>,
    cut: Arc<Cutoff>,
}

async fn accept_loop(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    socket: PathBuf,
    mut controls: Controls,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        controls.stranded.mark_unchanged();
        let (tls, socket, controls) = (tls.clone(), socket.clone(), controls.clone());
        tokio::spawn(async move {
            match tls {
                None => forward(client, &socket, controls).await,
                Some(tls) => {
                    if let Ok(client) = tls.accept(client).await {
                        forward(client, &socket, controls).await;
                    }
                }
            }
        });
    }
}

async fn forward(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    socket: &Path,
    mut controls: Controls,
) {
    // If Redis is down, the connection closes.
    let Ok(mut server) = UnixStream::connect(socket).await else { return };
    let (mut sent, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let _ = controls.stalled.wait_for(|is_held_up| !is_held_up).await;
        let mut changed = controls.stalled.clone();
        let is_held_up = async move { drop(changed.wait_for(|is_held_up| *is_held_up).await) };
        let written = tokio::select! {
            biased;
            _ = controls.stranded.changed() => break,
            () = is_held_up => continue,
            read = client.read(&mut sent) => match read {
                Ok(bytes @ 1..) if controls.cut.should_cut(&sent[..bytes]) => {
                    controls.stall.send_replace(true);
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
