//! Stands in for `sample.rs` in builds without the cargo feature `sample`.

use super::StartError;
use crate::{
    config::{Config, SAMPLE_NOT_BUILT_IN},
    http::Listening,
};

/// API keys of the sample instance: none in this build.
pub const SAMPLE_KEYS: &[(&str, &str)] = &[];

/// Returns [`StartError::NoSample`]. The validation of the settings normally reports this error
/// earlier.
pub(super) fn start_sample(_config: &mut Config) -> Result<Listening, StartError> {
    Err(StartError::NoSample(SAMPLE_NOT_BUILT_IN))
}
