//! Policy rules: decide whether a call is allowed, needs confirmation or is denied, by the
//! resources that it accesses.
//!
//! The module performs no I/O: a [`PolicyInput`] contains everything known about a call, and
//! [`PolicyEngine`] decides on it. The input distinguishes unknown resources from absent ones.

mod applicable;
mod decision;
mod engine;
mod explain;
mod input;
mod pattern;
mod risk;
mod rule;
mod target;
mod targets;
#[cfg(test)]
mod tests;
mod time_window;
mod verdict;

pub use decision::Decision;
pub use engine::{PolicyClock, PolicyEngine};
pub use explain::RuleStep;
pub use input::{Moment, PolicyAction, PolicyInput, ResourceRef, ResourceSet, Tier};
