//! Tests: sessions close in time even if clients do not read, and takeovers succeed fully or not at
//! all.

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, ClientJsonRpcMessage, InitializeRequestParams,
        ServerCapabilities, ServerConfig, Tool,
    },
};

use super::{capacity::Eviction, *};
use crate::mcp::{McpProvider, Protocol, ProtocolSettings, RequestContext, RequestInfo};

/// A provider without tools.
struct EmptyProvider;

impl McpProvider for EmptyProvider {
    fn info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::default())
    }

    async fn tools(&self, _: RequestInfo) -> Vec<Tool> {
        Vec::new()
    }

    fn tool(&self, _: &str, _: Option<&RequestContext>) -> Option<Tool> {
        None
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestInfo,
    ) -> Result<CallToolResponse, ErrorData> {
        Err(ErrorData::internal_error("no tools", None))
    }
}

fn protocol() -> Protocol<EmptyProvider> {
    let settings = ProtocolSettings {
        call_timeout: Duration::from_mins(1),
        stop: CancellationToken::new(),
        local_caller: Some(Caller::default()),
        sessions: true,
        metrics: crate::telemetry::Metrics::default(),
    };
    Protocol::new(EmptyProvider, settings)
}

pub(super) fn sessions(per_caller: u32) -> Arc<SessionRegistry> {
    sessions_with_store(per_caller, Store::in_memory())
}

fn sessions_with_store(per_caller: u32, store: Arc<Store>) -> Arc<SessionRegistry> {
    let seal = Seal::from_config(&config::ToolSettings::default()).unwrap();
    let http = config::HttpSettings {
        session_limit_per_caller: per_caller,
        ..config::HttpSettings::default()
    };
    Arc::new(SessionRegistry::new(&http, seal, Some(store)))
}

