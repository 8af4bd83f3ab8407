//! `octopus-mcp check`: verifies the instances and credentials of the settings.

use super::Failure;
use crate::{
    app,
    config::{Config, LoadedConfig},
};

/// Prints the result of the verification.
///
/// # Errors
///
/// Exit code 1, if calls to an instance would fail. Exit code 2, if the settings are invalid.
pub(super) async fn run(loaded: LoadedConfig, json: bool) -> Result<(), Failure> {
    let config: Config = loaded.into_config().map_err(Failure::Settings)?;
    let report = app::check(config).await.map_err(Failure::start)?;
    if json {
        let report = serde_json::to_value(&report).map_err(Failure::other)?;
        app::print(&format!("{report:#}\n"));
    } else {
        app::print(&report.to_text());
    }
    if report.ok { Ok(()) } else { Err(Failure::Code(1)) }
}
