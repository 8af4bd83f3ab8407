//! Tests: sessions close in time even if clients do not read, and takeovers succeed fully or not at
//! all.

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, ClientJsonRpcMessage, InitializeRequestParams,
        ServerCapabilities, ServerConfig, Tool,
    },
};

use super::{room::Way, *};
use crate::mcp::{Offering, Protocol, Request, RequestContext, Settings};

/// A provider without tools.
struct Nothing;

impl Offering for Nothing {
    fn info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::default())
    }

    async fn tools(&self, _: Request) -> Vec<Tool> {
        Vec::new()
    }

    fn tool(&self, _: &str, _: Option<&RequestContext>) -> Option<Tool> {
        None
    }

    async fn call(
        &self,
        _: CallToolRequestParams,
        _: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        Err(ErrorData::internal_error("no tools", None))
    }
}

fn protocol() -> Protocol<Nothing> {
    let settings = Settings {
        call_timeout: Duration::from_mins(1),
        stop: CancellationToken::new(),
        local: Some(Caller::default()),
        sessions: true,
        metrics: crate::telemetry::Metrics::default(),
    };
    Protocol::new(Nothing, settings)
}

pub(super) fn sessions(per_caller: u32) -> Arc<Sessions> {
    sharing(per_caller, Store::memory())
}

fn sharing(per_caller: u32, store: Arc<Store>) -> Arc<Sessions> {
    let seal = Seal::from_config(&config::Tools::default()).unwrap();
    let http = config::Http { session_limit_per_caller: per_caller, ..config::Http::default() };
    Arc::new(Sessions::new(&http, seal, Some(store)))
}

