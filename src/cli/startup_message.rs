//! The startup message: the endpoint and, for the sample instance, how to connect a client.

use std::fmt::Write as _;

use serde_json::json;

use crate::{
    app::SAMPLE_QUESTIONS,
    config::{AuthMode, Config},
};

/// Returns the startup message. Tests and scripts read the endpoint from its first line.
pub(super) fn text(config: &Config, endpoint: &str) -> String {
    let mut text = format!("octopus-mcp serves {endpoint}\n");
    let mut server = json!({ "type": "http", "url": endpoint });
    if config.auth_modes().has(AuthMode::Octopus)
        && let Some(server) = server.as_object_mut()
    {
        server.insert("headers".to_owned(), json!({ "X-Octopus-ApiKey": "API-YOURKEY" }));
    }
    if !config.sample.enabled {
        return text;
    }
    let client = json!({ "mcpServers": { "octopus": server } });
    let _ = write!(
        text,
        "\nThe server uses an embedded sample instance of Octopus, not a real one.\n\
         Add it to your MCP client, for example with\n\n  \
         claude mcp add --transport http octopus {endpoint}\n\n\
         or paste this into the client's configuration:\n\n{client:#}\n\n\
         Then ask:\n"
    );
    for question in SAMPLE_QUESTIONS {
        let _ = writeln!(text, "  - {question}");
    }
    text
}
