//! Three replicas behind a proxy that sends each request to the next one, and none to the same.

use std::collections::BTreeMap;

use octopus_mcp::{
    http::Listening,
    sample::{Sample, keys},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{SEAL_KEY, proxy::Proxy};
use crate::{
    commands::{Serving, program},
    rate::redis::Redis,
    sessions::{Messages, greeting},
    support::{LEGACY, MODERN, client, meta, projected_headers, serve, soon},
};

/// Three processes, what they share, and the proxy before them.
struct Fleet {
    sample: Sample,
    _octopus: Listening,
    _redis: Redis,
    _folder: TempDir,
    replicas: BTreeMap<String, Serving>,
    proxy: Proxy,
    http: reqwest::Client,
}

/// How a client of the fleet speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Speaks<'a> {
    Modern,
    /// Of an earlier revision, without a session.
    Stateless,
    /// Of an earlier revision, with this session.
    Session(&'a str),
}

impl Fleet {
    async fn start(sessions: &str, rate: (u32, u32)) -> Self {
        let (sample, redis) = (Sample::new(), Redis::start().await);
        let octopus = serve(sample.router());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        let settings = format!(
            "[octopus]
url = \"http://{}\"
[http]
listen = \"127.0.0.1:0\"
sessions = \"{sessions}\"
[tools]
read_only = false
seal_key = \"{SEAL_KEY}\"
[limits]
store = \"{}\"
store_timeout = \"5s\"
caller_rate = {}
caller_burst = {}
",
            octopus.address,
            redis.url(),
            rate.0,
            rate.1
        );
        std::fs::write(&file, settings).unwrap();
        let mut replicas = BTreeMap::new();
        // On threads of their own: what stands before the store runs on this one, and each asks it
        // at its start.
        let starting = [(); 3].map(|()| {
            let command = program(&["--config", file.to_str().unwrap()]);
            tokio::task::spawn_blocking(|| Serving::start(command))
        });
        for serving in futures::future::try_join_all(starting).await.unwrap() {
            let address = serving.url.trim_start_matches("http://").trim_end_matches("/mcp");
            replicas.insert(address.to_owned(), serving);
        }
        let addresses: Vec<String> = replicas.keys().cloned().collect();
        let proxy = Proxy::before(&addresses).await;
        Self {
            sample,
            _octopus: octopus,
            _redis: redis,
            _folder: folder,
            replicas,
            proxy,
            http: client(),
        }
    }

    /// Kills a replica, as a machine does that fails. It is gone when this returns.
    async fn kill(&mut self, address: &str) {
        drop(self.replicas.remove(address).unwrap());
        soon(async || TcpStream::connect(address).await.is_err().then_some(())).await;
    }

    fn request(
        &self,
        speaks: Speaks<'_>,
        method: &str,
        mut params: Value,
    ) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .post(&self.proxy.url)
            .header("accept", "application/json, text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN);
        match speaks {
            Speaks::Stateless => request = request.header("mcp-protocol-version", LEGACY),
            Speaks::Session(id) => {
                request = request.header("mcp-protocol-version", LEGACY);
                request = request.header("mcp-session-id", id);
            }
            Speaks::Modern => {
                request = request.header("mcp-protocol-version", MODERN);
                request = request.header("mcp-method", method);
                if let Some(name) = params["name"].as_str() {
                    request = request.header("mcp-name", name);
                    for (name, value) in projected_headers(name, &params["arguments"]) {
                        request = request.header(name, value);
                    }
                }
                for (field, value) in meta().as_object().unwrap() {
                    params["_meta"][field] = value.clone();
                }
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        request.json(&body)
    }

    /// Calls a tool, and gives its stream or its answer, and which replica has it.
    async fn call(&self, speaks: Speaks<'_>, tool: &str, arguments: &Value) -> (Came, String) {
        let params =
            json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": "p" } });
        let response = self.request(speaks, "tools/call", params).send().await.unwrap();
        assert_eq!(response.status(), 200, "{speaks:?} {tool}");
        let replica = response.headers()["x-replica"].to_str().unwrap().to_owned();
        // The last is who took it, where others did not.
        let replica = replica.rsplit(", ").next().unwrap().to_owned();
        let is_stream = response.headers()["content-type"] == "text/event-stream";
        let came = if is_stream {
            Came::Stream(Messages::of(response))
        } else {
            Came::Answer(response.json().await.unwrap())
        };
        (came, replica)
    }

    async fn session(&self) -> String {
        let request = self.http.post(&self.proxy.url).header("x-octopus-apikey", keys::ADMIN);
        let request = request.header("accept", "application/json, text/event-stream");
        let greeted = request.json(&greeting(&json!({ "elicitation": {} }))).send().await.unwrap();
        assert_eq!(greeted.status(), 200);
        let session = greeted.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        greeted.text().await.unwrap();
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.tell(&session, &ready).await, 202);
        session
    }

    /// Sends what has no answer, on a session.
    async fn tell(&self, session: &str, message: &Value) -> u16 {
        let request = self
            .http
            .post(&self.proxy.url)
            .header("accept", "application/json, text/event-stream")
            .header("x-octopus-apikey", keys::ADMIN)
            .header("mcp-protocol-version", LEGACY)
            .header("mcp-session-id", session);
        request.json(message).send().await.unwrap().status().as_u16()
    }
}

enum Came {
    Answer(Value),
    Stream(Messages),
}

impl Came {
    /// The next message that is not progress, and how much progress came before it.
    async fn next(&mut self) -> (Value, usize) {
        let mut progress = 0;
        loop {
            let message = match self {
                Self::Answer(answer) => answer.clone(),
                Self::Stream(messages) => messages.next().await.expect("it ended"),
            };
            if message["method"] != "notifications/progress" {
                return (message, progress);
            }
            progress += 1;
        }
    }
}

fn log() -> Value {
    json!({ "space": "Default", "taskId": "ServerTasks-90032" })
}

fn deploys(environment: &str) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
        "environmentNames": [environment] })
}

