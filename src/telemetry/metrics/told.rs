//! Recording functions of [`Metrics`], with the values that they take.

use std::time::Duration;

use opentelemetry::KeyValue;

use super::{Inner, Metrics, OTHER, verb};

/// Error type of a request whose client gave up before the response. It is no server error.
pub const CANCELLED: &str = "cancelled";

/// A completed HTTP request of a client.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Route that served the request; `None` if no route matched.
    pub route: Option<&'a str>,
    /// Status of the response; `None` if the client gave up before the response.
    pub status: Option<u16>,
    /// HTTP version: `1.1` or `2`.
    pub version: &'static str,
    /// Time until the head of the response.
    pub took: Duration,
}

impl Served<'_> {
    /// Returns the error type: a status of 500 or more, or `cancelled`; `None` for other requests.
    pub fn error(&self) -> Option<String> {
        match self.status {
            Some(status) => (status >= 500).then(|| status.to_string()),
            None => Some(CANCELLED.to_owned()),
        }
    }
}

/// A completed MCP request or notification.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// MCP method, or [`OTHER`] for unknown ones.
    pub method: &'static str,
    /// Name of the tool, if the catalog has it.
    pub tool: Option<&'static str>,
    /// Name of the prompt, if the server has it.
    pub prompt: Option<&'static str>,
    /// Error type of a failed operation: the JSON-RPC error code, `tool_error`, or `cancelled`.
    pub error: Option<&'a str>,
    /// JSON-RPC error code of the response.
    pub code: Option<&'a str>,
    /// `tcp` for HTTP, or `pipe` for stdio.
    pub transport: &'static str,
    /// Protocol revision; `None` for unsupported ones.
    pub version: Option<&'static str>,
    /// Duration of the operation.
    pub took: Duration,
}

/// A request to an upstream server.
#[derive(Debug, Clone, Copy)]
pub struct Upstream<'a> {
    /// Name of the Octopus instance; `None` for other servers.
    pub instance: Option<&'a str>,
    /// Host name of the server.
    pub host: &'a str,
    /// Port of the server.
    pub port: u16,
    /// HTTP method; empty for a request that was not sent.
    pub method: &'a str,
    /// Path template without IDs.
    pub route: &'a str,
    /// Status of the response, or the error type.
    pub came: Result<u16, &'static str>,
    /// Time until the head of the response; `None` for a request that was not sent.
    pub took: Option<Duration>,
}

/// A tool call, resource read or prompt, with the values of its audit record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// Name of the tool.
    pub tool: Option<&'a str>,
    /// Result, as in the audit record.
    pub result: &'static str,
    /// Effect of the policy decision.
    pub effect: Option<&'static str>,
    /// Name of the rule that decided.
    pub rule: Option<&'a str>,
    /// Approval method, if approval was requested.
    pub consent: Option<&'static str>,
    /// Whether a change was sent to Octopus.
    pub sent: bool,
    /// Size of the answer in bytes before and after truncation.
    pub bytes: Option<(usize, usize)>,
    /// Number of removed invisible characters.
    pub removed: usize,
    /// Number of redacted secrets.
    pub redacted: usize,
}

/// A limit that rejected a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Request rate of one caller.
    Caller,
    /// Request rate of a caller who continues in spite of rejections.
    Far,
    /// Request rate of one instance.
    Instance,
    /// Concurrent requests of one caller.
    AtOnce,
    /// Failed authentications from one address.
    Failed,
    /// Credentials from one address that only Octopus can verify.
    Unproven,
    /// Concurrent requests from one address whose body has not arrived yet.
    Unread,
    /// Concurrent requests of all callers.
    Full,
}

impl Limit {
    fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Far => "far",
            Self::Instance => "instance",
            Self::AtOnce => "at_once",
            Self::Failed => "failed",
            Self::Unproven => "unproven",
            Self::Unread => "unread",
            Self::Full => "full",
        }
    }
}

impl Metrics {
    fn tell(&self, tell: impl FnOnce(&Inner)) {
        if let Some(inner) = &self.0 {
            tell(inner);
        }
    }

    /// Changes the number of active HTTP requests: `1` when a request starts, `-1` when it ends.
    pub fn serving(&self, more: i64, method: &str, scheme: &'static str) {
        let labels = [
            KeyValue::new("http.request.method", verb(method)),
            KeyValue::new("url.scheme", scheme),
        ];
        self.tell(|inner| inner.told.serving.add(more, &labels));
    }

