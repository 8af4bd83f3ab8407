//! Approval after the credential of the call has expired.

use octopus_mcp::config::{DurationSetting, SessionStorage};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::write_calls;
use crate::{
    auth::test_issuer::{Signer, TestIssuer, now},
    sessions::{MessageStream, initialize_request},
    support::{LEGACY_VERSION, TestServer, send, wait_until_some},
};

fn request(
    server: &TestServer,
    token: &str,
    session: Option<&str>,
    body: &Value,
) -> RequestBuilder {
    let request = server
        .http
        .post(&server.url)
        .header("accept", "application/json, text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .header("mcp-protocol-version", LEGACY_VERSION)
        .json(body);
    match session {
        Some(session) => request.header("mcp-session-id", session),
        None => request,
    }
}

#[tokio::test]
async fn credential_that_expires_before_approval_sends_nothing() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.clock_skew = DurationSetting(std::time::Duration::ZERO);
        config.http.sessions = SessionStorage::Memory;
        config.tools.read_only = false;
    })
    .await;
    let token = |seconds: u64| {
        let claims = json!({ "exp": now() + seconds, "scope": "octopus:deploy" });
        signer.sign(&issuer.claims_with(&claims))
    };
    let valid_token = token(600);
    let capabilities = json!({ "elicitation": {} });
    let initialized =
        send(request(&server, &valid_token, None, &initialize_request(&capabilities))).await;
    let session = Some(initialized.header("mcp-session-id"));
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(send(request(&server, &valid_token, session, &notification)).await.status, 202);
    let (tool, arguments, ..) = write_calls().remove(0);
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } });
    for (expires, is_done) in [(true, false), (false, true)] {
        let call_token = if expires { token(5) } else { valid_token.clone() };
        let called = request(&server, &call_token, session, &call).send().await.unwrap();
        assert_eq!(called.status(), 200);
        let mut messages = MessageStream::of(called);
        let elicitation = messages.next().await.unwrap();
        assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
        if expires {
            let list = json!({ "jsonrpc": "2.0", "id": 8, "method": "ping" });
            let is_expired = async || {
                (send(request(&server, &call_token, session, &list)).await.status == 401)
                    .then_some(())
            };
            wait_until_some(is_expired).await;
        }
        // The client has renewed its token in the meantime.
        let approval = json!({ "jsonrpc": "2.0", "id": elicitation["id"],
            "result": { "action": "accept", "content": {} } });
        assert_eq!(send(request(&server, &valid_token, session, &approval)).await.status, 202);
        let result = messages.next().await.unwrap()["result"].clone();
        assert_eq!(result["isError"] == true, !is_done, "{result}");
        assert_eq!(server.sample.changes().len(), usize::from(is_done));
        if !is_done {
            let text = result.to_string();
            assert!(
                text.contains("nothing was changed: the credential of this call expired"),
                "{text}"
            );
        }
    }
}
