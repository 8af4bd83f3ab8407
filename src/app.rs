//! Builds the parts from the settings, starts them, and stops them.

use std::{io::Write, net::TcpListener, sync::Arc, time::Duration};

use rmcp::ServiceExt;
use tokio_util::sync::CancellationToken;

use crate::{
    callers::Caller,
    config::{AuthMode, Config, Loaded, Secret, Sessions},
    http::{self, Auth, Certificates, Gate, Listening, Readiness},
    mcp::{self, Protocol, Settings, Tools},
    octopus::Instances,
    sample,
    tool::{Catalog, Gate as ChangeGate, Limits, Policy, Seal, Tier},
    toolsets::TOOLSETS,
};

/// How long before the end of the drain the calls that still run are told that the server stops,
/// so that their clients hear it from the server and not from a broken connection.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Adds the mistakes in the settings that only the catalog can see.
pub fn check(loaded: &mut Loaded) {
    let tools = loaded.config().tools.clone();
    if let Err(unknown) = Policy::new(TOOLSETS, &tools.toolsets.0, Tier::Read) {
        let near = crate::text::nearest::nearest(&unknown.given, unknown.valid.iter().copied(), 1);
        let near = near.first().map_or_else(String::new, |near| format!("; perhaps `{near}`"));
        let message = format!(
            "there is no toolset `{}`{near}. There are: {}, or `all`",
            unknown.given,
            unknown.valid.join(", ")
        );
        loaded.refuse("tools.toolsets", &message);
    }
}

/// What anybody may see and do, as the settings say.
pub fn policy(config: &Config) -> Result<Policy, String> {
    let tools = &config.tools;
    let ceiling = match (tools.read_only, tools.allow_deletes) {
        (true, _) => Tier::Read,
        (false, false) => Tier::Write,
        (false, true) => Tier::Delete,
    };
    Policy::new(TOOLSETS, &config.tools.toolsets.0, ceiling)
        .map_err(|unknown| format!("tools.toolsets: there is no toolset `{}`", unknown.given))
}

/// Every tool, as the settings list them.
pub fn catalog(config: &Config) -> Catalog {
    Catalog::new(TOOLSETS, config.octopus.space.is_some())
}

/// The offering of this product.
pub fn tools(config: &Config) -> Result<Tools, String> {
    // The rules for secrets are built at the first use, which should not be a caller's.
    crate::text::door("");
    Ok(Tools {
        catalog: catalog(config),
        policy: policy(config)?,
        instances: Arc::new(Instances::from_config(config)?),
        gate: Arc::new(ChangeGate::new(config.tools.confirm, Seal::from_config(&config.tools)?)),
        limits: Limits {
            answer: config.tools.answer_bytes.0,
            answer_cap: config.tools.answer_bytes_cap.0,
            take: config.tools.take,
            take_cap: config.tools.take_cap,
        },
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
    sample: Option<Listening>,
    readiness: Readiness,
    stop: CancellationToken,
    drain: Duration,
}

/// Starts everything that the settings ask for. It serves when this returns.
pub async fn start(mut config: Config) -> Result<Running, String> {
    let stop = CancellationToken::new();
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let auth = Auth::new(&config.auth_modes());
    let settings = Settings {
        call_timeout: config.http.request_timeout.0,
        stop: stop.clone(),
        local: None,
        sessions: config.http.sessions == Sessions::Memory,
    };
    let protocol = Protocol::new(tools(&config)?, settings);
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
    let gate = Gate::new(&config.http, &config.limits, auth, readiness.clone(), sessions.clone());
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
        main,
        admin,
        sessions,
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
    }
}

/// Serves one local client over standard input and output, until it closes them.
pub async fn serve_stdio(mut config: Config) -> Result<(), String> {
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let tools = tools(&config)?;
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
