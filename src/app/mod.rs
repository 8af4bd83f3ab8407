//! Builds the server from the settings, starts it, reloads it and stops it.
//!
//! - [`start`] returns a [`RunningServer`]; [`serve_stdio`] serves one local client.
//! - `live` builds the parts that a reload replaces; `reload` watches the settings file.
//! - `check` validates settings that need the tool catalog, `startable` those that need other parts.
//! - `verification` verifies the instances and credentials after the start and for a command.

mod check;
mod connections;
mod error;
mod gauges;
mod live;
mod page_facts;
mod provider;
mod reload;
mod restart_only;
#[cfg_attr(not(feature = "sample"), path = "no_sample.rs")]
mod sample;
mod shutdown_flush;
mod signals;
mod startable;
mod verification;

pub use check::{check_settings, tool_access};
pub use error::StartError;
pub use live::{AppliedSettings, LiveServer};
pub use page_facts::SAMPLE_QUESTIONS;
pub use provider::{build_provider, catalog, catalog_for, warm_up};
pub use reload::{SettingsFile, watch};
pub use sample::SAMPLE_KEYS;
pub use signals::{reload_signals, shutdown_signal};
pub use startable::check_startable;
pub use verification::{CheckReport, check};

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use rmcp::ServiceExt;
use tokio_util::sync::CancellationToken;

use self::{live::PersistentParts, sample::start_sample, shutdown_flush::flush_all};
use crate::{
    approval::{Seal, TaskInitiators},
    audit::AuditLog,
    auth::Caller,
    compute::ComputePool,
    config::{Config, SessionStorage, Signal},
    http::{self, Certificates, Listening, Readiness},
    mcp::{self, Protocol, ProtocolSettings},
    octopus::ResponseMemory,
    policy::PolicyClock,
    store::Store,
    telemetry::{Metrics, Telemetry},
    tool::ActingUsers,
};

/// Time between the end of running calls and the end of the drain. Calls end with an error, so that
/// their clients get a response instead of a broken connection.
const SHUTDOWN_NOTICE: Duration = Duration::from_secs(1);

/// A running server.
#[derive(Debug)]
pub struct RunningServer {
    /// The main listener.
    pub main: Listening,
    /// The admin listener, if `http.admin_listen` is set.
    pub admin: Option<Listening>,
    /// The sessions, unless `http.sessions` is `off`.
    pub sessions: Option<Arc<mcp::SessionRegistry>>,
    /// State shared between replicas.
    pub store: Arc<Store>,
    /// Metrics recorder.
    pub metrics: Metrics,
    /// Memory budget for large responses of Octopus.
    pub memory: ResponseMemory,
    /// The pool for CPU-bound work.
    pub compute: ComputePool,
    /// The parts that a reload replaces.
    pub live: LiveServer,
    telemetry: Option<Telemetry>,
    audit: AuditLog,
    sample: Option<Listening>,
    readiness: Readiness,
    stop: CancellationToken,
    drain_pause: Duration,
    drain_timeout: Duration,
}

/// Starts the server with these settings. It accepts connections when this function returns.
///
/// # Errors
///
/// Returns an error that names the setting, if a listener, file, store or rule cannot be used.
pub async fn start(config: Config) -> Result<RunningServer, StartError> {
    start_with_clock(config, PolicyClock::default()).await
}

/// Starts the server with this clock for policy rules. See [`start`].
///
/// # Errors
///
/// The errors of [`start`].
pub async fn start_with_clock(
    mut config: Config,
    clock: PolicyClock,
) -> Result<RunningServer, StartError> {
    let stop = CancellationToken::new();
    let limits = connections::listener_limits(&config, connections::descriptors())?;
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let metrics = Metrics::start(&config.telemetry.otlp)?;
    let store = Store::open(&config.limits, stop.clone()).await?;
    let audit = AuditLog::start(&config.audit)?;
    let readiness = Readiness::default();
    let sessions = match config.http.sessions {
        SessionStorage::Off => None,
        storage => {
            let seal = Seal::from_config(&config.tools).map_err(StartError::Setting)?;
            let shared = (storage == SessionStorage::Store).then(|| Arc::clone(&store));
            Some(Arc::new(mcp::SessionRegistry::new(&config.http, seal, shared)))
        }
    };
    let memory = ResponseMemory::new(config.limits.bytes_in_flight.0);
    let compute = provider::compute_pool(&config);
    let persistent = PersistentParts {
        clock,
        stop: stop.clone(),
        readiness: readiness.clone(),
        store: Arc::clone(&store),
        sessions: sessions.clone(),
        audit: audit.clone(),
        metrics: metrics.clone(),
        memory: memory.clone(),
        task_initiators: Arc::new(TaskInitiators::new(Arc::clone(&store))),
        acting_users: ActingUsers::default(),
        compute: compute.clone(),
    };
    let live = LiveServer::start(config.clone(), persistent)?;
    gauges::instances(&metrics, live.instances());
    let are_read = config.telemetry.otlp.endpoint_for(Signal::Metrics).is_some();
    if are_read || config.http.admin_listen.is_some() {
        gauges::credentials(&metrics, live.instances(), &stop);
    }
    gauges::memory(&metrics, &memory);
    gauges::store(&metrics, &store);
    gauges::audit(&metrics, &audit);
    if let Some(sessions) = &sessions {
        gauges::sessions(&metrics, sessions);
        tokio::spawn(Arc::clone(sessions).run_maintenance(stop.clone()));
    }

    let certificates = Certificates::load(&config.http.tls).await?;
    let main = bind("http.listen", config.http.listen)?;
    let router = live.routes().router();
    let main = http::listen_within(main, router, certificates.as_ref(), &config.http, limits.main)
        .map_err(|error| StartError::Listen { setting: "http.listen", error })?;
    let admin = match config.http.admin_listen {
        None => None,
        Some(address) => {
            let socket = bind("http.admin_listen", address)?;
            let router = http::admin_router(readiness.clone(), metrics.clone());
            let admin = http::listen_within(socket, router, None, &config.http, limits.admin);
            let setting = "http.admin_listen";
            Some(admin.map_err(|error| StartError::Listen { setting, error })?)
        }
    };
    if let Some(certificates) = certificates {
        tokio::spawn(certificates.follow(stop.clone()));
    }
    Ok(RunningServer {
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
        drain_pause: config.http.drain_pause.0,
        drain_timeout: config.http.drain_timeout.0,
    })
}

