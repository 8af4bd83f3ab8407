//! The policy: which calls are allowed, need approval or are denied, by the resources that they
//! access.

mod agreement;
mod ambiguous_names;
mod automatic_deployments;
mod callers;
mod execute_paths;
mod explain_access;
mod four_eyes;
mod groups;
mod id_like_names;
mod indirect_reads;
mod large_calls;
mod listings_and_completions;
mod matchers;
mod other_instances;
mod reads;
mod request_bodies;
mod response_contents;
mod settings;
mod spellings;
mod tenant_variables;
mod time_windows;
mod typed_confirmation;
mod unreadable_documents;

use octopus_mcp::config::{Config, PolicySettings, RuleSettings};
use serde_json::{Value, json};

use crate::{approval::ApprovalFixture, support::Era};

/// Sets the rules of the policy, in the form of the configuration file.
pub fn set_rules(config: &mut Config, rules: &Value) {
    let rules: Vec<RuleSettings> = serde_json::from_value(rules.clone()).unwrap();
    config.policy = PolicySettings { rules, ..config.policy.clone() };
}

/// Starts a server with these rules that permits changes and deletions.
pub async fn policy_fixture(list: Value) -> ApprovalFixture {
    ApprovalFixture::with(|config| {
        config.tools.allow_deletes = true;
        set_rules(config, &list);
    })
    .await
}

/// Returns the arguments of a deployment of one release to these environments.
pub fn deploy_arguments(environments: &[&str]) -> Value {
    json!({
        "space": "Default",
        "projectName": "Parcel Tracking API",
        "releaseVersion": "1.11.7",
        "environmentNames": environments,
    })
}

/// The flows in which a caller can approve a change.
pub use crate::approval::{APPROVAL_FLOWS, ApprovalFlow};

/// The approval flow without a person: the client repeats the call with a code.
pub const CODE_FLOW: ApprovalFlow = ApprovalFlow::ConfirmCode(Era::Modern);
