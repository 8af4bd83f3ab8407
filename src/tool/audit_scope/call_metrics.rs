//! Metrics of calls.

use crate::{audit::Record, telemetry::CallMetrics};

/// Returns the fields of an audit record that metrics use. The name of an unknown tool is omitted,
/// because the caller chose it.
pub(in crate::tool) fn metrics_of(record: &Record) -> CallMetrics<'_> {
    CallMetrics {
        tool: record.tool.as_deref().filter(|_| record.tier.is_some()),
        result: record.result.into(),
        effect: record.effect,
        rule: record.rule.as_deref(),
        approval_method: record.consent,
        sent: record.route.is_some(),
        answer_bytes: record.bytes.as_ref().map(|bytes| (bytes.before, bytes.after)),
        removed_chars: record.removed,
        redactions: record.redacted,
    }
}
