//! The policy: which calls are let through, asked about or refused, by what they touch.

mod answers;
mod bodies;
mod callers;
mod crowds;
mod elsewhere;
mod explained;
mod forms;
mod four_eyes;
mod groups;
mod offered;
mod one_meaning;
mod paths;
mod places;
mod reached;
mod reads;
mod releases;
mod renamed;
mod settings;
mod tenant_values;
mod times;
mod unreadable;
mod words;

use octopus_mcp::config::{Config, Policy, Rule};
use serde_json::{Value, json};

use crate::{consent::Desk, support::Era};

/// The rules of a policy, as they stand in a file.
pub fn rules(config: &mut Config, rules: &Value) {
    let rules: Vec<Rule> = serde_json::from_value(rules.clone()).unwrap();
    config.policy = Policy { rules, ..config.policy.clone() };
}

/// A server with these rules that lets things be changed.
pub async fn desk(list: Value) -> Desk {
    Desk::with(|config| {
        config.tools.allow_deletes = true;
        rules(config, &list);
    })
    .await
}

/// The arguments of a deployment of a release to these environments.
pub fn deploys(environments: &[&str]) -> Value {
    json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.11.7",
        "environmentNames": environments,
    })
}

/// The ways in which a yes comes.
pub use crate::consent::{WAYS, Way};

/// The way without a person.
pub const CODE: Way = Way::Code(Era::Modern);
