//! Who may call: tokens, access tokens of authorization servers, proxies, certificates.

pub mod certificate;
mod challenges;
mod exchanged;
pub mod issuer;
mod issuers;
mod leaks;
mod metadata;
mod oauth;
mod providers;
mod proxy;
mod rotation;
mod scopes;
mod settings;
mod step_up;
pub mod tokens;
mod tokens_file;

use crate::support::{Reply, TestServer};

const LIST: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;
const SPACES: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"list_spaces","arguments":{}}}"#;

/// Lists the tools with these headers and no key.
async fn list(server: &TestServer, headers: &[(&str, &str)]) -> Reply {
    send(server, headers, LIST).await
}

/// Sends a body with these headers and no key.
async fn send(server: &TestServer, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut all = vec![("x-octopus-apikey", "")];
    all.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    all.extend(headers);
    server.post(&all, body.to_owned()).await
}

/// Lists the tools as whoever has this token does.
async fn bearing(server: &TestServer, token: &str) -> Reply {
    list(server, &[("authorization", &format!("Bearer {token}"))]).await
}

/// Calls a tool as whoever has this token does.
pub async fn calling(
    server: &TestServer,
    token: &str,
    tool: &str,
    arguments: &serde_json::Value,
) -> Reply {
    let params = serde_json::json!({ "name": tool, "arguments": arguments });
    let body = serde_json::json!({
        "jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params,
    });
    let authorization = format!("Bearer {token}");
    send(server, &[("authorization", &authorization)], &body.to_string()).await
}

/// What is where the metadata of the endpoint is.
fn metadata_of(server: &TestServer) -> String {
    let base = server.url.trim_end_matches("/mcp");
    format!("{base}/.well-known/oauth-protected-resource/mcp")
}

/// Checks that a token is refused with these words, in the form that clients know.
fn assert_invalid(server: &TestServer, refused: &Reply, token: &str, words: &str) {
    assert_eq!(refused.status, 401, "{}", refused.text);
    assert_eq!(refused.json()["id"], "x");
    assert_eq!(refused.message(), words);
    let challenge = format!(
        "Bearer resource_metadata=\"{}\", error=\"invalid_token\", error_description=\"{words}\"",
        metadata_of(server)
    );
    assert_eq!(refused.header("www-authenticate"), challenge);
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!format!("{refused:?}").contains(part), "{refused:?}");
    }
}