    /// Records a completed or cancelled HTTP request.
    pub fn served(&self, request: &Served<'_>) {
        self.tell(|inner| {
            let mut labels = vec![
                KeyValue::new("http.request.method", verb(request.method)),
                KeyValue::new("url.scheme", request.scheme),
                KeyValue::new("network.protocol.version", request.version),
            ];
            labels.extend(request.route.map(|route| KeyValue::new("http.route", route.to_owned())));
            let status = request.status;
            labels.extend(
                status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))),
            );
            labels.extend(request.error().map(|error| KeyValue::new("error.type", error)));
            inner.told.served.record(request.took.as_secs_f64(), &labels);
        });
    }

    /// Records a completed MCP request or notification.
    pub fn operation(&self, operation: &Operation<'_>) {
        self.tell(|inner| {
            let mut labels = vec![
                KeyValue::new("mcp.method.name", operation.method),
                KeyValue::new("network.transport", operation.transport),
                KeyValue::new("mcp.protocol.version", operation.version.unwrap_or(OTHER)),
            ];
            labels.extend(operation.tool.map(|tool| KeyValue::new("gen_ai.tool.name", tool)));
            let prompt = operation.prompt;
            labels.extend(prompt.map(|prompt| KeyValue::new("gen_ai.prompt.name", prompt)));
            let error = operation.error;
            labels.extend(error.map(|error| KeyValue::new("error.type", error.to_owned())));
            let code = operation.code;
            labels.extend(
                code.map(|code| KeyValue::new("rpc.response.status_code", code.to_owned())),
            );
            inner.told.operations.record(operation.took.as_secs_f64(), &labels);
        });
    }

    /// Records a request to an upstream server, sent or not.
    pub fn upstream(&self, request: &Upstream<'_>) {
        self.tell(|inner| {
            let route = inner.routes.label(request.route).to_owned();
            if let Some(instance) = request.instance {
                let came = match request.came {
                    Ok(status) => format!("{}xx", status / 100),
                    Err(why) => why.to_owned(),
                };
                let labels = [
                    KeyValue::new("octopus.instance", instance.to_owned()),
                    KeyValue::new("route", route.clone()),
                    KeyValue::new("outcome", came),
                ];
                inner.told.upstream.add(1, &labels);
            }
            let Some(took) = request.took else { return };
            let mut labels = vec![
                KeyValue::new("http.request.method", verb(request.method)),
                KeyValue::new("server.address", request.host.to_owned()),
                KeyValue::new("server.port", i64::from(request.port)),
                KeyValue::new("url.template", route),
            ];
            match request.came {
                Ok(status) => {
                    labels.push(KeyValue::new("http.response.status_code", i64::from(status)));
                    if status >= 400 {
                        labels.push(KeyValue::new("error.type", status.to_string()));
                    }
                }
                Err(why) => labels.push(KeyValue::new("error.type", why)),
            }
            inner.told.asked.record(took.as_secs_f64(), &labels);
        });
    }

    /// Records a cache lookup.
    pub fn looked_up(&self, cache: &'static str, was_there: bool) {
        self.tell(|inner| {
            let result = if was_there { "hit" } else { "miss" };
            let labels = [KeyValue::new("cache", cache), KeyValue::new("result", result)];
            inner.told.lookups.add(1, &labels);
        });
    }

    /// Records a completed call.
    #[expect(clippy::cast_precision_loss, reason = "answer sizes are far below 2^52")]
    pub fn call(&self, call: &Call<'_>) {
        self.tell(|inner| {
            let told = &inner.told;
            let tool = call.tool.unwrap_or_default().to_owned();
            if let Some((before, after)) = call.bytes {
                for (stage, bytes) in [("before", before), ("after", after)] {
                    let labels =
                        [KeyValue::new("tool", tool.clone()), KeyValue::new("stage", stage)];
                    told.answers.record(bytes as f64, &labels);
                }
            }
            if let Some(effect) = call.effect {
                let rule = inner.rules.label(call.rule.unwrap_or_default()).to_owned();
                let labels = [KeyValue::new("effect", effect), KeyValue::new("rule", rule)];
                told.decisions.add(1, &labels);
            }
            if let Some(way) = call.consent {
                let outcome = match call.result {
                    "asked" | "declined" => call.result,
                    _ if call.sent => "agreed",
                    _ => "refused",
                };
                let labels = [KeyValue::new("outcome", outcome), KeyValue::new("way", way)];
                told.confirmations.add(1, &labels);
            }
            if call.sent {
                let labels = [KeyValue::new("tool", tool), KeyValue::new("result", call.result)];
                told.changes.add(1, &labels);
            }
            for (kind, count) in [("secret", call.redacted), ("invisible", call.removed)] {
                if count > 0 {
                    told.redactions.add(count as u64, &[KeyValue::new("kind", kind)]);
                }
            }
        });
    }

    /// Records a request that a limit rejected.
    pub fn limited(&self, limit: Limit) {
        self.tell(|inner| inner.told.limited.add(1, &[KeyValue::new("limit", limit.name())]));
    }

    /// Records a request that failed authentication.
    pub fn stranger(&self) {
        self.tell(|inner| inner.told.strangers.add(1, &[]));
    }

    /// Records a configuration reload. `in_force`: whether the new configuration was applied.
    pub fn reloaded(&self, in_force: bool) {
        let result = if in_force { "applied" } else { "refused" };
        self.tell(|inner| inner.told.reloads.add(1, &[KeyValue::new("result", result)]));
    }
}
