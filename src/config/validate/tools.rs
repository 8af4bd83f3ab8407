//! Validation of the tool settings.

use super::checks::{KEY_TOO_SHORT, MIN_KEY_LEN};
use crate::config::{LoadedConfig, ToolSettings};

/// Adds the mistakes in the limits of answers.
pub(super) fn validate_answer_limits(loaded: &mut LoadedConfig, tools: &ToolSettings) {
    if tools.answer_bytes.0 < 1024 {
        loaded.add_error("tools.answer_bytes", "the size must be at least 1 KiB");
    }
    if tools.answer_bytes_cap < tools.answer_bytes {
        loaded
            .add_error("tools.answer_bytes_cap", "the value must not be below tools.answer_bytes");
    }
    if tools.take == 0 {
        loaded.add_error("tools.take", "the value must be at least 1");
    }
    if tools.take_cap < tools.take {
        loaded.add_error("tools.take_cap", "the value must not be below tools.take");
    }
}

/// Adds the mistakes in the settings of changes.
pub(super) fn validate_changes(loaded: &mut LoadedConfig, tools: &ToolSettings) {
    for (key, value) in
        [("tools.seal_key", &tools.seal_key), ("tools.seal_key_previous", &tools.seal_key_previous)]
    {
        if value.as_ref().is_some_and(|value| value.expose().len() < MIN_KEY_LEN) {
            loaded.add_error(key, KEY_TOO_SHORT);
        }
    }
    if tools.seal_key_previous.is_some() && tools.seal_key.is_none() {
        loaded.add_error("tools.seal_key_previous", "tools.seal_key, the current key, is not set");
    }
    if tools.allow_deletes && tools.read_only {
        loaded.add_error("tools.allow_deletes", "deletes require tools.read_only = false");
    }
}
