//! Sessions end in time, whatever their clients do.

use rmcp::model::ClientJsonRpcMessage;

use super::*;

fn message(method: &str, params: &serde_json::Value) -> ClientJsonRpcMessage {
    let message =
        serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    serde_json::from_value(message).unwrap()
}

/// A session that has no room for another word: nobody takes from it what it has to say.
async fn stuck(sessions: &Arc<Sessions>, id: &str) -> impl Sized + use<> {
    let id = SessionId::from(id);
    let transport = sessions.local.restore_session(id.clone()).await.unwrap();
    let hello = message(
        "initialize",
        &serde_json::json!({ "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" } }),
    );
    let (greeting, of) = (Arc::clone(sessions), id.clone());
    tokio::spawn(async move { greeting.local.initialize_session(&of, hello).await });
    tokio::task::yield_now().await;
    let (brief, mut taken) = (Duration::from_millis(200), 0);
    loop {
        let ping = sessions.local.accept_message(&id, message("ping", &serde_json::json!({})));
        let Ok(said) = tokio::time::timeout(brief, ping).await else { return transport };
        said.unwrap();
        taken += 1;
        assert!(taken < 1000, "it takes everything");
    }
}

#[tokio::test]
async fn sessions_whose_clients_read_nothing_hold_up_the_end_of_no_other() {
    let seal = Seal::from_config(&config::Tools::default()).unwrap();
    let sessions = Arc::new(Sessions::new(&config::Http::default(), seal, None));
    let mut transports = Vec::new();
    for id in ["one", "two", "three"] {
        sessions.take_place(id, None, [0; 32]).unwrap();
        transports.push(stuck(&sessions, id).await);
    }
    let stop = CancellationToken::new();
    stop.cancel();
    let ended = tokio::time::timeout(CLOSES * 10, Arc::clone(&sessions).look_after(stop)).await;
    assert!(ended.is_ok(), "it waits for clients that read nothing");
    assert_eq!(sessions.count(), 0);
    for id in ["one", "two", "three"] {
        assert!(!sessions.local.has_session(&id.into()).await.unwrap(), "{id}");
    }
    drop(transports);
}
