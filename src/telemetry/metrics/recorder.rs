//! Recording functions of [`Metrics`], with the values that they take.

use std::time::Duration;

use opentelemetry::KeyValue;

use super::{Inner, Metrics, OTHER, http_method_label};

/// Error type of a request whose client disconnected before the response. It is not a server error.
pub const CANCELLED: &str = "cancelled";

/// A completed HTTP request of a client.
#[derive(Debug, Clone, Copy)]
pub struct HttpRequestMetrics<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Route that served the request; `None` if no route matched.
    pub route: Option<&'a str>,
    /// Status of the response; `None` if the client disconnected before the response.
    pub status: Option<u16>,
    /// HTTP version: `1.1` or `2`.
    pub version: &'static str,
    /// Time until the head of the response.
    pub duration: Duration,
}

impl HttpRequestMetrics<'_> {
    /// Returns the error type: a status of 500 or more, or `cancelled`; `None` for other requests.
    pub fn error_type(&self) -> Option<String> {
        match self.status {
            Some(status) => (status >= 500).then(|| status.to_string()),
            None => Some(CANCELLED.to_owned()),
        }
    }
}

/// A completed MCP request or notification.
#[derive(Debug, Clone, Copy)]
pub struct McpOperationMetrics<'a> {
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
    pub duration: Duration,
}

/// A request to an upstream server.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamRequestMetrics<'a> {
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
    pub outcome: Result<u16, &'static str>,
    /// Time until the head of the response; `None` for a request that was not sent.
    pub duration: Option<Duration>,
}

/// A tool call, resource read or prompt, with the values of its audit record.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallMetrics<'a> {
    /// Name of the tool.
    pub tool: Option<&'a str>,
    /// Result, as in the audit record.
    pub result: &'static str,
    /// Effect of the policy decision.
    pub effect: Option<&'static str>,
    /// Name of the rule that decided.
    pub rule: Option<&'a str>,
    /// Approval method, if approval was requested.
    pub approval_method: Option<&'static str>,
    /// Whether a change was sent to Octopus.
    pub sent: bool,
    /// Size of the answer in bytes before and after truncation.
    pub answer_bytes: Option<(usize, usize)>,
    /// Number of removed invisible characters.
    pub removed_chars: usize,
    /// Number of redacted secrets.
    pub redactions: usize,
}

/// A limit that rejected a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub enum Limit {
    /// Request rate of one caller.
    #[strum(serialize = "caller")]
    CallerRate,
    /// Request rate of a caller who continues after rejections.
    #[strum(serialize = "far")]
    CallerSustained,
    /// Request rate of one instance.
    #[strum(serialize = "instance")]
    InstanceRate,
    /// Concurrent requests of one caller.
    #[strum(serialize = "at_once")]
    CallerConcurrency,
    /// Failed authentications from one address.
    #[strum(serialize = "failed")]
    FailedAuthentication,
    /// Credentials from one address that only Octopus can verify.
    #[strum(serialize = "unproven")]
    UnverifiedCredential,
    /// Concurrent requests from one address whose body has not arrived yet.
    #[strum(serialize = "unread")]
    PendingBody,
    /// Concurrent requests of all callers.
    #[strum(serialize = "full")]
    GlobalConcurrency,
}

impl Metrics {
    fn with_inner(&self, record: impl FnOnce(&Inner)) {
        if let Some(inner) = &self.0 {
            record(inner);
        }
    }

    /// Changes the number of active HTTP requests: `1` when a request starts, `-1` when it ends.
    pub fn add_active_requests(&self, change: i64, method: &str, scheme: &'static str) {
        let labels = [
            KeyValue::new("http.request.method", http_method_label(method)),
            KeyValue::new("url.scheme", scheme),
        ];
        self.with_inner(|inner| inner.instruments.http_server_active.add(change, &labels));
    }