fn initialize_params() -> serde_json::Value {
    serde_json::json!({ "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } })
}

/// Returns a takeover of a session that another replica started.
fn take_over(
    sessions: &Arc<SessionRegistry>,
    id: &'static str,
) -> impl Future<Output = Result<(), TakeoverError>> + Send + 'static {
    let initialize: InitializeRequestParams = serde_json::from_value(initialize_params()).unwrap();
    let (parts, ()) = http::Request::new(()).into_parts();
    let sessions = Arc::clone(sessions);
    async move {
        let request = (&Caller::default(), [0; 32], parts);
        sessions.take_over(&protocol(), id, initialize, request).await
    }
}

fn message(method: &str, params: &serde_json::Value) -> ClientJsonRpcMessage {
    let message =
        serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    serde_json::from_value(message).unwrap()
}

/// Creates a session and fills its message queue, which the test never reads.
async fn blocked_session(sessions: &Arc<SessionRegistry>, id: &str) -> impl Sized + use<> {
    let id = SessionId::from(id);
    let transport = sessions.local.restore_session(id.clone()).await.unwrap();
    let hello = message("initialize", &initialize_params());
    let (registry, of) = (Arc::clone(sessions), id.clone());
    tokio::spawn(async move { registry.local.initialize_session(&of, hello).await });
    tokio::task::yield_now().await;
    let (brief, mut accepted) = (Duration::from_millis(200), 0);
    loop {
        let ping = sessions.local.accept_message(&id, message("ping", &serde_json::json!({})));
        let Ok(result) = tokio::time::timeout(brief, ping).await else { return transport };
        result.unwrap();
        accepted += 1;
        assert!(accepted < 1000, "the queue is not bounded");
    }
}

#[tokio::test]
async fn clients_that_do_not_read_do_not_delay_closing() {
    let sessions = sessions(10);
    let mut transports = Vec::new();
    for id in ["one", "two", "three"] {
        sessions.add_entry(id, (None, [0; 32]), 0).unwrap();
        transports.push(blocked_session(&sessions, id).await);
    }
    let stop = CancellationToken::new();
    stop.cancel();
    let ended =
        tokio::time::timeout(CLOSE_TIMEOUT * 10, Arc::clone(&sessions).run_maintenance(stop)).await;
    assert!(ended.is_ok(), "waits for clients that do not read");
    assert_eq!(sessions.count(), 0);
    for id in ["one", "two", "three"] {
        assert!(!sessions.local.has_session(&id.into()).await.unwrap(), "{id}");
    }
    drop(transports);
}

#[tokio::test]
async fn takeover_completes_after_client_disconnects() {
    let sessions = sessions(10);
    {
        // The client disconnects right after the takeover started.
        let mut taking = Box::pin(take_over(&sessions, "one"));
        assert!(futures::poll!(&mut taking).is_pending());
    }
    take_over(&sessions, "one").await.unwrap();
    assert_eq!(sessions.count(), 1);
    assert!(sessions.local.has_session(&"one".into()).await.unwrap());
    let takeover_number = sessions.entries().get("one").map(|entry| entry.takeover_number);
    assert_eq!(takeover_number, Some(1), "taken over more than once");
}

#[tokio::test]
async fn end_of_old_service_keeps_newer_takeover() {
    let (sessions, id) = (sessions(10), SessionId::from("one"));
    let is_there = async || {
        let has_entry = sessions.entries().contains_key("one");
        assert_eq!(sessions.local.has_session(&id).await.unwrap(), has_entry);
        has_entry
    };
    take_over(&sessions, "one").await.unwrap();
    sessions.close_all(vec!["one".to_owned()]).await;
    assert!(!is_there().await);
    take_over(&sessions, "one").await.unwrap();
    // Neither the end of a session that started here nor that of the first takeover closes it.
    let manager = SessionManagerAdapter(Some(Arc::clone(&sessions)));
    manager.close_session(&id).await.unwrap();
    sessions.close_if_current(&id, 1).await;
    assert!(is_there().await);
    sessions.close_if_current(&id, 2).await;
    assert!(!is_there().await);
}

/// Ends the session at each possible point of the takeover.
#[tokio::test]
async fn session_ending_during_takeover_leaves_no_entry() {
    let id = SessionId::from("one");
    for moments in 0..100 {
        let sessions = sessions(10);
        let takeover = tokio::spawn(take_over(&sessions, "one"));
        for _ in 0..moments {
            tokio::task::yield_now().await;
        }
        let _ = sessions.local.close_session(&id).await;
        let was_over = takeover.is_finished();
        let result = takeover.await.unwrap();
        // The service task ends by itself.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let is_there = sessions.local.has_session(&id).await.unwrap();
        assert_eq!(sessions.entries().contains_key("one"), is_there, "{moments}: {result:?}");
        assert!(!was_over || !is_there, "{moments}");
    }
}

/// A change to a session that is a candidate for release.
type SessionChange = fn(&SessionRegistry);

#[tokio::test]
async fn idle_takeover_is_released_for_new_session() {
    fn update_entry(sessions: &SessionRegistry, change: impl FnOnce(&mut SessionEntry)) {
        change(sessions.entries().get_mut("one").unwrap());
    }
    let changes: [(&str, SessionChange, Result<Eviction, SessionLimit>); 5] = [
        ("is idle", |_| {}, Ok(Eviction::Release("one".to_owned()))),
        (
            "was used",
            |sessions| update_entry(sessions, |entry| entry.last_used = Instant::now()),
            Err(SessionLimit::PerCaller),
        ),
        (
            "has a stream",
            |sessions| update_entry(sessions, |entry| entry.open_streams = 1),
            Err(SessionLimit::PerCaller),
        ),
        (
            "started here",
            |sessions| update_entry(sessions, |entry| entry.takeover_number = 0),
            Err(SessionLimit::PerCaller),
        ),
        (
            "has a pending request",
            |sessions| {
                let shared = sessions.shared.as_ref().unwrap();
                shared.pending().insert(("one".into(), 0), "request".into());
            },
            Err(SessionLimit::PerCaller),
        ),
    ];
    for (case, change, expected) in changes {
        let sessions = sessions(1);
        take_over(&sessions, "one").await.unwrap();
        update_entry(&sessions, |entry| {
            entry.last_used = entry.last_used.checked_sub(sessions.sweep_interval()).unwrap();
        });
        change(&sessions);
        let owner = Some(Caller::default().fingerprint());
        let eviction = sessions.plan_eviction(&sessions.entries(), owner, &[0; 32]);
        assert_eq!(eviction, expected, "{case}");
        let result = take_over(&sessions, "two").await;
        let remains = sessions.local.has_session(&"one".into()).await.unwrap();
        assert_eq!((result.is_ok(), !remains), (expected.is_ok(), expected.is_ok()), "{case}");
        assert_eq!(sessions.count(), 1, "{case}");
    }
}

#[tokio::test]
async fn releases_no_session_while_store_is_unavailable() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = config::StoreAddress::parse(&format!("redis://{nobody}")).unwrap();
    let limits = config::LimitSettings { store: address, ..config::LimitSettings::default() };
    let store = Store::open(&limits, CancellationToken::new()).await.unwrap();
    assert!(store.is_unavailable());
    let sessions = sessions_with_store(1, store);
    take_over(&sessions, "one").await.unwrap();
    let round = sessions.sweep_interval();
    let mut entries = sessions.entries();
    let entry = entries.get_mut("one").unwrap();
    entry.last_used = entry.last_used.checked_sub(round).unwrap();
    let owner = Some(Caller::default().fingerprint());
    // No replica could continue the session.
    assert_eq!(sessions.plan_eviction(&entries, owner, &[0; 32]), Err(SessionLimit::PerCaller));
}
