//! Sessions of earlier clients: whose they are, how many, how they end, and that a person can be
//! asked on one.

use octopus_mcp::{
    config::{Config, Period, Sessions},
    sample::keys,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    consent::{changes, holds},
    support::{LEGACY, Reply, TestServer, reply, soon},
};

/// A client that keeps a session, as those of the earlier revisions do.
pub struct Client<'a> {
    pub server: &'a TestServer,
    pub key: &'static str,
    pub session: String,
}

/// The messages of a stream, as they come.
pub struct Messages {
    response: Response,
    rest: String,
}

impl Messages {
    /// Those of this answer.
    pub fn of(response: Response) -> Self {
        Self { response, rest: String::new() }
    }

    /// The next message that is one. `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((line, rest)) = self.rest.split_once('\n') {
                let (line, rest) = (line.trim().to_owned(), rest.to_owned());
                self.rest = rest;
                if let Some(message) = line.strip_prefix("data:").map(str::trim)
                    && !message.is_empty()
                {
                    return Some(serde_json::from_str(message).unwrap());
                }
            }
            let piece = self.response.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}

async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.http.sessions = Sessions::Memory;
        config.tools.read_only = false;
        change(config);
    })
    .await
}

fn request(
    server: &TestServer,
    method: Method,
    key: &str,
    session: Option<&str>,
) -> reqwest::RequestBuilder {
    let request = server
        .http
        .request(method, &server.url)
        .header("accept", "application/json, text/event-stream")
        .header("x-octopus-apikey", key)
        .header("mcp-protocol-version", LEGACY);
    match session {
        Some(session) => request.header("mcp-session-id", session),
        None => request,
    }
}

pub fn greeting(capabilities: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": LEGACY,
            "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
}

async fn greet(server: &TestServer, key: &str, capabilities: &Value) -> Reply {
    reply(request(server, Method::POST, key, None).json(&greeting(capabilities))).await
}

impl<'a> Client<'a> {
    pub async fn connect(server: &'a TestServer, key: &'static str, capabilities: Value) -> Self {
        let greeted = greet(server, key, &capabilities).await;
        assert_eq!(greeted.status, 200, "{}", greeted.text);
        assert_eq!(greeted.json()["result"]["protocolVersion"], LEGACY);
        let session = greeted.header("mcp-session-id").to_owned();
        assert!(!session.is_empty());
        let client = Self { server, key, session };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(client.post(&ready).await.status(), 202);
        client
    }

    /// The same client, whose requests go to another replica.
    pub fn at<'b>(&self, server: &'b TestServer) -> Client<'b> {
        Client { server, key: self.key, session: self.session.clone() }
    }

    /// A request without a body.
    pub async fn ask(&self, method: Method) -> Response {
        request(self.server, method, self.key, Some(&self.session)).send().await.unwrap()
    }

    pub async fn post(&self, message: &Value) -> Response {
        let request = request(self.server, Method::POST, self.key, Some(&self.session));
        request.json(message).send().await.unwrap()
    }

    pub async fn call(&self, tool: &str, arguments: &Value) -> Messages {
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        let response = self.post(&call).await;
        assert_eq!(response.status(), 200);
        Messages::of(response)
    }

    pub async fn answer(&self, question: &Value, result: Value) {
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
        assert_eq!(self.post(&answer).await.status(), 202);
    }
}

/// What a call comes to on a session, where the person does this about the question.
async fn asked(
    client: &Client<'_>,
    tool: &str,
    arguments: &Value,
    action: &str,
) -> (String, Value) {
    let mut messages = client.call(tool, arguments).await;
    let question = messages.next().await.unwrap();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    assert_eq!(client.server.sample.changes(), [], "before the answer");
    let words = question["params"]["message"].as_str().unwrap().to_owned();
    client.answer(&question, json!({ "action": action, "content": {} })).await;
    let result = messages.next().await.unwrap();
    assert_eq!(result["id"], 7, "{result}");
    (words, result["result"].clone())
}

