//! Builds the parts from the settings, starts them, and stops them.

mod check;
mod connections;
mod delivery;
mod fixed;
mod live;
mod reload;
mod signals;
mod tools;
mod watched;

pub use check::{check, policy};
pub use live::Live;
pub use reload::{SettingsFile, follow};
pub use signals::{hangups, signalled};
pub use tools::{catalog, prepare, tools};

use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use rmcp::ServiceExt;
use tokio_util::sync::CancellationToken;

use self::{delivery::deliver, live::Kept};
use crate::{
    audit::Audit,
    callers::Caller,
    compute::ComputePool,
    config::{AuthMode, Config, Secret, Sessions, Signal},
    http::{self, Certificates, Listening, Readiness},
    mcp::{self, Protocol, Settings},
    octopus::AnswerMemory,
    rules::Clock,
    sample,
    store::Store,
    telemetry::{Metrics, Telemetry},
    tool::{Acting, Seal, Starters},
};

/// How long before the end of the drain the calls that still run are told that the server stops,
/// so that their clients hear it from the server and not from a broken connection.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// The main listener.
    pub main: Listening,
    /// The admin listener, where there is one.
    pub admin: Option<Listening>,
    /// The sessions, where any are kept.
    pub sessions: Option<Arc<mcp::Sessions>>,
    /// What replicas share.
    pub store: Arc<Store>,
    /// What is counted and measured.
    pub metrics: Metrics,
    /// The memory of large answers.
    pub memory: AnswerMemory,
    /// The pool for CPU-bound work.
    pub compute: ComputePool,
    /// What serves, for other settings to take its place.
    pub live: Live,
    telemetry: Option<Telemetry>,
    audit: Audit,
    sample: Option<Listening>,
    readiness: Readiness,
    stop: CancellationToken,
    pause: Duration,
    drain: Duration,
}

/// Starts everything that the settings ask for. It serves when this returns.
pub async fn start(config: Config) -> Result<Running, String> {
    start_by(config, Clock::default()).await
}

/// The same, with rules that go by this clock.
pub async fn start_by(mut config: Config, clock: Clock) -> Result<Running, String> {
    let stop = CancellationToken::new();
    let limits = connections::limits(&config, connections::descriptors())?;
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let metrics = Metrics::start(&config.telemetry.otlp)?;
    let store = Store::open(&config.limits, stop.clone()).await?;
    let audit = Audit::start(&config.audit)?;
    let readiness = Readiness::default();
    let sessions = match config.http.sessions {
        Sessions::Off => None,
        kept => {
            let seal = Seal::from_config(&config.tools)?;
            let shared = (kept == Sessions::Store).then(|| Arc::clone(&store));
            Some(Arc::new(mcp::Sessions::new(&config.http, seal, shared)))
        }
    };
    let memory = AnswerMemory::new(config.limits.bytes_in_flight.0);
    let compute = tools::compute(&config);
    let kept = Kept {
        clock,
        stop: stop.clone(),
        readiness: readiness.clone(),
        store: Arc::clone(&store),
        sessions: sessions.clone(),
        audit: audit.clone(),
        metrics: metrics.clone(),
        memory: memory.clone(),
        starters: Arc::new(Starters::new(Arc::clone(&store))),
        acting: Acting::default(),
        compute: compute.clone(),
    };
    let live = Live::start(config.clone(), kept)?;
    watched::instances(&metrics, live.instances());
    let are_read = config.telemetry.otlp.takes(Signal::Metrics).is_some();
    if are_read || config.http.admin_listen.is_some() {
        watched::credentials(&metrics, live.instances(), &stop);
    }
    watched::memory(&metrics, &memory);
    watched::store(&metrics, &store);
    watched::audit(&metrics, &audit);
    if let Some(sessions) = &sessions {
        watched::sessions(&metrics, sessions);
        tokio::spawn(Arc::clone(sessions).look_after(stop.clone()));
    }

    let certificates = Certificates::load(&config.http.tls).await?;
    let main = bind("http.listen", config.http.listen)?;
    let router = live.routes().router();
    let main = http::listen_within(main, router, certificates.as_ref(), &config.http, limits.main)
        .map_err(|error| format!("http.listen: {error}"))?;
    let admin = match config.http.admin_listen {
        None => None,
        Some(address) => {
            let socket = bind("http.admin_listen", address)?;
            let router = http::admin_router(readiness.clone(), metrics.clone());
            let admin = http::listen_within(socket, router, None, &config.http, limits.admin);
            Some(admin.map_err(|error| format!("http.admin_listen: {error}"))?)
        }
    };
    if let Some(certificates) = certificates {
        tokio::spawn(certificates.follow(stop.clone()));
    }
    Ok(Running {
        telemetry: None,
        metrics,
        memory,
        compute,
        live,
        audit,
        main,
        admin,
        sessions,
        store,
        sample,
        readiness,
        stop,
        pause: config.http.drain_pause.0,
        drain: config.http.drain_timeout.0,
    })
}

fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| {
        format!("{key}: cannot listen on {address}: {error}; choose another address or port")
    })
}

/// Starts the sample instance on a port of its own, and points the settings at it. A credential
/// for a real instance means nothing there, and stays here.
fn start_sample(config: &mut Config) -> Result<Listening, String> {
    let socket = bind("sample", SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let router = sample::Sample::new().router();
    let listening = http::listen(socket, router, None, &config.http)
        .map_err(|error| format!("sample: {error}"))?;
    config.octopus.url = format!("http://{}", listening.address).parse().ok();
    let lent = config.auth_modes().has(AuthMode::None);
    config.octopus.api_key = lent.then(|| Secret::from(sample::keys::ADMIN.to_owned()));
    config.octopus.api_key_file = None;
    config.octopus.access_token = None;
    config.octopus.access_token_file = None;
    Ok(listening)
}

impl Running {
    /// Where clients connect.
    pub fn endpoint(&self, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}/mcp", self.main.address)
    }

    /// The same, with logs and traces of which the last are delivered when it stops.
    #[must_use]
    pub fn delivering(self, telemetry: Telemetry) -> Self {
        Self { telemetry: Some(telemetry), ..self }
    }

    /// Stops: says that it is not ready, and after a pause accepts no more connections, sends those
    /// away who only listen, gives running calls their time, and tells those that are left that it
    /// is over.
    pub async fn stop(self) {
        self.readiness.stop();
        tokio::time::sleep(self.pause).await;
        self.readiness.end_streams();
        let stop = self.stop.clone();
        let patience = self.drain.saturating_sub(LAST_WORDS);
        let last_words = tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            stop.cancel();
        });
        self.main.stop(self.drain).await;
        last_words.abort();
        self.stop.cancel();
        for other in [self.admin, self.sample].into_iter().flatten() {
            other.stop(Duration::from_millis(100)).await;
        }
        deliver(&self.audit, self.metrics, self.telemetry).await;
    }
}

/// Serves one local client over standard input and output, until it closes them.
pub async fn serve_stdio(mut config: Config, telemetry: Telemetry) -> Result<(), String> {
    if config.audit.stdout {
        return Err("audit.stdout: standard output belongs to the local client; give \
                    audit.file.path instead"
            .to_owned());
    }
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let metrics = Metrics::start(&config.telemetry.otlp)?;
    let tools = tools(&config, &metrics)?;
    let audit = tools.audit.clone();
    let caller = Caller::default();
    tools.instances.default().ok_or("say which instance is the `default`")?.suits(&caller.brings()).map_err(|_| {
        "a local client sends no credential, so one must be configured: set OCTOPUS_API_KEY, or \
         OCTOPUS_API_KEY_FILE to a file that holds the key"
    })?;
    let stop = CancellationToken::new();
    let settings = Settings {
        call_timeout: config.http.request_timeout.0,
        stop: stop.clone(),
        local: Some(caller),
        sessions: true,
        metrics: metrics.clone(),
    };
    let protocol = Protocol::new(tools, settings);
    let signalled = signalled();
    let served =
        Box::pin(protocol.serve(rmcp::transport::stdio())).await.map_err(|e| e.to_string())?;
    let ended = tokio::select! {
        ended = served.waiting() => ended.map(|_| ()).map_err(|error| error.to_string()),
        () = signalled => Ok(()),
    };
    stop.cancel();
    drop(sample);
    deliver(&audit, metrics, Some(telemetry)).await;
    ended
}

/// Prints to standard output. A closed pipe is nobody's mistake.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
