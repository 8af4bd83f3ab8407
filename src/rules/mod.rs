//! Policy rules: decide whether a call is allowed, needs confirmation or is denied, by the
//! resources that it accesses.
//!
//! The module performs no I/O: a [`PolicyInput`] contains everything known about a call, and
//! [`PolicyEngine`] decides on it. The input distinguishes unknown resources from absent ones.

mod applicable;
mod decide;
mod explain;
mod found;
mod pattern;
mod risk;
mod rule;
mod situation;
mod targets;
#[cfg(test)]
mod tests;
mod when;

pub use decide::{Decision, PolicyClock, PolicyEngine};
pub use explain::RuleStep;
pub use risk::PolicyAction;
pub use situation::{Moment, PolicyInput, ResourceRef, ResourceSet, Tier};
