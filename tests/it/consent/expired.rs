//! A yes that comes when the credential of the call is no longer good.

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
    let long = token(600);
    let capabilities = json!({ "elicitation": {} });
    let greeted = reply(post(&server, &long, None, &greeting(&capabilities))).await;
    let session = Some(greeted.header("mcp-session-id"));
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(reply(post(&server, &long, session, &ready)).await.status, 202);
    let (tool, arguments, ..) = changes().remove(0);
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } });
    for (is_short, done) in [(true, false), (false, true)] {
        let short = if is_short { token(5) } else { long.clone() };
        let called = post(&server, &short, session, &call).send().await.unwrap();
        assert_eq!(called.status(), 200);
        let mut messages = Messages::of(called);
        let question = messages.next().await.unwrap();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        if is_short {
            let list = json!({ "jsonrpc": "2.0", "id": 8, "method": "ping" });
            let is_over = async || {
                (reply(post(&server, &short, session, &list)).await.status == 401).then_some(())
            };
            soon(is_over).await;
        }
        // The client has renewed its token meanwhile.
        let yes = json!({ "jsonrpc": "2.0", "id": question["id"],
            "result": { "action": "accept", "content": {} } });
        assert_eq!(reply(post(&server, &long, session, &yes)).await.status, 202);
        let result = messages.next().await.unwrap()["result"].clone();
        assert_eq!(result["isError"] == true, !done, "{result}");
        assert_eq!(server.sample.changes().len(), usize::from(done));
        if !done {
            let said = result.to_string();
            assert!(said.contains("nothing was changed: the credential"), "{said}");
            assert!(said.contains("has expired"), "{said}");
        }
    }
}