fn greeting() -> serde_json::Value {
    serde_json::json!({ "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } })
}

/// Returns a takeover of a session that another replica started.
fn taking(
    sessions: &Arc<Sessions>,
    id: &'static str,
) -> impl Future<Output = Result<(), NotTaken>> + Send + 'static {
    let greeting: InitializeRequestParams = serde_json::from_value(greeting()).unwrap();
    let (parts, ()) = http::Request::new(()).into_parts();
    let sessions = Arc::clone(sessions);
    async move {
        let whose = (&Caller::default(), [0; 32], parts);
        sessions.take_up(&protocol(), id, greeting, whose).await
    }
}

fn message(method: &str, params: &serde_json::Value) -> ClientJsonRpcMessage {
    let message =
        serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    serde_json::from_value(message).unwrap()
}

/// Creates a session and fills its message queue, which the test never reads.
async fn stuck(sessions: &Arc<Sessions>, id: &str) -> impl Sized + use<> {
    let id = SessionId::from(id);
    let transport = sessions.local.restore_session(id.clone()).await.unwrap();
    let hello = message("initialize", &greeting());
    let (greeting, of) = (Arc::clone(sessions), id.clone());
    tokio::spawn(async move { greeting.local.initialize_session(&of, hello).await });
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
async fn sessions_whose_clients_read_nothing_hold_up_the_end_of_no_other() {
    let sessions = sessions(10);
    let mut transports = Vec::new();
    for id in ["one", "two", "three"] {
        sessions.take_place(id, (None, [0; 32]), 0).unwrap();
        transports.push(stuck(&sessions, id).await);
    }
    let stop = CancellationToken::new();
    stop.cancel();
    let ended = tokio::time::timeout(CLOSES * 10, Arc::clone(&sessions).look_after(stop)).await;
    assert!(ended.is_ok(), "waits for clients that do not read");
    assert_eq!(sessions.count(), 0);
    for id in ["one", "two", "three"] {
        assert!(!sessions.local.has_session(&id.into()).await.unwrap(), "{id}");
    }
    drop(transports);
}

#[tokio::test]
async fn a_session_that_nobody_waits_for_any_more_is_taken_up_all_the_same() {
    let sessions = sessions(10);
    {
        // The client disconnects right after the takeover started.
        let mut taking = Box::pin(taking(&sessions, "one"));
        assert!(futures::poll!(&mut taking).is_pending());
    }
    taking(&sessions, "one").await.unwrap();
    assert_eq!(sessions.count(), 1);
    assert!(sessions.local.has_session(&"one".into()).await.unwrap());
    let known = sessions.known().get("one").map(|known| known.taken);
    assert_eq!(known, Some(1), "taken over more than once");
}

#[tokio::test]
async fn what_was_served_to_its_end_ends_nothing_that_was_taken_up_since() {
    let (sessions, id) = (sessions(10), SessionId::from("one"));
    let is_there = async || {
        let is_known = sessions.known().contains_key("one");
        assert_eq!(sessions.local.has_session(&id).await.unwrap(), is_known);
        is_known
    };
    taking(&sessions, "one").await.unwrap();
    sessions.close_all(vec!["one".to_owned()]).await;
    assert!(!is_there().await);
    taking(&sessions, "one").await.unwrap();
    // Neither the end of a session that started here nor that of the first takeover closes it.
    let manager = Manager(Some(Arc::clone(&sessions)));
    manager.close_session(&id).await.unwrap();
    sessions.served(&id, 1).await;
    assert!(is_there().await);
    sessions.served(&id, 2).await;
    assert!(!is_there().await);
}

/// Ends the session at each possible point of the takeover.
#[tokio::test]
async fn a_session_that_ends_while_it_is_taken_up_leaves_nothing_behind() {
    let id = SessionId::from("one");
    for moments in 0..100 {
        let sessions = sessions(10);
        let taking = tokio::spawn(taking(&sessions, "one"));
        for _ in 0..moments {
            tokio::task::yield_now().await;
        }
        let _ = sessions.local.close_session(&id).await;
        let was_over = taking.is_finished();
        let taken = taking.await.unwrap();
        // The service task ends by itself.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let is_there = sessions.local.has_session(&id).await.unwrap();
        assert_eq!(sessions.known().contains_key("one"), is_there, "{moments}: {taken:?}");
        assert!(!was_over || !is_there, "{moments}");
    }
}

/// A change to a session that is a candidate for release.
type Change = fn(&Sessions);

#[tokio::test]
async fn what_another_replica_began_gives_way_here_when_nobody_uses_it() {
    fn known(sessions: &Sessions, change: impl FnOnce(&mut Known)) {
        change(sessions.known().get_mut("one").unwrap());
    }
    let changes: [(&str, Change, Result<Way, NoRoom>); 5] = [
        ("is idle", |_| {}, Ok(Way::Leaves("one".to_owned()))),
        (
            "was used",
            |sessions| known(sessions, |one| one.last = Instant::now()),
            Err(NoRoom::ForCaller),
        ),
        ("has a stream", |sessions| known(sessions, |one| one.open = 1), Err(NoRoom::ForCaller)),
        ("began here", |sessions| known(sessions, |one| one.taken = 0), Err(NoRoom::ForCaller)),
        (
            "is asked",
            |sessions| {
                let shared = sessions.shared.as_ref().unwrap();
                shared.waiting().insert(("one".into(), 0), "question".into());
            },
            Err(NoRoom::ForCaller),
        ),
    ];
    for (what, change, comes_to) in changes {
        let sessions = sessions(1);
        taking(&sessions, "one").await.unwrap();
        known(&sessions, |one| one.last = one.last.checked_sub(sessions.round()).unwrap());
        change(&sessions);
        let whose = Some(Caller::default().fingerprint());
        let way = sessions.room_in(&sessions.known(), whose, &[0; 32]);
        assert_eq!(way, comes_to, "{what}");
        let taken = taking(&sessions, "two").await;
        let left = sessions.local.has_session(&"one".into()).await.unwrap();
        assert_eq!((taken.is_ok(), !left), (comes_to.is_ok(), comes_to.is_ok()), "{what}");
        assert_eq!(sessions.count(), 1, "{what}");
    }
}

#[tokio::test]
async fn while_the_store_is_away_nothing_gives_way() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = config::StoreAddress::read(&format!("redis://{nobody}")).unwrap();
    let limits = config::Limits { store: address, ..config::Limits::default() };
    let store = Store::open(&limits, CancellationToken::new()).await.unwrap();
    assert!(store.is_away());
    let sessions = sharing(1, store);
    taking(&sessions, "one").await.unwrap();
    let round = sessions.round();
    let mut known = sessions.known();
    let one = known.get_mut("one").unwrap();
    one.last = one.last.checked_sub(round).unwrap();
    let whose = Some(Caller::default().fingerprint());
    // No replica could continue the session.
    assert_eq!(sessions.room_in(&known, whose, &[0; 32]), Err(NoRoom::ForCaller));
}