#[tokio::test]
async fn a_person_is_asked_on_the_stream_of_the_call() {
    for (tool, arguments, sends, body) in changes() {
        let server = server(|_| {}).await;
        let client = Client::connect(&server, keys::ADMIN, json!({ "elicitation": {} })).await;
        for action in ["decline", "cancel"] {
            let (_, result) = asked(&client, tool, &arguments, action).await;
            assert_eq!(result["isError"], true);
            assert_eq!(result["structuredContent"]["cancelled"], true, "{result}");
        }
        let (words, result) = asked(&client, tool, &arguments, "accept").await;
        assert!(words.lines().count() > 3, "{words}");
        assert_eq!(result["structuredContent"]["success"], true, "{result}");
        let sent = server.sample.changes();
        let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
        assert_eq!(format!("{} {}", sent.method, sent.path), sends);
        let none = json!({});
        assert!(holds(sent.body.as_ref().unwrap_or(&none), &body), "{tool}: {:#?}", sent.body);
    }
}

#[tokio::test]
async fn a_client_that_cannot_ask_gets_a_code_on_its_session_too() {
    for capabilities in [json!({}), json!({ "elicitation": { "url": {} } })] {
        let server = server(|_| {}).await;
        let client = Client::connect(&server, keys::ADMIN, capabilities).await;
        let (tool, mut arguments, ..) = changes().remove(0);
        let answer = client.call(tool, &arguments).await.next().await.unwrap();
        let asked = &answer["result"]["structuredContent"];
        assert_eq!(asked["confirmationRequired"], true, "{answer}");
        assert_eq!(server.sample.changes(), []);
        arguments["confirm"] = asked["confirm"].clone();
        let answer = client.call(tool, &arguments).await.next().await.unwrap();
        assert_eq!(answer["result"]["structuredContent"]["success"], true, "{answer}");
        assert_eq!(server.sample.changes().len(), 1);
    }
}

#[tokio::test]
async fn a_session_is_unknown_to_everybody_else() {
    let server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let tampered = format!("{}x", client.session);
    let foreign = Client::connect(&server, keys::DEFAULT_SPACE_ONLY, json!({})).await;
    for (key, session) in [
        (keys::DEFAULT_SPACE_ONLY, client.session.as_str()),
        (keys::ADMIN, foreign.session.as_str()),
        (keys::ADMIN, tampered.as_str()),
        (keys::ADMIN, "nonsense"),
    ] {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let request = request(&server, method.clone(), key, Some(session));
            let request = if method == Method::POST { request.json(&list) } else { request };
            let reply = reply(request).await;
            assert_eq!(reply.status, 404, "{method} {session}: {}", reply.text);
            assert!(reply.text.contains("no such session"), "{}", reply.text);
        }
    }
    // An answer to somebody else's question does not reach it.
    let (tool, arguments, ..) = changes().remove(0);
    let asker = Client::connect(&server, keys::ADMIN, json!({ "elicitation": {} })).await;
    let mut messages = asker.call(tool, &arguments).await;
    let question = messages.next().await.unwrap();
    let yes = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept", "content": {} } });
    let request = request(&server, Method::POST, keys::DEFAULT_SPACE_ONLY, Some(&asker.session));
    assert_eq!(reply(request.json(&yes)).await.status, 404);
    assert_eq!(server.sample.changes(), []);
    asker.answer(&question, json!({ "action": "decline" })).await;
    assert_eq!(messages.next().await.unwrap()["result"]["isError"], true);
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let end = || request(&server, Method::DELETE, keys::ADMIN, Some(&client.session));
    assert_eq!(reply(end()).await.status, 204);
    assert_eq!(reply(end()).await.status, 404);
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    assert_eq!(client.post(&list).await.status(), 404);
}

