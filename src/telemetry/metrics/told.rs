//! What the other layers tell, in words of their own.

use std::time::Duration;

use opentelemetry::KeyValue;

use super::{Inner, Metrics, OTHER, verb};

/// Why a request has no answer that nobody waits for any more. That is no failure of this server.
pub const CANCELLED: &str = "cancelled";

/// A request of a client that came to an end.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// Its method.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The route that served it, where one did.
    pub route: Option<&'a str>,
    /// The status of the answer, where somebody waited for one.
    pub status: Option<u16>,
    /// `1.1` or `2`.
    pub version: &'static str,
    /// How long it took.
    pub took: Duration,
}

impl Served<'_> {
    /// Why it failed, where it did: a status of the server's mistakes, or `cancelled`.
    pub fn error(&self) -> Option<String> {
        match self.status {
            Some(status) => (status >= 500).then(|| status.to_string()),
            None => Some(CANCELLED.to_owned()),
        }
    }
}

/// A request or notification of MCP that came to an end.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// Its method, where it is one of MCP, or [`OTHER`].
    pub method: &'static str,
    /// The tool, by its own name.
    pub tool: Option<&'static str>,
    /// The prompt, by its own name.
    pub prompt: Option<&'static str>,
    /// Why it failed: the code of the error, `tool_error`, or `cancelled`.
    pub error: Option<&'a str>,
    /// The code of the error that it was answered with.
    pub code: Option<&'a str>,
    /// `tcp`, or `pipe` where there is no HTTP.
    pub transport: &'static str,
    /// The revision of the protocol, where it is one that is spoken here.
    pub version: Option<&'static str>,
    /// How long it took.
    pub took: Duration,
}

/// A request to another server.
#[derive(Debug, Clone, Copy)]
pub struct Upstream<'a> {
    /// The instance of Octopus that it is, where it is one.
    pub instance: Option<&'a str>,
    /// Its host.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The method.
    pub method: &'a str,
    /// The route, without any ID.
    pub route: &'a str,
    /// The status of the answer, or why there was none.
    pub came: Result<u16, &'static str>,
    /// How long it took, where it was sent.
    pub took: Option<Duration>,
}

/// A call, a read of a resource or a prompt, as its record has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The tool.
    pub tool: Option<&'a str>,
    /// What became of it.
    pub result: &'static str,
    /// What the rules said of it.
    pub effect: Option<&'static str>,
    /// The rule that decided.
    pub rule: Option<&'a str>,
    /// How somebody was asked.
    pub consent: Option<&'static str>,
    /// Whether a change was sent.
    pub sent: bool,
    /// The size of the answer before and after it was cut.
    pub bytes: Option<(usize, usize)>,
    /// How many invisible characters were taken out.
    pub removed: usize,
    /// How many secrets were taken out.
    pub redacted: usize,
}

/// A limit that a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Of requests of one caller.
    Caller,
    /// Of a caller who goes on all the same.
    Far,
    /// Of requests to one instance.
    Instance,
    /// Of requests of one caller at once.
    AtOnce,
    /// Of failed authentications from one address.
    Failed,
    /// Of credentials from one address that only Octopus can judge.
    Unproven,
    /// Of requests from one address whose body is still to come.
    Unread,
    /// Of requests of all callers at once.
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

    /// A request of a client begins (`1`), or is answered (`-1`).
    pub fn serving(&self, more: i64, method: &str, scheme: &'static str) {
        let labels = [
            KeyValue::new("http.request.method", verb(method)),
            KeyValue::new("url.scheme", scheme),
        ];
        self.tell(|inner| inner.told.serving.add(more, &labels));
    }

    /// A request of a client was answered, or given up.
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

    /// A request or notification of MCP came to an end.
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

    /// A request to another server was answered, or came to nothing.
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

    /// Something remembered was asked for, and was there or not.
    pub fn looked_up(&self, cache: &'static str, was_there: bool) {
        self.tell(|inner| {
            let result = if was_there { "hit" } else { "miss" };
            let labels = [KeyValue::new("cache", cache), KeyValue::new("result", result)];
            inner.told.lookups.add(1, &labels);
        });
    }

    /// A call came to an end.
    #[expect(clippy::cast_precision_loss, reason = "sizes of answers are far below 2^52")]
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

    /// A request had to wait.
    pub fn limited(&self, limit: Limit) {
        self.tell(|inner| inner.told.limited.add(1, &[KeyValue::new("limit", limit.name())]));
    }

    /// Nobody knows whose a request is.
    pub fn stranger(&self) {
        self.tell(|inner| inner.told.strangers.add(1, &[]));
    }

    /// The settings were read again.
    pub fn reloaded(&self, in_force: bool) {
        let result = if in_force { "applied" } else { "refused" };
        self.tell(|inner| inner.told.reloads.add(1, &[KeyValue::new("result", result)]));
    }
}
