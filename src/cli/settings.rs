//! `octopus-mcp config`: prints the effective settings.

use std::fmt::Write as _;

use super::Failure;
use crate::{app, config::Loaded};

/// Prints each setting with its source.
///
/// # Errors
///
/// The mistakes in the settings, after all settings are printed.
pub(super) fn show(loaded: Loaded) -> Result<(), Failure> {
    let mut text = String::new();
    for (key, value, origin) in loaded.effective() {
        let setting = format!("{key} = {value}");
        let _ = writeln!(text, "{setting:<56} # {origin}");
    }
    app::print(&text);
    loaded.finish().map(|_| ()).map_err(Failure::Settings)
}