    /// Records a completed or cancelled HTTP request.
    pub fn record_http_request(&self, request: &HttpRequestMetrics<'_>) {
        self.with_inner(|inner| {
            let mut labels = vec![
                KeyValue::new("http.request.method", http_method_label(request.method)),
                KeyValue::new("url.scheme", request.scheme),
                KeyValue::new("network.protocol.version", request.version),
            ];
            labels.extend(request.route.map(|route| KeyValue::new("http.route", route.to_owned())));
            let status = request.status;
            labels.extend(
                status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))),
            );
            labels.extend(request.error_type().map(|error| KeyValue::new("error.type", error)));
            inner.instruments.http_server_duration.record(request.duration.as_secs_f64(), &labels);
        });
    }

    /// Records a completed MCP request or notification.
    pub fn record_mcp_operation(&self, operation: &McpOperationMetrics<'_>) {
        self.with_inner(|inner| {
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
            inner
                .instruments
                .mcp_operation_duration
                .record(operation.duration.as_secs_f64(), &labels);
        });
    }

    /// Records a request to an upstream server, sent or not.
    pub fn record_upstream_request(&self, request: &UpstreamRequestMetrics<'_>) {
        self.with_inner(|inner| {
            let route = inner.routes.label(request.route).to_owned();
            if let Some(instance) = request.instance {
                let outcome = match request.outcome {
                    Ok(status) => format!("{}xx", status / 100),
                    Err(error_type) => error_type.to_owned(),
                };
                let labels = [
                    KeyValue::new("octopus.instance", instance.to_owned()),
                    KeyValue::new("route", route.clone()),
                    KeyValue::new("outcome", outcome),
                ];
                inner.instruments.upstream_requests.add(1, &labels);
            }
            let Some(duration) = request.duration else { return };
            let mut labels = vec![
                KeyValue::new("http.request.method", http_method_label(request.method)),
                KeyValue::new("server.address", request.host.to_owned()),
                KeyValue::new("server.port", i64::from(request.port)),
                KeyValue::new("url.template", route),
            ];
            match request.outcome {
                Ok(status) => {
                    labels.push(KeyValue::new("http.response.status_code", i64::from(status)));
                    if status >= 400 {
                        labels.push(KeyValue::new("error.type", status.to_string()));
                    }
                }
                Err(error_type) => labels.push(KeyValue::new("error.type", error_type)),
            }
            inner.instruments.http_client_duration.record(duration.as_secs_f64(), &labels);
        });
    }

    /// Records a cache lookup.
    pub fn record_cache_lookup(&self, cache: &'static str, is_hit: bool) {
        self.with_inner(|inner| {
            let result = if is_hit { "hit" } else { "miss" };
            let labels = [KeyValue::new("cache", cache), KeyValue::new("result", result)];
            inner.instruments.cache_lookups.add(1, &labels);
        });
    }

    /// Records a completed call.
    #[expect(clippy::cast_precision_loss, reason = "answer sizes are far below 2^52")]
    pub fn record_call(&self, call: &CallMetrics<'_>) {
        self.with_inner(|inner| {
            let instruments = &inner.instruments;
            let tool = call.tool.unwrap_or_default().to_owned();
            if let Some((before, after)) = call.answer_bytes {
                for (stage, bytes) in [("before", before), ("after", after)] {
                    let labels =
                        [KeyValue::new("tool", tool.clone()), KeyValue::new("stage", stage)];
                    instruments.answer_size.record(bytes as f64, &labels);
                }
            }
            if let Some(effect) = call.effect {
                let rule = inner.rules.label(call.rule.unwrap_or_default()).to_owned();
                let labels = [KeyValue::new("effect", effect), KeyValue::new("rule", rule)];
                instruments.policy_decisions.add(1, &labels);
            }
            if let Some(method) = call.approval_method {
                let outcome = match call.result {
                    "asked" | "declined" => call.result,
                    _ if call.sent => "agreed",
                    _ => "refused",
                };
                let labels = [KeyValue::new("outcome", outcome), KeyValue::new("way", method)];
                instruments.confirmations.add(1, &labels);
            }
            if call.sent {
                let labels = [KeyValue::new("tool", tool), KeyValue::new("result", call.result)];
                instruments.changes.add(1, &labels);
            }
            for (kind, count) in [("secret", call.redactions), ("invisible", call.removed_chars)] {
                if count > 0 {
                    instruments.redactions.add(count as u64, &[KeyValue::new("kind", kind)]);
                }
            }
        });
    }

    /// Records a request that a limit rejected.
    pub fn record_rate_limited(&self, limit: Limit) {
        self.with_inner(|inner| {
            inner.instruments.rate_limited.add(1, &[KeyValue::new("limit", <&str>::from(limit))]);
        });
    }

    /// Records a request that failed authentication.
    pub fn record_authentication_failure(&self) {
        self.with_inner(|inner| inner.instruments.authentication_failures.add(1, &[]));
    }

    /// Records a configuration reload. `applied`: whether the new configuration was applied.
    pub fn record_config_reload(&self, applied: bool) {
        let result = if applied { "applied" } else { "refused" };
        self.with_inner(|inner| {
            inner.instruments.config_reloads.add(1, &[KeyValue::new("result", result)]);
        });
    }
}
