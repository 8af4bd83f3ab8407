//! Hostile or broken responses in place of Octopus: each call ends in time with an error that
//! states the cause, memory stays bounded, and the next call works.

mod faulty_proxy;
mod responses;

use std::time::{Duration, Instant};

use octopus_mcp::config::{ApprovalMode, ByteSize, DurationSetting};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};

use self::{
    faulty_proxy::FaultyProxy,
    responses::{HOSTILE_RESPONSES, HostileResponse},
};
use crate::support::{CallResult, TestServer};

/// Timeout of a request to Octopus, and of a call.
const OCTOPUS_TIMEOUT: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum growth of the peak memory of the process, in KiB. It includes the server, the sample
/// instance, the proxy, and a few response bodies of the maximum size.
const MAX_MEMORY_KIB: u64 = 192 * 1024;
const RESPONSE_LIMIT: usize = 1024 * 1024;

struct HostileFixture {
    server: TestServer,
    proxy: FaultyProxy,
}

impl HostileFixture {
    async fn start() -> Self {
        let front = FaultyProxy::start(&Sample::new()).await;
        let server = TestServer::with(|config| {
            config.octopus.url = Some(format!("http://{}", front.address).parse().unwrap());
            config.octopus.retries = 0;
            config.octopus.timeout = DurationSetting(OCTOPUS_TIMEOUT);
            config.octopus.response_limit = ByteSize(RESPONSE_LIMIT);
            config.http.request_timeout = DurationSetting(CALL_TIMEOUT);
            config.tools.read_only = false;
            config.tools.confirm = ApprovalMode::Never;
        })
        .await;
        Self { server, proxy: front }
    }

    async fn call(&self, tool: &str, arguments: &Value) -> (CallResult, Duration) {
        let started = Instant::now();
        let called = self.server.call_as(keys::ADMIN, tool, arguments.clone()).await;
        (called, started.elapsed())
    }

    /// Calls a tool once for each hostile response to this method and path, and checks the outcome.
    ///
    /// `expected` returns the possible error texts, or an empty list if the call succeeds.
    async fn assert_outcomes(
        &self,
        tool: &str,
        arguments: &dyn Fn(usize) -> Value,
        (method, path): (&'static str, &'static str),
        expected: &dyn Fn(HostileResponse) -> &'static [&'static str],
    ) {
        let (called, _) = self.call(tool, &arguments(HOSTILE_RESPONSES.len())).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        let peak_before = peak_memory_kib();
        for (number, act) in HOSTILE_RESPONSES.into_iter().enumerate() {
            self.proxy.respond_with(method, path, act);
            let (called, time) = self.call(tool, &arguments(number)).await;
            assert!(time < CALL_TIMEOUT + Duration::from_secs(5), "{act:?}: {time:?}");
            let errors = expected(act);
            assert_eq!(called.is_error, !errors.is_empty(), "{act:?}: {}", called.text);
            let is_expected = |error: &&str| called.text.contains(*error);
            assert!(
                errors.is_empty() || errors.iter().any(is_expected),
                "{act:?}: {errors:?} in {}",
                called.text
            );
            for forbidden in ["API-", "Password", "panicked"] {
                assert!(!called.text.contains(forbidden), "{act:?}: {}", called.text);
            }
            self.proxy.forward_all();
            let (next_call, _) = self.call("list_spaces", &json!({})).await;
            assert!(!next_call.is_error, "after {act:?}: {}", next_call.text);
        }
        if let (Some(peak_before), Some(after)) = (peak_before, peak_memory_kib()) {
            let growth = after.saturating_sub(peak_before);
            assert!(growth < MAX_MEMORY_KIB, "{tool} took {growth} KiB more");
        }
    }
}

/// Returns the peak memory of this process in KiB. nextest runs each test in its own process.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Returns the error of a call that reads the whole response before it answers.
fn error_of_buffered_read(act: HostileResponse) -> &'static [&'static str] {
    match act {
        HostileResponse::NoResponse | HostileResponse::SlowBody | HostileResponse::SlowHeaders => {
            &["did not respond within 1 s"]
        }
        HostileResponse::HugeContentLength
        | HostileResponse::EndlessBody
        | HostileResponse::GzipBomb => &["larger than 1048576 bytes"],
        HostileResponse::TruncatedJson
        | HostileResponse::DeepJson
        | HostileResponse::Image
        | HostileResponse::InvalidUtf8 => &["unexpected response from Octopus"],
        HostileResponse::SignInPage => {
            &["in front of Octopus answered", "unexpected response from Octopus"]
        }
        HostileResponse::InvalidGzip
        | HostileResponse::InvalidChunks
        | HostileResponse::EndlessHeaders
        | HostileResponse::HugeHeader
        | HostileResponse::Reset
        | HostileResponse::ResetInBody
        | HostileResponse::NotHttp => &["cannot be reached"],
    }
}

#[tokio::test]
async fn reads_fail_in_time_with_the_cause() {
    let fixture = HostileFixture::start().await;
    fixture
        .assert_outcomes(
            "list_spaces",
            &|_| json!({}),
            ("GET", "/api/spaces"),
            &error_of_buffered_read,
        )
        .await;
}

#[tokio::test]
async fn log_streams_fail_in_time_with_the_cause() {
    let fixture = HostileFixture::start().await;
    let expected = |act| -> &'static [&'static str] {
        match act {
            // Logs have no size limit; the timeout of the call applies.
            HostileResponse::HugeContentLength
            | HostileResponse::EndlessBody
            | HostileResponse::SlowBody => &["the request took longer than 3 s"],
            // The speed of the machine decides whether decompression ends before a timeout. The end
            // of the stream is invalid.
            HostileResponse::GzipBomb => {
                &["the request took longer than 3 s", "did not respond within", "cannot be reached"]
            }
            HostileResponse::NoResponse | HostileResponse::SlowHeaders => {
                &["did not respond within 1 s"]
            }
            // A log can contain any text.
            HostileResponse::TruncatedJson
            | HostileResponse::DeepJson
            | HostileResponse::Image
            | HostileResponse::InvalidUtf8 => &[],
            act => error_of_buffered_read(act),
        }
    };
    let arguments = |_| json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    fixture.assert_outcomes("get_task_raw", &arguments, ("GET", "/raw"), &expected).await;
}

/// After a hostile response it is unknown whether the change was made. The error states this, and
/// the change is not sent again.
#[tokio::test]
async fn changes_fail_in_time_as_uncertain() {
    let fixture = HostileFixture::start().await;
    let arguments = |number| {
        let body = json!({ "Name": format!("Sandbox {number}") });
        json!({ "method": "POST", "path": "/api/Spaces-1/environments", "body": body })
    };
    let expected = |act| -> &'static [&'static str] {
        // A change can have a response of any media type. For an image, the result contains its
        // media type.
        if act == HostileResponse::Image {
            &[]
        } else {
            &["it is not known whether the change was made"]
        }
    };
    fixture.assert_outcomes("execute", &arguments, ("POST", "/environments"), &expected).await;
}
