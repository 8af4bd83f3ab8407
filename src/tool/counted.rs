//! Metrics of calls.

use crate::{audit::Record, telemetry::Call};

/// Returns the fields of an audit record that metrics use. The name of an unknown tool is left out,
/// because the caller chose it.
pub(super) fn counted(record: &Record) -> Call<'_> {
    Call {
        tool: record.tool.as_deref().filter(|_| record.tier.is_some()),
        result: record.result.name(),
        effect: record.effect,
        rule: record.rule.as_deref(),
        consent: record.consent,
        sent: record.route.is_some(),
        bytes: record.bytes.as_ref().map(|bytes| (bytes.before, bytes.after)),
        removed: record.removed,
        redacted: record.redacted,
    }
}
