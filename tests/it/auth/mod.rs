//! Authentication of callers: server tokens, OAuth access tokens, proxies, client certificates.

pub mod certificates;
mod challenges;
mod exchanged_tokens;
mod faulty_issuers;
mod key_rotation;
mod oauth;
mod providers;
mod proxy;
mod resource_metadata;
mod scopes;
mod settings;
mod step_up;
pub mod test_issuer;
mod token_leaks;
pub mod tokens;
mod tokens_file;

use crate::support::{Reply, TestServer};

const LIST_TOOLS: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;
const LIST_SPACES: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"list_spaces","arguments":{}}}"#;

/// Lists the tools with these headers and without an API key.
async fn list_tools(server: &TestServer, headers: &[(&str, &str)]) -> Reply {
    send(server, headers, LIST_TOOLS).await
}

/// Sends a body with these headers and without an API key.
async fn send(server: &TestServer, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut all = vec![("x-octopus-apikey", "")];
    all.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    all.extend(headers);
    server.post(&all, body.to_owned()).await
}

/// Lists the tools with a bearer token.
async fn list_tools_with_token(server: &TestServer, token: &str) -> Reply {
    list_tools(server, &[("authorization", &format!("Bearer {token}"))]).await
}

/// Calls a tool with a bearer token.
pub async fn call_with_token(
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

/// Returns the URL of the protected resource metadata of the endpoint (RFC 9728).
fn metadata_url(server: &TestServer) -> String {
    let base = server.url.trim_end_matches("/mcp");
    format!("{base}/.well-known/oauth-protected-resource/mcp")
}

/// Checks that a token is rejected with this message, in the body and in the challenge, and is not
/// echoed.
fn assert_invalid_token(server: &TestServer, rejected: &Reply, token: &str, message: &str) {
    assert_eq!(rejected.status, 401, "{}", rejected.text);
    assert_eq!(rejected.json()["id"], "x");
    assert_eq!(rejected.error_message(), message);
    let challenge = format!(
        "Bearer resource_metadata=\"{}\", error=\"invalid_token\", error_description=\"{message}\"",
        metadata_url(server)
    );
    assert_eq!(rejected.header("www-authenticate"), challenge);
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!format!("{rejected:?}").contains(part), "{rejected:?}");
    }
}
