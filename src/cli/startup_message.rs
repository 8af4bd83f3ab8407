//! The startup message: the endpoint and, for the sample instance, how to connect a client.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    app::{SAMPLE_KEYS, SAMPLE_QUESTIONS},
    config::{AuthMode, Config, CredentialSource},
};

/// Returns the startup message. Tests and scripts read the endpoint from its first line.
pub(super) fn text(config: &Config, endpoint: &str) -> String {
    let mut text = format!("octopus-mcp serves {endpoint}\n");
    if !config.sample.enabled {
        return text;
    }
    let header = credential_header(config);
    let option = header.as_ref().map(|(name, value)| format!(" --header \"{name}: {value}\""));
    let option = option.unwrap_or_default();
    let mut server = json!({ "type": "http", "url": endpoint });
    if let (Some((name, value)), Some(server)) = (&header, server.as_object_mut()) {
        let headers =
            Value::Object([((*name).to_owned(), value.as_str().into())].into_iter().collect());
        server.insert("headers".to_owned(), headers);
    }
    let client = json!({ "mcpServers": { "octopus": server } });
    let _ = write!(
        text,
        "\nThe server uses an embedded sample instance of Octopus, not a real one.\n\
         Add it to your MCP client, for example with\n\n  \
         claude mcp add --transport http octopus {endpoint}{option}\n\n\
         or paste this into the client's configuration:\n\n{client:#}\n"
    );
    if config.auth_modes().has(AuthMode::Tokens) {
        text.push_str(
            "\nReplace YOUR-TOKEN by a token of the settings (auth.tokens). A new token and its \
             settings:\n\n  octopus-mcp token new NAME\n",
        );
    }
    if sends_keys(config) {
        text.push_str("\nAPI keys of the sample instance:\n");
        for (key, description) in SAMPLE_KEYS {
            let _ = writeln!(text, "  {key}  {description}");
        }
    }
    text.push_str("\nThen ask:\n");
    for question in SAMPLE_QUESTIONS {
        let _ = writeln!(text, "  - {question}");
    }
    text
}

/// Returns the header with the credential that clients send, if they must send one.
fn credential_header(config: &Config) -> Option<(&'static str, String)> {
    let modes = config.auth_modes();
    if modes.has(AuthMode::Tokens) {
        return Some(("Authorization", "Bearer YOUR-TOKEN".to_owned()));
    }
    let (key, _) = SAMPLE_KEYS.first().filter(|_| sends_keys(config))?;
    Some(("X-Octopus-ApiKey", (*key).to_owned()))
}

/// Returns whether callers send their own key of the sample instance.
fn sends_keys(config: &Config) -> bool {
    config.auth_modes().has(AuthMode::Octopus)
        || config.octopus.credential == Some(CredentialSource::Caller)
}
