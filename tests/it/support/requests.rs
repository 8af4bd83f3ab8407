//! Requests to a server: raw bodies, JSON-RPC requests in both eras, and tool calls.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{
    CallResult, Era, LEGACY_VERSION, MODERN_VERSION, OCTOPUS_PLACEHOLDER, Reply, TestServer,
    argument_headers, modern_meta, send,
};

impl TestServer {
    /// Posts a body unchanged, with these headers in addition to the defaults. A header with an
    /// empty value is omitted.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
        self.post_at("", headers, body).await
    }

    /// Like [`Self::post`], to this path below `/mcp`.
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
        send(request).await
    }

    /// Sends a JSON-RPC request like a client of this era.
    pub async fn rpc(&self, era: Era, method: &str, params: Value) -> Reply {
        self.rpc_as(era, keys::ADMIN, method, params).await
    }

    /// Like `rpc`, with this API key.
    pub async fn rpc_as(&self, era: Era, key: &str, method: &str, params: Value) -> Reply {
        self.rpc_at("", &[("x-octopus-apikey", key)], era, method, params).await
    }

    /// Like `rpc`, to this path below `/mcp`, with these headers in addition to the defaults.
    pub async fn rpc_at(
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
        let projected = projected.map(|tool| argument_headers(tool, &params["arguments"]));
        let projected = projected.unwrap_or_default();
        let mut headers = headers.to_vec();
        match era {
            Era::Legacy => headers.push(("mcp-protocol-version", LEGACY_VERSION)),
            Era::Modern => {
                headers.extend([("mcp-protocol-version", MODERN_VERSION), ("mcp-method", method)]);
                if let Some(name) = &name {
                    headers.push(("mcp-name", name));
                }
                let more = projected.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let is_new =
                    |name: &str| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
                let more: Vec<_> = more.filter(|(name, _)| is_new(name)).collect();
                headers.extend(more);
                for (field, value) in modern_meta().as_object().unwrap() {
                    params["_meta"][field] = value.clone();
                }
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.post_at(path, &headers, body.to_string()).await
    }

    /// Calls a tool in both eras and asserts that the results are equal.
    pub async fn call(&self, tool: &str, arguments: Value) -> CallResult {
        let legacy = self.call_in(Era::Legacy, keys::ADMIN, tool, arguments.clone()).await;
        let modern = self.call_in(Era::Modern, keys::ADMIN, tool, arguments).await;
        assert_eq!(legacy, modern, "{tool}: the results of the two eras differ");
        modern
    }

    /// Calls a tool in the modern era with this API key.
    pub async fn call_as(&self, key: &str, tool: &str, arguments: Value) -> CallResult {
        self.call_in(Era::Modern, key, tool, arguments).await
    }

    /// Calls a tool in one era.
    pub async fn call_in(&self, era: Era, key: &str, tool: &str, arguments: Value) -> CallResult {
        let octopus = self.octopus_url();
        let params = json!({ "name": tool, "arguments": arguments }).to_string();
        let params = serde_json::from_str(&params.replace(OCTOPUS_PLACEHOLDER, &octopus)).unwrap();
        let reply = self.rpc_as(era, key, "tools/call", params).await;
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
            assert_eq!(as_text, structured, "{tool}: text and structured content differ");
        }
        CallResult { structured, text, is_error, meta: result["_meta"].clone() }
    }

    /// Calls a tool in both eras, asserts success, and returns the structured answer.
    pub async fn call_ok(&self, tool: &str, arguments: Value) -> Value {
        let called = self.call(tool, arguments).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        called.structured
    }

    /// Calls a tool in both eras, asserts failure, and returns the error message.
    pub async fn call_error(&self, tool: &str, arguments: Value) -> String {
        let called = self.call(tool, arguments).await;
        assert!(called.is_error, "{tool}: {}", called.text);
        called.text
    }
}
