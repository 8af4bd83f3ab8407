//! Builds the server from the settings, starts it, reloads it and stops it.
//!
//! - [`start`] returns a [`RunningServer`]; [`serve_stdio`] serves one local client.
//! - `live` builds the parts that a reload replaces; `reload` watches the settings file.
//! - `check` validates settings that need the tool catalog.

mod check;
mod connections;
mod delivery;
mod fixed;
mod live;
mod reload;
#[cfg_attr(not(feature = "sample"), path = "no_sample.rs")]
mod sample;
mod signals;
mod tools;
mod watched;

pub use check::{check, policy};
pub use live::Live;
pub use reload::{SettingsFile, follow};
pub use signals::{hangups, signalled};
pub use tools::{catalog, catalog_of, prepare, tools};

use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use rmcp::ServiceExt;
use tokio_util::sync::CancellationToken;

use self::{delivery::deliver, live::Kept, sample::start_sample};
use crate::{
    audit::Audit,
    callers::Caller,
    compute::ComputePool,
    config::{Config, Sessions, Signal},
    http::{self, Certificates, Listening, Readiness},
    mcp::{self, Protocol, Settings},
    octopus::AnswerMemory,
    rules::Clock,
    store::Store,
    telemetry::{Metrics, Telemetry},
    tool::{Acting, Seal, Starters},
};

/// Time before the end of the drain at which running calls are ended with an error, so that their
/// clients get a response instead of a broken connection.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running server.
#[derive(Debug)]
pub struct Running {
    /// The main listener.
    pub main: Listening,
    /// The admin listener, if `http.admin_listen` is set.
    pub admin: Option<Listening>,
    /// The sessions, unless `http.sessions` is `off`.
    pub sessions: Option<Arc<mcp::Sessions>>,
    /// State shared between replicas.
    pub store: Arc<Store>,
    /// Metrics recorder.
    pub metrics: Metrics,
    /// Memory budget for large responses of Octopus.
    pub memory: AnswerMemory,
    /// The pool for CPU-bound work.
    pub compute: ComputePool,
    /// The parts that a reload replaces.
    pub live: Live,
    telemetry: Option<Telemetry>,
    audit: Audit,
    sample: Option<Listening>,
    readiness: Readiness,
    stop: CancellationToken,
    pause: Duration,
    drain: Duration,
}

/// Starts the server with these settings. It accepts connections when this function returns.
///
/// # Errors
///
/// A message that names the setting, if a listener, file, store or rule cannot be used.
pub async fn start(config: Config) -> Result<Running, String> {
    start_by(config, Clock::default()).await
}

/// Starts the server with this clock for policy rules. See [`start`].
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

impl Running {
    /// Returns the URL for clients.
    pub fn endpoint(&self, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}/mcp", self.main.address)
    }

    /// Adds the telemetry whose last logs and traces are exported when the server stops.
    #[must_use]
    pub fn delivering(self, telemetry: Telemetry) -> Self {
        Self { telemetry: Some(telemetry), ..self }
    }

    /// Stops the server.
    ///
    /// 1. Reports "not ready" for `http.drain_pause`, so that load balancers stop sending requests.
    /// 2. Accepts no more connections and closes standalone streams.
    /// 3. Waits up to `http.drain_timeout` for running calls, and ends the rest with an error.
    /// 4. Flushes audit records and telemetry.
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

/// Serves one local client over standard input and output, until it closes them or a shutdown
/// signal arrives.
///
/// # Errors
///
/// A message that names the setting, if the settings cannot be used for a local client.
pub async fn serve_stdio(mut config: Config, telemetry: Telemetry) -> Result<(), String> {
    if config.audit.stdout {
        return Err("audit.stdout: stdio mode uses standard output for MCP; set audit.file.path \
                    instead"
            .to_owned());
    }
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let metrics = Metrics::start(&config.telemetry.otlp)?;
    let tools = tools(&config, &metrics)?;
    let audit = tools.audit.clone();
    let caller = Caller::default();
    tools.instances.default().ok_or("no default instance; set `default = true` on one instance")?.suits(&caller.brings()).map_err(|_| {
        "a local client sends no Octopus credential; set OCTOPUS_API_KEY, or OCTOPUS_API_KEY_FILE \
         with the path of a file that contains the key"
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

/// Prints to standard output. Ignores errors, because a closed pipe is not an error of the command.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
