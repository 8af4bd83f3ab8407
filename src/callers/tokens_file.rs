//! The tokens file, which is reloaded when it changes.

use std::{path::Path, sync::Arc};

use super::tokens::Table;
use crate::config::{Config, Followed, Token, text_of, tokens};

/// Returns an error if a token names an unknown toolset. Supplied by a layer that knows the tool
/// catalog.
pub type CheckToken = fn(&Token) -> Result<(), String>;

/// Opens the tokens file and watches it for changes.
pub(super) fn follow(
    path: &Path,
    config: &Config,
    check: CheckToken,
) -> Result<Followed<Arc<Table>>, String> {
    let (file, settings) = (path.to_owned(), config.auth.tokens.clone());
    let instances: Vec<String> =
        config.each_instance().into_iter().map(|(name, ..)| name.to_owned()).collect();
    let read = move || {
        let wrong = |error: String| format!("{}: {error}", file.display());
        let tokens = tokens(&text_of(&file)?, &settings, &instances).map_err(wrong)?;
        for (name, token) in &tokens {
            let wrong = |error: String| wrong(format!("auth.tokens.{name}.toolsets: {error}"));
            check(token).map_err(wrong)?;
        }
        Ok(Arc::new(Table::of(&tokens)))
    };
    Followed::open("the tokens file", vec![path.to_owned()], read)
}
