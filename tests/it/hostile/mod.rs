//! Hostile or broken responses in place of Octopus: each call ends in time with an error that states the
//! cause, memory stays bounded, and the next call works.

mod acts;
mod front;

use std::time::{Duration, Instant};

use octopus_mcp::config::{ByteSize, Confirm, Period};
use octopus_sample::{Sample, keys};
use serde_json::{Value, json};

use self::{
    acts::{ACTS, Act},
    front::Front,
};
use crate::support::{Called, TestServer};

/// Timeout of a request to Octopus, and of a call.
const TIME: Duration = Duration::from_secs(1);
const CALL: Duration = Duration::from_secs(3);
/// Maximum growth of the peak memory of the process, in KiB. It includes the server, the sample instance,
/// the proxy, and a few response bodies of the maximum size.
const MEMORY_KIB: u64 = 192 * 1024;
const BODY: usize = 1024 * 1024;

struct Stage {
    server: TestServer,
    front: Front,
}

impl Stage {
    async fn set() -> Self {
        let front = Front::before(&Sample::new()).await;
        let server = TestServer::with(|config| {
            config.octopus.url = Some(format!("http://{}", front.address).parse().unwrap());
            config.octopus.retries = 0;
            config.octopus.timeout = Period(TIME);
            config.octopus.response_limit = ByteSize(BODY);
            config.http.request_timeout = Period(CALL);
            config.tools.read_only = false;
            config.tools.confirm = Confirm::Never;
        })
        .await;
        Self { server, front }
    }

    async fn call(&self, tool: &str, arguments: &Value) -> (Called, Duration) {
        let started = Instant::now();
        let called = self.server.call_as(keys::ADMIN, tool, arguments.clone()).await;
        (called, started.elapsed())
    }

    /// Calls a tool once for each hostile response to this method and path, and checks the outcome.
    ///
    /// `expected` returns the possible error texts, or an empty list if the call succeeds.
    async fn play(
        &self,
        tool: &str,
        arguments: &dyn Fn(usize) -> Value,
        (method, path): (&'static str, &'static str),
        expected: &dyn Fn(Act) -> &'static [&'static str],
    ) {
        let (called, _) = self.call(tool, &arguments(ACTS.len())).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        let peak_before = peak();
        for (number, act) in ACTS.into_iter().enumerate() {
            self.front.perform(method, path, act);
            let (called, time) = self.call(tool, &arguments(number)).await;
            assert!(time < CALL + Duration::from_secs(5), "{act:?}: {time:?}");
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
            self.front.behave();
            let (next_call, _) = self.call("list_spaces", &json!({})).await;
            assert!(!next_call.is_error, "after {act:?}: {}", next_call.text);
        }
        if let (Some(peak_before), Some(after)) = (peak_before, peak()) {
            let growth = after.saturating_sub(peak_before);
            assert!(growth < MEMORY_KIB, "{tool} took {growth} KiB more");
        }
    }
}

/// Returns the peak memory of this process in KiB. nextest runs each test in its own process.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Returns the error of a call that reads the whole response before it answers.
fn of_a_whole(act: Act) -> &'static [&'static str] {
    match act {
        Act::Silence | Act::Drip | Act::DripOfTheHead => &["did not respond within 1 s"],
        Act::HugeAndSaysSo | Act::Endless | Act::GzipBomb => &["larger than 1048576 bytes"],
        Act::HalfOfJson | Act::DeepJson | Act::AnImage | Act::SignInPage | Act::NoUtf8 => {
            &["unexpected response from Octopus"]
        }
        Act::NoGzip
        | Act::BadChunks
        | Act::HeadersWithoutEnd
        | Act::EnormousHeader
        | Act::Reset
        | Act::ResetInTheMiddle
        | Act::NotHttp => &["cannot be reached"],
    }
}

#[tokio::test]
async fn a_read_ends_in_time_and_says_what_came_whatever_answers() {
    let fixture = Stage::set().await;
    fixture.play("list_spaces", &|_| json!({}), ("GET", "/api/spaces"), &of_a_whole).await;
}

#[tokio::test]
async fn a_log_ends_in_time_and_says_what_came_whatever_answers() {
    let fixture = Stage::set().await;
    let expected = |act| -> &'static [&'static str] {
        match act {
            // Logs have no size limit; the timeout of the call applies.
            Act::HugeAndSaysSo | Act::Endless | Act::Drip => &["the request took longer than 3 s"],
            // The speed of the machine decides whether decompression ends before a timeout. The end of the
            // stream is invalid.
            Act::GzipBomb => {
                &["the request took longer than 3 s", "did not respond within", "cannot be reached"]
            }
            Act::Silence | Act::DripOfTheHead => &["did not respond within 1 s"],
            // A log can contain any text.
            Act::HalfOfJson | Act::DeepJson | Act::AnImage | Act::NoUtf8 => &[],
            act => of_a_whole(act),
        }
    };
    let arguments = |_| json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    fixture.play("get_task_raw", &arguments, ("GET", "/raw"), &expected).await;
}

/// After a hostile response it is not known whether the change was made. The error says so, and the change
/// is not sent again.
#[tokio::test]
async fn a_change_ends_in_time_and_is_told_as_uncertain_whatever_answers() {
    let fixture = Stage::set().await;
    let arguments = |number| {
        let body = json!({ "Name": format!("Sandbox {number}") });
        json!({ "method": "POST", "path": "/api/Spaces-1/environments", "body": body })
    };
    let expected = |act| -> &'static [&'static str] {
        // A change may have a response of any media type; the result of an image names its type.
        if act == Act::AnImage { &[] } else { &["it is not known whether the change was made"] }
    };
    fixture.play("execute", &arguments, ("POST", "/environments"), &expected).await;
}
