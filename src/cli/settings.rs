//! `octopus-mcp config`: prints the effective settings.

use std::fmt::Write as _;

use super::Failure;
use crate::{app, config::LoadedConfig};

/// Prints each setting with its source, or only those that differ from their defaults.
///
/// # Errors
///
/// The mistakes in the settings, after all settings are printed.
pub(super) fn show(loaded: LoadedConfig, changed: bool) -> Result<(), Failure> {
    let settings = if changed { loaded.changed() } else { loaded.effective_settings() };
    let settings: Vec<(String, String)> = settings
        .into_iter()
        .map(|(key, value, origin)| (format!("{key} = {value}"), origin))
        .collect();
    // A long value has its source after a single space, so that it does not move all the others.
    let width = settings.iter().map(|(setting, _)| setting.len()).max().unwrap_or(0).min(56);
    let mut text = String::new();
    for (setting, origin) in settings {
        let _ = writeln!(text, "{setting:<width$} # {origin}");
    }
    app::print(&text);
    loaded.into_config().map(|_| ()).map_err(Failure::Settings)
}
