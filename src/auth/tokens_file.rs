//! Tokens file; reloaded after changes.

use std::{path::Path, sync::Arc};

use super::tokens::TokenTable;
use crate::config::{Config, TokenSettings, WatchedFile, parse_tokens_file, read_text};

/// Returns an error if a token names an unknown toolset. Supplied by a layer with access to the
/// tool catalog.
pub type CheckToken = fn(&TokenSettings) -> Result<(), String>;

/// Opens the tokens file and watches it for changes.
pub(super) fn watch(
    path: &Path,
    config: &Config,
    check: CheckToken,
) -> Result<WatchedFile<Arc<TokenTable>>, String> {
    let (file, settings) = (path.to_owned(), config.auth.tokens.clone());
    let instances: Vec<String> =
        config.instances_with_keys().into_iter().map(|(name, ..)| name.to_owned()).collect();
    let read = move || {
        let wrong = |error: String| format!("{}: {error}", file.display());
        let tokens = parse_tokens_file(&read_text(&file)?, &settings, &instances).map_err(wrong)?;
        for (name, token) in &tokens {
            let wrong = |error: String| wrong(format!("auth.tokens.{name}.toolsets: {error}"));
            check(token).map_err(wrong)?;
        }
        Ok(Arc::new(TokenTable::from_settings(&tokens)))
    };
    WatchedFile::open("the tokens file", vec![path.to_owned()], read)
}
