//! Policy rules: decide whether a call is allowed, needs confirmation or is denied, by the
//! resources that it accesses.
//!
//! The module performs no I/O: a [`PolicyInput`] contains the known facts about a call, and
//! [`PolicyEngine`] decides on it. The input distinguishes unknown resources from absent ones.
//!
//! The engine decides in these steps:
//!
//! 1. `applicable` selects the rules whose conditions on tool, caller and instance match (`rule`,
//!    `pattern`, `time_window`).
//! 2. `targets` combines the moments, spaces, projects, environments and tenants of the call.
//!    `risk` determines the risk for each environment.
//! 3. `engine` takes the first matching rule at each target. `verdict` merges the strictest results
//!    into one [`Decision`].
//!
//! `explain` lists the result of each rule for one target.
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use octopus_mcp::{
//!     config::{Effect, PolicySettings},
//!     policy::{Moment, PolicyAction, PolicyEngine, PolicyInput, ResourceRef, ResourceSet, Tier},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings: PolicySettings = serde_json::from_value(serde_json::json!({
//!     "rules": [{ "name": "freeze", "environments": "Production", "effect": "deny" }],
//! }))?;
//! let engine = PolicyEngine::from_settings(&settings)?;
//! let decision = engine.decide(&PolicyInput {
//!     tool: "deploy_release".to_owned(),
//!     toolset: "deployments".to_owned(),
//!     tier: Tier::Write,
//!     action: PolicyAction::Run,
//!     instance: "default".to_owned(),
//!     callers: vec!["alice".to_owned()],
//!     groups: BTreeSet::new(),
//!     times: vec![Moment::At(engine.now())],
//!     space: ResourceSet::known(vec![ResourceRef::named("Default")]),
//!     projects: ResourceSet::known(vec![ResourceRef::named("Shop")]),
//!     environments: ResourceSet::known(vec![ResourceRef::named("Production")]),
//!     tenants: ResourceSet::none(),
//! });
//! assert_eq!(decision.effect, Effect::Deny);
//! assert_eq!(decision.rule.as_deref(), Some("freeze"));
//! # Ok(())
//! # }
//! ```

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

pub use crate::config::Effect;
pub use decision::Decision;
pub use engine::{PolicyClock, PolicyEngine};
pub use explain::{Explanation, RuleStep};
pub use input::{Moment, PolicyAction, PolicyInput, ResourceRef, ResourceSet, Tier};
