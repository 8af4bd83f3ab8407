//! `octopus-mcp config`.

use std::fmt::Write as _;

use super::Failure;
use crate::{app, config::Loaded};

/// Prints every setting with where it came from; then fails where something is wrong.
pub(super) fn show(loaded: Loaded) -> Result<(), Failure> {
    let mut text = String::new();
    for (key, value, origin) in loaded.effective() {
        let setting = format!("{key} = {value}");
        let _ = writeln!(text, "{setting:<56} # {origin}");
    }
    app::print(&text);
    loaded.finish().map(|_| ()).map_err(Failure::Settings)
}
