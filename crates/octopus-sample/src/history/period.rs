//! The period of the generated history.

use crate::clock::{DAY, HOUR, NOW};

/// Start of the generated history.
pub(super) const START: i64 = NOW - 90 * DAY;
/// End of the generated history. The fixtures contain the later history.
pub(super) const END: i64 = NOW - 3 * DAY - HOUR;