fn bind(setting: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| StartError::Bind { setting, address, error })
}

impl RunningServer {
    /// Returns the URL for clients on this machine.
    pub fn endpoint(&self, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}/mcp", reachable_address(self.main.address))
    }

    /// Verifies the instances and their configured credentials in the background, and logs the
    /// result. It ends when the server stops.
    pub fn verify_instances(&self) {
        self.live.verify_instances();
    }

    /// Adds the telemetry whose last logs and traces are exported when the server stops.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Telemetry) -> Self {
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
        tokio::time::sleep(self.drain_pause).await;
        self.readiness.end_streams();
        let stop = self.stop.clone();
        let notice_after = self.drain_timeout.saturating_sub(SHUTDOWN_NOTICE);
        let notice = tokio::spawn(async move {
            tokio::time::sleep(notice_after).await;
            stop.cancel();
        });
        self.main.stop(self.drain_timeout).await;
        notice.abort();
        self.stop.cancel();
        for other in [self.admin, self.sample].into_iter().flatten() {
            other.stop(Duration::from_millis(100)).await;
        }
        flush_all(&self.audit, self.metrics, self.telemetry).await;
    }
}

/// Serves one local client over standard input and output, until it closes them or a shutdown
/// signal arrives.
///
/// # Errors
///
/// Returns an error that names the setting, if the settings cannot be used for a local client.
pub async fn serve_stdio(mut config: Config, telemetry: Telemetry) -> Result<(), StartError> {
    if config.audit.stdout {
        return Err(StartError::StdioAudit);
    }
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let metrics = Metrics::start(&config.telemetry.otlp)?;
    let tools = build_provider(&config, &metrics)?;
    let audit = tools.audit.clone();
    let instances = Arc::clone(&tools.instances);
    let caller = Caller::default();
    let instance = tools.instances.default().ok_or(StartError::NoDefaultInstance)?;
    instance
        .check_credentials(&caller.credential_inputs())
        .map_err(StartError::NoLocalCredential)?;
    let stop = CancellationToken::new();
    let settings = ProtocolSettings {
        call_timeout: config.http.request_timeout.0,
        stop: stop.clone(),
        local_caller: Some(caller),
        sessions: true,
        metrics: metrics.clone(),
    };
    let protocol = Protocol::new(tools, settings);
    let verified = {
        let (config, instances, stop) = (config.clone(), Arc::clone(&instances), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = verification::verify_and_log(&config, &instances) => {}
            }
        })
    };
    let signalled = shutdown_signal();
    let served = Box::pin(protocol.serve(rmcp::transport::stdio())).await;
    let served = served.map_err(|error| StartError::Stdio(error.to_string()))?;
    let ended = tokio::select! {
        ended = served.waiting() => {
            ended.map(|_| ()).map_err(|error| StartError::Stdio(error.to_string()))
        }
        () = signalled => Ok(()),
    };
    stop.cancel();
    let _ = verified.await;
    drop(sample);
    flush_all(&audit, metrics, Some(telemetry)).await;
    ended
}

/// Returns an address at which this machine reaches a listener. Replaces the unspecified address,
/// e.g. `0.0.0.0`, by the loopback address, which is also an accepted host.
pub fn reachable_address(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Prints to standard error. Ignores errors, as [`print()`].
pub fn print_to_stderr(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints to standard output. Ignores errors, because a closed pipe is not an error of the command.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
