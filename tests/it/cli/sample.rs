//! The sample instance: each authentication mode works as the startup message says.

use std::fs;

use octopus_mcp::app::SAMPLE_KEYS;
use serde_json::{Value, json};

use super::{ServerProcess, program, run_program};
use crate::support::{client, send};

/// Starts the sample with these settings.
fn start(settings: &str, listen: &str) -> ServerProcess {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, settings).unwrap();
    ServerProcess::start(program(&["--sample", listen, "--config", path.to_str().unwrap()]))
}

/// Calls a tool with the headers of the client configuration in the startup message.
async fn call_as_printed(serving: &ServerProcess, replace: (&str, &str)) -> Value {
    let start = serving.startup_message.find('{').unwrap();
    let end = serving.startup_message.rfind('}').unwrap();
    let printed = serving.startup_message[start..=end].replace(replace.0, replace.1);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let server = &printed["mcpServers"]["octopus"];
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let mut call =
        client().post(server["url"].as_str().unwrap()).header("content-type", "application/json");
    for (name, value) in server["headers"].as_object().into_iter().flatten() {
        call = call.header(name, value.as_str().unwrap());
    }
    send(call.body(body.to_string())).await.json()
}

#[tokio::test]
async fn sample_with_tokens_works_as_printed() {
    let (_, printed, _) = run_program(&["token", "new", "ci"]);
    let token = printed.split_whitespace().find(|word| word.starts_with("omcp_")).unwrap();
    let table = printed.find("[auth.tokens.ci]").unwrap();
    let settings = format!("[auth]\nmode = \"tokens\"\n{}", &printed[table..]);
    let serving = start(&settings, "--listen=127.0.0.1:0");
    assert!(serving.startup_message.contains("octopus-mcp token new NAME"));
    let answer = call_as_printed(&serving, ("YOUR-TOKEN", token)).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
    let answer = call_as_printed(&serving, ("YOUR-TOKEN", "omcp_wrong")).await;
    assert!(answer["error"].is_object(), "{answer}");
}

#[tokio::test]
async fn sample_with_octopus_keys_prints_keys_that_work() {
    let serving = start("[auth]\nmode = \"octopus\"\n", "--listen=127.0.0.1:0");
    for (key, _) in SAMPLE_KEYS {
        assert!(serving.startup_message.contains(key), "{}", serving.startup_message);
        let answer = call_as_printed(&serving, (SAMPLE_KEYS[0].0, key)).await;
        assert_eq!(answer["result"]["isError"], false, "{key}: {answer}");
    }
}

#[tokio::test]
async fn open_listener_prints_an_address_that_is_served() {
    let serving = start("", "--listen=0.0.0.0:0");
    assert!(serving.url.starts_with("http://127.0.0.1:"), "{}", serving.url);
    let answer = call_as_printed(&serving, ("", "")).await;
    assert_eq!(answer["result"]["structuredContent"]["totalResults"], 2, "{answer}");
}

#[test]
fn readme_documents_the_keys_of_the_sample() {
    let readme = include_str!("../../../README.md");
    for (key, description) in SAMPLE_KEYS {
        assert!(readme.contains(&format!("| `{key}` | {description} |")), "{key}");
    }
}
