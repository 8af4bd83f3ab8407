//! Approval after the credential of the call has expired.

use octopus_mcp::config::{Period, Sessions};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::changes;
use crate::{
    callers::issuer::{Signer, TestIssuer, now},
    sessions::{Messages, greeting},
    support::{LEGACY, TestServer, reply, soon},
};

fn post(server: &TestServer, token: &str, session: Option<&str>, body: &Value) -> RequestBuilder {
    let request = server
        .http
        .post(&server.url)
        .header("accept", "application/json, text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .header("mcp-protocol-version", LEGACY)
        .json(body);
    match session {
        Some(session) => request.header("mcp-session-id", session),
        None => request,
    }
}

#[tokio::test]
async fn a_credential_that_expires_while_the_person_thinks_does_nothing() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.clock_skew = Period(std::time::Duration::ZERO);
        config.http.sessions = Sessions::Memory;
        config.tools.read_only = false;
    })
    .await;
    let token = |seconds: u64| {
        let claims = json!({ "exp": now() + seconds, "scope": "octopus:deploy" });
        signer.sign(&issuer.claims_with(&claims))
    };
    let valid_token = token(600);
    let capabilities = json!({ "elicitation": {} });
    let initialized = reply(post(&server, &valid_token, None, &greeting(&capabilities))).await;
    let session = Some(initialized.header("mcp-session-id"));
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(reply(post(&server, &valid_token, session, &notification)).await.status, 202);
    let (tool, arguments, ..) = changes().remove(0);
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } });
    for (expires, is_done) in [(true, false), (false, true)] {
        let call_token = if expires { token(5) } else { valid_token.clone() };
        let called = post(&server, &call_token, session, &call).send().await.unwrap();
        assert_eq!(called.status(), 200);
        let mut messages = Messages::of(called);
        let elicitation = messages.next().await.unwrap();
        assert_eq!(elicitation["method"], "elicitation/create", "{elicitation}");
        if expires {
            let list = json!({ "jsonrpc": "2.0", "id": 8, "method": "ping" });
            let is_expired = async || {
                (reply(post(&server, &call_token, session, &list)).await.status == 401)
                    .then_some(())
            };
            soon(is_expired).await;
        }
        // The client has renewed its token in the meantime.
        let approval = json!({ "jsonrpc": "2.0", "id": elicitation["id"],
            "result": { "action": "accept", "content": {} } });
        assert_eq!(reply(post(&server, &valid_token, session, &approval)).await.status, 202);
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
