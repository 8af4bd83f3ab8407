//! The layers of the HTTP server and their order, and that the scope of a request is resolved once.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use octopus_mcp::config::SessionStorage;
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::support::{ERAS, Era, TestServer};

/// The layers that a call passes, from the outermost layer.
const LAYERS: [&str; 10] = [
    "trace::trace",
    "cors::cors",
    "endpoint::endpoint",
    "admission::admit",
    "message::check_message",
    "authentication::authenticate",
    "context::resolve_context",
    "rate_limit::limit_rate",
    "session::enter_session",
    "protocol::serve_protocol",
];

/// Layers of requests other than calls.
const OTHER_LAYERS: [&str; 2] = ["cors::public_cors", "message::guard"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")
}

/// Returns the arguments of each call of `.layer(` in this code.
fn layers_in(code: &str) -> Vec<&str> {
    let arguments = code.split(".layer(").skip(1).map(|rest| {
        let mut depth = 1;
        let end = rest.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0
        });
        &rest[..end.unwrap()]
    });
    arguments.collect()
}

#[test]
fn call_passes_ten_layers_in_documented_order() {
    let text = fs::read_to_string(source().join("router.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let documented = rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
    let documented: Vec<(usize, String)> = documented
        .map(|row| {
            let (number, rest) = row.split_once(" | ").unwrap();
            let path = rest.split_once("](").unwrap().1.split_once(')').unwrap().0;
            (number.parse().unwrap(), path.to_owned())
        })
        .collect();
    let expected = (1..).zip(LAYERS.map(str::to_owned));
    assert_eq!(documented, expected.collect::<Vec<_>>());

    let layers = layers_in(&text);
    assert_eq!(layers.len(), LAYERS.len() + OTHER_LAYERS.len(), "{layers:#?}");
    for expected in LAYERS.iter().chain(&OTHER_LAYERS) {
        let is_expected = |layer: &&&str| {
            let paths = layer.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
            paths.into_iter().any(|path| path.trim_end_matches("::") == *expected)
        };
        assert_eq!(layers.iter().filter(is_expected).count(), 1, "{expected} in {layers:#?}");
    }
    // The page adds the host guard to its route. No other code adds layers.
    for (file, code) in files() {
        let max_layers = usize::from(file == Path::new("page/mod.rs"));
        if file != Path::new("router.rs") {
            assert!(layers_in(&code).len() <= max_layers, "{}", file.display());
        }
    }
}

/// Sends a request that every layer rejects. The first layer determines the response, so it changes
/// as the errors are corrected one by one, in the order of the layers.
#[tokio::test]
async fn first_layer_that_detects_an_error_rejects() {
    let server = TestServer::with(|config| {
        config.http.sessions = SessionStorage::Memory;
        config.http.body_limit = octopus_mcp::config::ByteSize(4096);
    })
    .await;
    let large = " ".repeat(5000);
    let wrong = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#;
    let host = ("host", "evil.example");
    let media = ("content-type", "text/plain");
    let key = ("x-octopus-apikey", "");
    let toolset = ("x-mcp-toolsets", "nonsense");
    let space = ("x-octopus-space", "nowhere");
    let session = ("mcp-session-id", "unknown");
    let revision = ("mcp-protocol-version", "1999-01-01");
    let all = [host, media, key, toolset, space, session, revision];
    for (path, body, headers, status, part) in [
        ("/nowhere", large.as_str(), &all[..], 404, "no such endpoint"),
        ("", large.as_str(), &all[..], 413, "larger than the limit"),
        ("", "{", &all[..], 400, "not valid JSON"),
        ("", wrong, &all[..], 403, "does not serve the host"),
        ("", wrong, &all[1..], 415, "Content-Type"),
        ("", wrong, &all[2..], 401, "no Octopus credential"),
        ("", wrong, &all[3..], 400, "nonsense"),
        ("", wrong, &all[4..], 404, "space 'nowhere' not found"),
        ("", wrong, &all[5..], 404, "no such session"),
        ("", wrong, &all[6..], 400, "protocol revision is not supported"),
        ("", wrong, &[], 200, "invalid parameters of tools/call"),
    ] {
        let reply = server.post_at(path, headers, body.to_owned()).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text);
        assert!(reply.error_message().contains(part), "{headers:?}: {}", reply.text);
    }
}

/// Counts events with one message.
#[derive(Debug, Clone, Default)]
struct Resolutions(Arc<AtomicUsize>);

impl Visit for Resolutions {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" && format!("{value:?}") == "request scope resolved" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Subscriber for Resolutions {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("octopus_mcp::mcp")
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

// The runtime has one thread, so its subscriber receives the events of every task of the server.
#[tokio::test]
async fn resolves_the_scope_of_a_request_once() {
    let resolutions = Resolutions::default();
    let _subscribed = tracing::subscriber::set_default(resolutions.clone());
    let server = TestServer::start().await;
    let call = json!({ "name": "list_projects", "arguments": { "space": "Default" } });
    for era in ERAS {
        for (method, params) in [
            ("tools/call", call.clone()),
            ("tools/list", json!({})),
            ("resources/read", json!({ "uri": "octopus://spaces/Default" })),
            ("resources/list", json!({})),
            ("prompts/list", json!({})),
            ("ping", json!({})),
        ] {
            if (era, method) == (Era::Modern, "ping") {
                continue;
            }
            let before = resolutions.0.load(Ordering::Relaxed);
            let headers = [("x-octopus-space", "Default")];
            let headers = if method == "tools/call" { &[][..] } else { &headers[..] };
            let reply = server.rpc_at("", headers, era, method, params).await;
            assert_eq!(reply.status, 200, "{method}: {}", reply.text);
            assert!(reply.json()["result"].is_object(), "{method}: {}", reply.text);
            let times = resolutions.0.load(Ordering::Relaxed) - before;
            assert_eq!(times, 1, "{era:?} {method}");
        }
    }
}

/// Returns the files of the HTTP server, each with its code without comments and tests.
fn files() -> BTreeMap<PathBuf, String> {
    fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let is_code = |line: &&str| !line.trim_start().starts_with("//");
                let code: Vec<&str> = text.lines().filter(is_code).collect();
                let name = path.strip_prefix(source()).unwrap().to_owned();
                files.insert(name, code.join("\n"));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&source(), &mut files);
    assert!(files.len() > 30);
    files
}
