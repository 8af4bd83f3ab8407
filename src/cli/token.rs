//! `octopus-mcp token new`: generates a caller token.

use super::Failure;
use crate::{app, auth};

/// Prints a new token and its settings. The token itself is not stored.
pub(super) fn new(name: &str) -> Result<(), Failure> {
    if !is_valid_name(name) {
        let name = name.escape_debug();
        let message = format!(
            "invalid token name '{name}'; expected 1 to 64 letters, digits, hyphens or underscores"
        );
        return Err(Failure::Other(message));
    }
    let (token, hash) = auth::generate_token().map_err(Failure::other)?;
    app::print(&format!(
        "Token (shown only once):\n\n  {token}\n\nSHA-256: {hash}\n\nAdd to the settings or to the \
         file of auth.tokens_file:\n\n[auth.tokens.{name}]\nsha256 = \"{hash}\"\n# owner = \
         \"person or team that is responsible\"\n# groups = []\n# expires = 2027-01-31\nscope = \
         \"read\"\n",
    ));
    Ok(())
}

/// Returns whether the name is valid as a bare TOML key of at most 64 bytes.
fn is_valid_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
