//! What of a record is counted.

use crate::{audit::Record, telemetry::Call};

/// What of a record is counted. A tool that there is not has a name of the caller's choice.
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