#[tokio::test]
async fn nothing_needs_the_same_replica_where_no_session_is_kept() {
    let mut fleet = Fleet::start("off", (0, 0)).await;
    for speaks in [Speaks::Modern, Speaks::Stateless] {
        let mut seen = BTreeMap::<String, usize>::new();
        for _ in 0..6 {
            let (mut came, replica) = fleet.call(speaks, "list_spaces", &json!({})).await;
            let (answer, _) = came.next().await;
            assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
            *seen.entry(replica).or_default() += 1;
        }
        assert_eq!(seen.into_values().collect::<Vec<_>>(), [2, 2, 2], "{speaks:?}");
        // A code of one replica, taken by another, and by no third.
        let environment = if speaks == Speaks::Modern { "Development" } else { "Staging" };
        let mut arguments = deploys(environment);
        let (mut came, first) = fleet.call(speaks, "deploy_release", &arguments).await;
        let (asked, _) = came.next().await;
        let code = &asked["result"]["structuredContent"]["confirm"];
        assert!(code.is_string(), "{asked}");
        arguments["confirm"] = code.clone();
        let before = fleet.sample.changes().len();
        let (mut came, second) = fleet.call(speaks, "deploy_release", &arguments).await;
        let (did, _) = came.next().await;
        assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
        let (mut came, third) = fleet.call(speaks, "deploy_release", &arguments).await;
        let (refused, _) = came.next().await;
        assert!(refused.to_string().contains("another replica"), "{refused}");
        assert!(first != second && second != third && third != first);
        assert_eq!(fleet.sample.changes().len(), before + 1);
        // What a call tells on its way comes through.
        let (mut came, _) = fleet.call(speaks, "get_task_raw", &log()).await;
        let (answer, progress) = came.next().await;
        assert!(answer["result"].is_object() && progress > 0, "{progress}: {answer}");
    }
    let dies = fleet.replicas.keys().next().unwrap().clone();
    fleet.kill(&dies).await;
    for speaks in [Speaks::Modern, Speaks::Stateless, Speaks::Modern, Speaks::Stateless] {
        let (mut came, replica) = fleet.call(speaks, "list_spaces", &json!({})).await;
        assert_eq!(came.next().await.0["result"]["structuredContent"]["totalResults"], 2);
        assert_ne!(replica, dies);
    }
}

#[tokio::test]
async fn replicas_behind_a_proxy_count_together() {
    let fleet = Fleet::start("off", (1, 7)).await;
    let mut served = 0;
    for _ in 0..12 {
        let (mut came, _) = fleet.call(Speaks::Modern, "list_spaces", &json!({})).await;
        served += usize::from(came.next().await.0["result"].is_object());
    }
    assert_eq!(served, 7);
}

#[tokio::test]
async fn a_session_is_asked_and_answers_at_any_replica_and_outlives_one() {
    let mut fleet = Fleet::start("store", (0, 0)).await;
    let session = fleet.session().await;
    let speaks = Speaks::Session(&session);
    let mut seen = BTreeMap::<String, usize>::new();
    for _ in 0..6 {
        let (mut came, replica) = fleet.call(speaks, "get_task_raw", &log()).await;
        let (answer, progress) = came.next().await;
        assert!(answer["result"].is_object() && progress > 0, "{progress}: {answer}");
        *seen.entry(replica).or_default() += 1;
    }
    assert_eq!(seen.into_values().collect::<Vec<_>>(), [2, 2, 2]);
    // The answer comes to the replica after the one that asked.
    let (mut came, asker) = fleet.call(speaks, "deploy_release", &deploys("Development")).await;
    let (question, _) = came.next().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let yes = |question: &Value| {
        json!({ "jsonrpc": "2.0", "id": question["id"],
            "result": { "action": "accept", "content": {} } })
    };
    assert_eq!(fleet.tell(&session, &yes(&question)).await, 202);
    let (did, _) = came.next().await;
    assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
    assert_eq!(fleet.sample.changes().len(), 1);
    // The one that asked is gone; the session is asked by another, in the middle of what it does.
    fleet.kill(&asker).await;
    for _ in 0..4 {
        let (mut came, replica) = fleet.call(speaks, "list_spaces", &json!({})).await;
        assert_eq!(came.next().await.0["result"]["structuredContent"]["totalResults"], 2);
        assert_ne!(replica, asker);
    }
    let (mut came, _) = fleet.call(speaks, "deploy_release", &deploys("Staging")).await;
    let (question, _) = came.next().await;
    assert_eq!(fleet.tell(&session, &yes(&question)).await, 202);
    let (did, _) = came.next().await;
    assert_eq!(did["result"]["structuredContent"]["success"], true, "{did}");
    // Nobody answers any more whose replica died while it waited, and the call is made again.
    let (mut waits, dies) = fleet.call(speaks, "deploy_release", &deploys("Staging")).await;
    let (question, _) = waits.next().await;
    fleet.kill(&dies).await;
    assert_eq!(fleet.tell(&session, &yes(&question)).await, 202);
    let (mut came, last) = fleet.call(speaks, "deploy_release", &deploys("Staging")).await;
    let (question, _) = came.next().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    assert_eq!(fleet.replicas.keys().collect::<Vec<_>>(), [&last]);
    assert_eq!(fleet.tell(&session, &yes(&question)).await, 202);
    assert!(came.next().await.0["result"].is_object());
    assert_eq!(fleet.sample.changes().len(), 3, "the yes to the one that died did nothing");
}
