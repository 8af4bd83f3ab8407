//! Builds the parts from the settings, starts them, and stops them.

mod check;

pub use check::{check, policy};

use std::{io::Write, net::TcpListener, sync::Arc, time::Duration};

use rmcp::ServiceExt;
use tokio_util::sync::CancellationToken;

use crate::{
    audit::Audit,
    callers::Caller,
    config::{AuthMode, Config, Secret, Sessions},
    http::{self, Auth, Certificates, Gate, Listening, Rates, Readiness},
    mcp::{self, Absent, Protocol, Settings, Tools},
    octopus::Instances,
    rules::{Clock, Rules},
    sample,
    store::Store,
    tool::{Acting, Catalog, Gate as ChangeGate, InstanceRate, Limits, Seal, Starters},
    toolsets::TOOLSETS,
};

/// How long before the end of the drain the calls that still run are told that the server stops,
/// so that their clients hear it from the server and not from a broken connection.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Every tool.
pub fn catalog() -> Catalog {
    Catalog::new(TOOLSETS)
}

/// The offering of this product.
pub fn tools(config: &Config) -> Result<Tools, String> {
    // The hints of secrets are made ready at the first use, which should not be a caller's.
    crate::text::door("");
    Ok(Tools {
        catalog: catalog(),
        policy: policy(config)?,
        instances: Arc::new(Instances::from_config(config)?),
        gate: Arc::new(ChangeGate::new(config.tools.confirm, Seal::from_config(&config.tools)?)),
        limits: Limits {
            answer: config.tools.answer_bytes.0,
            answer_cap: config.tools.answer_bytes_cap.0,
            take: config.tools.take,
            take_cap: config.tools.take_cap,
        },
        rules: Arc::new(
            Rules::of(&config.policy).map_err(|error| format!("policy.rules: {error}"))?,
        ),
        starters: Arc::new(Starters::new(Store::memory())),
        audit: Audit::start(&config.audit)?,
        acting: Acting::default(),
        instance_rate: InstanceRate::default(),
        absent: Absent::default(),
    })
}

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
    audit: Audit,
    sample: Option<Listening>,
    readiness: Readiness,
    stop: CancellationToken,
    drain: Duration,
}

/// Starts everything that the settings ask for. It serves when this returns.
pub async fn start(config: Config) -> Result<Running, String> {
    start_by(config, Clock::default()).await
}

/// The same, with rules that go by this clock.
pub async fn start_by(mut config: Config, clock: Clock) -> Result<Running, String> {
    let stop = CancellationToken::new();
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let auth = Auth::from_config(&config, check::toolsets_of)?;
    let settings = Settings {
        call_timeout: config.http.request_timeout.0,
        stop: stop.clone(),
        local: None,
        sessions: config.http.sessions == Sessions::Memory,
    };
    let store = Store::open(&config.limits, stop.clone()).await?;
    let mut tools = tools(&config)?;
    tools.starters = Arc::new(Starters::new(Arc::clone(&store)));
    tools.instance_rate = InstanceRate::new(&config.limits, &store);
    let instance_rate = tools.instance_rate.clone();
    tools.rules = Arc::new(tools.rules.as_ref().clone().by(clock));
    let audit = tools.audit.clone();
    let protocol = Protocol::new(tools, settings);
    let readiness = Readiness::default();
    let sessions = match config.http.sessions {
        Sessions::Off => None,
        Sessions::Memory => {
            let sessions = mcp::Sessions::new(&config.http, Seal::from_config(&config.tools)?);
            Some(Arc::new(sessions))
        }
    };
    if let Some(sessions) = &sessions {
        tokio::spawn(Arc::clone(sessions).look_after(stop.clone()));
    }
    let rates = Rates::new(&config.limits, config.default_instance(), &store, instance_rate);
    let gate =
        Gate::new(&config.http, &config.limits, rates, auth, readiness.clone(), sessions.clone())
            .audited(audit.clone());
    let router = http::router(gate, protocol);

    let certificates = Certificates::load(&config.http.tls).await?;
    let header_timeout = config.http.header_timeout.0;
    let main = bind("http.listen", config.http.listen)?;
    let main = http::listen(main, router, certificates.as_ref(), header_timeout)
        .map_err(|error| format!("http.listen: {error}"))?;
    let admin = match config.http.admin_listen {
        None => None,
        Some(address) => {
            let socket = bind("http.admin_listen", address)?;
            let router = http::admin_router(readiness.clone());
            let admin = http::listen(socket, router, None, header_timeout);
            Some(admin.map_err(|error| format!("http.admin_listen: {error}"))?)
        }
    };
    if let Some(certificates) = certificates {
        tokio::spawn(certificates.follow(stop.clone()));
    }
    Ok(Running {
        audit,
        main,
        admin,
        sessions,
        store,
        sample,
        readiness,
        stop,
        drain: config.http.drain_timeout.0,
    })
}

fn bind(key: &str, address: std::net::SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| {
        format!("{key}: cannot listen on {address}: {error}; choose another address or port")
    })
}

/// Starts the sample instance on a port of its own, and points the settings at it. A credential
/// for a real instance means nothing there, and stays here.
fn start_sample(config: &mut Config) -> Result<Listening, String> {
    let socket = bind("sample", std::net::SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let router = sample::Sample::new().router();
    let listening = http::listen(socket, router, None, config.http.header_timeout.0)
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

    /// Stops: says that it is not ready, accepts no more connections, gives running calls their
    /// time, and tells those that are left that it is over.
    pub async fn stop(self) {
        self.readiness.stop();
        let stop = self.stop.clone();
        let patience = self.drain.saturating_sub(LAST_WORDS);
        let last_words = tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            stop.cancel();
        });
        if let Err(error) = self.main.stop(self.drain).await {
            tracing::warn!(%error, "the listener did not stop cleanly");
        }
        last_words.abort();
        self.stop.cancel();
        for other in [self.admin, self.sample].into_iter().flatten() {
            let _ = other.stop(Duration::from_millis(100)).await;
        }
        self.audit.stop().await;
    }
}

/// Serves one local client over standard input and output, until it closes them.
pub async fn serve_stdio(mut config: Config) -> Result<(), String> {
    if config.audit.stdout {
        return Err("audit.stdout: standard output belongs to the local client; give \
                    audit.file.path instead"
            .to_owned());
    }
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let tools = tools(&config)?;
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
    audit.stop().await;
    ended
}

/// Listens from now on for the signals that end the process, Ctrl-C and SIGTERM, and gives what
/// waits for one: whoever says that the server runs has called this before.
pub fn signalled() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let received = |kind| {
            let signal = signal(kind);
            async move {
                match signal {
                    Ok(mut signal) => drop(signal.recv().await),
                    Err(_) => std::future::pending().await,
                }
            }
        };
        let interrupted = received(SignalKind::interrupt());
        let terminated = received(SignalKind::terminate());
        async move {
            tokio::select! { () = interrupted => {}, () = terminated => {} }
        }
    }
    #[cfg(not(unix))]
    async {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// Prints to standard output. A closed pipe is nobody's mistake.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
