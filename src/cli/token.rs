//! `octopus-mcp token new`.

use super::Failure;
use crate::{app, callers};

/// Prints a new token, which is kept nowhere, and what to write into the settings.
pub(super) fn new(name: &str) -> Result<(), Failure> {
    if !is_name(name) {
        let message = "a token is called with up to 64 letters, digits, hyphens and underscores";
        return Err(Failure::Other(message.to_owned()));
    }
    let (token, hash) = callers::new_token().map_err(Failure::Other)?;
    app::print(&format!(
        "The token, which is shown this one time:\n\n  {token}\n\nIts SHA-256: {hash}\n\nFor the \
         settings, or for the file of auth.tokens_file:\n\n[auth.tokens.{name}]\nsha256 = \
         \"{hash}\"\n# owner = \"who answers for it\"\n# groups = []\n# expires = 2027-01-31\nscope \
         = \"read\"\n",
    ));
    Ok(())
}

/// Whether a token may be called so: it stands in a TOML key as it is.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
