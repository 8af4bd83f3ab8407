//! One target of a call.

use super::input::{Moment, TargetResource};
use crate::config::Risk;

/// One combination of resources that a call accesses, at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) time: Moment,
    pub(super) space: TargetResource<'a>,
    pub(super) project: TargetResource<'a>,
    pub(super) environment: TargetResource<'a>,
    pub(super) tenant: TargetResource<'a>,
    /// The risk of the call at this target, and whether it is certain.
    pub(super) risk: (Risk, bool),
}
