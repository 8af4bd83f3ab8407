//! Rules: which calls are let through, asked about or refused, by what they touch.
//!
//! Nothing is asked of anybody here: a [`Situation`] holds everything that is known of a call, and
//! [`Rules`] decide on it. What is not known is told apart from what there is none of.

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

pub use decide::{Clock, Decision, Rules};
pub use explain::Step;
pub use risk::Deed;
pub use situation::{Moment, Of, Situation, Thing, Tier};