#[tokio::test]
async fn there_is_room_for_so_many_for_a_caller_and_for_all() {
    let server = server(|config| {
        config.http.session_limit = 3;
        config.http.session_limit_per_caller = 2;
    })
    .await;
    let first = Client::connect(&server, keys::ADMIN, json!({})).await;
    let _second = Client::connect(&server, keys::ADMIN, json!({})).await;
    let third = greet(&server, keys::ADMIN, &json!({})).await;
    assert_eq!((third.status, third.header("retry-after")), (429, "60"));
    let _other = Client::connect(&server, keys::DEFAULT_SPACE_ONLY, json!({})).await;
    let full = greet(&server, keys::WAREHOUSE_SPACE_ONLY, &json!({})).await;
    assert_eq!((full.status, full.header("retry-after")), (503, "60"));
    let end = request(&server, Method::DELETE, keys::ADMIN, Some(&first.session));
    assert!(reply(end).await.status < 300);
    Client::connect(&server, keys::ADMIN, json!({})).await;
}

/// A greeting of the revision with sessions begins one, whatever its header claims.
#[tokio::test]
async fn no_header_leads_past_the_limits() {
    let server = server(|config| config.http.session_limit_per_caller = 2).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let request = server
            .http
            .post(&server.url)
            .header("accept", "application/json, text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", crate::support::MODERN)
            .json(&greeting(&json!({})));
        seen.push(reply(request).await.status);
    }
    assert!(server.running.as_ref().unwrap().sessions.as_ref().unwrap().count() <= 2, "{seen:?}");
    let capabilities = json!({});
    let at_once = (0..8).map(|_| greet(&server, keys::DEFAULT_SPACE_ONLY, &capabilities));
    let statuses: Vec<u16> =
        futures::future::join_all(at_once).await.into_iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 6, "{statuses:?}");
}

#[tokio::test]
async fn an_idle_session_ends_and_one_that_is_in_use_does_not() {
    let server = server(|config| {
        config.http.session_idle = Period(std::time::Duration::from_millis(200));
    })
    .await;
    let listening = Client::connect(&server, keys::ADMIN, json!({})).await;
    let stream = request(&server, Method::GET, keys::ADMIN, Some(&listening.session)).send().await;
    assert_eq!(stream.as_ref().unwrap().status(), 200);
    let idle = Client::connect(&server, keys::ADMIN, json!({})).await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    // Looking at it over HTTP would be a use of it.
    let place = async || {
        let known = server.running.as_ref().unwrap().sessions.as_ref().unwrap().count();
        (known == 1).then_some(())
    };
    soon(place).await;
    assert_eq!(idle.post(&list).await.status(), 404);
    assert_eq!(listening.post(&list).await.status(), 200);
    drop(stream);
}

#[tokio::test]
async fn the_stateless_era_has_no_sessions_whatever_is_kept() {
    let server = server(|_| {}).await;
    let reply = server.ask(crate::support::Era::Modern, "tools/list", json!({})).await;
    assert_eq!((reply.status, reply.header("mcp-session-id")), (200, ""));
    assert_eq!(server.running.as_ref().unwrap().sessions.as_ref().unwrap().count(), 0);
}

#[tokio::test]
async fn a_stopping_server_ends_its_sessions() {
    let mut server = server(|_| {}).await;
    let client = Client::connect(&server, keys::ADMIN, json!({})).await;
    let stream =
        request(&server, Method::GET, keys::ADMIN, Some(&client.session)).send().await.unwrap();
    let mut messages = Messages::of(stream);
    let running = server.running.take().unwrap();
    let (ended, ()) = tokio::join!(messages.next(), running.stop());
    assert_eq!(ended, None);
}

/// Calls a tool on a session of its own, accepts with this content what is asked, and gives the
/// question and the result.
pub async fn asked_for(
    server: &TestServer,
    key: &'static str,
    tool: &str,
    arguments: &Value,
    content: Value,
) -> (Value, Value) {
    let client = Client::connect(server, key, json!({ "elicitation": {} })).await;
    let mut messages = client.call(tool, arguments).await;
    let question = messages.next().await.unwrap();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    client.answer(&question, json!({ "action": "accept", "content": content })).await;
    let result = messages.next().await.unwrap();
    (question, result["result"].clone())
}
