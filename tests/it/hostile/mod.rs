//! Whatever answers in the place of Octopus: each call ends in time with words that say what came,
//! memory stays bounded, and the next call is as if nothing had been.

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

/// How long Octopus may take for an answer, and a call at all.
const TIME: Duration = Duration::from_secs(1);
const CALL: Duration = Duration::from_secs(3);
/// How much more memory the whole process may have taken at its worst moment: the server, the
/// sample instance, what stands before it, and a few bodies of the size that is set.
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

    /// Calls this tool while this path is in these hands, once for each act, and holds it to what
    /// is said: words of the error, or none where there is an answer all the same.
    async fn play(
        &self,
        tool: &str,
        arguments: &dyn Fn(usize) -> Value,
        (method, path): (&'static str, &'static str),
        expected: &dyn Fn(Act) -> Option<&'static str>,
    ) {
        let (called, _) = self.call(tool, &arguments(ACTS.len())).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        let before = peak();
        for (number, act) in ACTS.into_iter().enumerate() {
            self.front.perform(method, path, act);
            let (called, time) = self.call(tool, &arguments(number)).await;
            assert!(time < CALL + Duration::from_secs(5), "{act:?}: {time:?}");
            match expected(act) {
                Some(words) => {
                    assert!(called.is_error, "{act:?}: {}", called.text);
                    assert!(called.text.contains(words), "{act:?}: {words:?} in {}", called.text);
                }
                None => assert!(!called.is_error, "{act:?}: {}", called.text),
            }
            for never in ["API-", "Password", "panicked"] {
                assert!(!called.text.contains(never), "{act:?}: {}", called.text);
            }
            self.front.behave();
            let (next, _) = self.call("list_spaces", &json!({})).await;
            assert!(!next.is_error, "after {act:?}: {}", next.text);
        }
        if let (Some(before), Some(after)) = (before, peak()) {
            let more = after.saturating_sub(before);
            assert!(more < MEMORY_KIB, "{tool} took {more} KiB more");
        }
    }
}

/// The most memory that this process has had so far, in KiB. Each test has a process of its own.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// What is said of an act by whoever waits for a whole answer.
fn of_a_whole(act: Act) -> &'static str {
    match act {
        Act::Silence | Act::Drip | Act::DripOfTheHead => "did not answer within 1 s",
        Act::HugeAndSaysSo | Act::Endless | Act::GzipBomb => "larger than 1048576 bytes",
        Act::HalfOfJson | Act::DeepJson | Act::AnImage | Act::SignInPage | Act::NoUtf8 => {
            "does not look like one of Octopus"
        }
        Act::NoGzip
        | Act::BadChunks
        | Act::HeadersWithoutEnd
        | Act::EnormousHeader
        | Act::Reset
        | Act::ResetInTheMiddle
        | Act::NotHttp => "cannot be reached",
    }
}

#[tokio::test]
async fn a_read_ends_in_time_and_says_what_came_whatever_answers() {
    let stage = Stage::set().await;
    let expected = |act| Some(of_a_whole(act));
    stage.play("list_spaces", &|_| json!({}), ("GET", "/api/spaces"), &expected).await;
}

#[tokio::test]
async fn a_log_ends_in_time_and_says_what_came_whatever_answers() {
    let stage = Stage::set().await;
    let expected = |act| match act {
        // A log has no size that would be too large; the call has its time.
        Act::HugeAndSaysSo | Act::Endless | Act::Drip => Some("this took longer than 3 s"),
        // How much of it is unpacked in this time depends on the machine.
        Act::GzipBomb => Some(""),
        Act::Silence | Act::DripOfTheHead => Some("did not answer within 1 s"),
        // Any text may stand in a log.
        Act::HalfOfJson | Act::DeepJson | Act::AnImage | Act::NoUtf8 => None,
        act => Some(of_a_whole(act)),
    };
    let arguments = |_| json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    stage.play("get_task_raw", &arguments, ("GET", "/raw"), &expected).await;
}

/// Whether the change was made is not known after any of them, so none is told as a refusal, and
/// none is sent again.
#[tokio::test]
async fn a_change_ends_in_time_and_is_told_as_uncertain_whatever_answers() {
    let stage = Stage::set().await;
    let arguments = |number| {
        let body = json!({ "Name": format!("Sandbox {number}") });
        json!({ "method": "POST", "path": "/api/Spaces-1/environments", "body": body })
    };
    // Octopus may answer a change with anything; an image is said to be one.
    let expected =
        |act| (act != Act::AnImage).then_some("it is not known whether the change was made");
    stage.play("execute", &arguments, ("POST", "/environments"), &expected).await;
}
