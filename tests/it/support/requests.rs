//! What is sent to a server: bodies, requests of the protocol in both eras, calls of tools.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{
    Called, Era, LEGACY, MODERN, OCTOPUS, Reply, TestServer, meta, projected_headers, reply,
};

impl TestServer {
    /// Sends a body as it is, with these headers beside the usual ones. A header with an empty
    /// value is left out.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
        self.post_at("", headers, body).await
    }

    /// The same, to this path below `/mcp`.
    pub async fn post_at(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let mut all = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("x-octopus-apikey", keys::ADMIN),
        ];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body);
        for (name, value) in all {
            request = request.header(name, value);
        }
        reply(request).await
    }

    /// Sends a request of the protocol as a client of this era does.
    pub async fn ask(&self, era: Era, method: &str, params: Value) -> Reply {
        self.ask_as(era, keys::ADMIN, method, params).await
    }

    /// The same with this key.
    pub async fn ask_as(&self, era: Era, key: &str, method: &str, params: Value) -> Reply {
        self.ask_at("", &[("x-octopus-apikey", key)], era, method, params).await
    }

    /// The same, to this path below `/mcp`, with these headers beside the usual ones.
    pub async fn ask_at(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        era: Era,
        method: &str,
        mut params: Value,
    ) -> Reply {
        let name =
            ["name", "uri"].iter().find_map(|field| params[*field].as_str().map(str::to_owned));
        let projected = params["name"].as_str().filter(|_| method == "tools/call");
        let projected = projected.map(|tool| projected_headers(tool, &params["arguments"]));
        let projected = projected.unwrap_or_default();
        let mut headers = headers.to_vec();
        match era {
            Era::Legacy => headers.push(("mcp-protocol-version", LEGACY)),
            Era::Modern => {
                headers.extend([("mcp-protocol-version", MODERN), ("mcp-method", method)]);
                if let Some(name) = &name {
                    headers.push(("mcp-name", name));
                }
                let more = projected.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let is_new =
                    |name: &str| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
                let more: Vec<_> = more.filter(|(name, _)| is_new(name)).collect();
                headers.extend(more);
                for (field, value) in meta().as_object().unwrap() {
                    params["_meta"][field] = value.clone();
                }
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.post_at(path, &headers, body.to_string()).await
    }

    /// Calls a tool in both eras, and checks that they agree.
    pub async fn call(&self, tool: &str, arguments: Value) -> Called {
        let legacy = self.call_in(Era::Legacy, keys::ADMIN, tool, arguments.clone()).await;
        let modern = self.call_in(Era::Modern, keys::ADMIN, tool, arguments).await;
        assert_eq!(legacy, modern, "{tool}: the eras differ");
        modern
    }

    /// Calls a tool as the owner of this key does.
    pub async fn call_as(&self, key: &str, tool: &str, arguments: Value) -> Called {
        self.call_in(Era::Modern, key, tool, arguments).await
    }

    /// Calls a tool in one era.
    pub async fn call_in(&self, era: Era, key: &str, tool: &str, arguments: Value) -> Called {
        let octopus = self.octopus();
        let params = json!({ "name": tool, "arguments": arguments }).to_string();
        let params = serde_json::from_str(&params.replace(OCTOPUS, &octopus)).unwrap();
        let reply = self.ask_as(era, key, "tools/call", params).await;
        assert_eq!(reply.status, 200, "{tool}: {}", reply.text);
        let json = reply.json();
        let result = &json["result"];
        assert!(result.is_object(), "{tool}: {}", reply.text);
        if era == Era::Modern {
            assert_eq!(result["resultType"], "complete", "{tool}");
        }
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        let structured = result["structuredContent"].clone();
        let is_error = result["isError"] == true;
        if !is_error {
            let as_text: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(as_text, structured, "{tool}: text and structure differ");
        }
        Called { structured, text, is_error, meta: result["_meta"].clone() }
    }

    /// Calls a tool that answers, in both eras.
    pub async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let called = self.call(tool, arguments).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        called.structured
    }

    /// Calls a tool that fails, in both eras, and gives its words.
    pub async fn failure(&self, tool: &str, arguments: Value) -> String {
        let called = self.call(tool, arguments).await;
        assert!(called.is_error, "{tool}: {}", called.text);
        called.text
    }
}
