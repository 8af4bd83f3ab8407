//! Settings of the policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, ListSetting, RuleSettings};

/// Policy rules that allow calls, require approval or deny them, in addition to the other settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// Rules in order; the first rule that matches decides. A call is checked for each combination
    /// of the resources that it accesses, e.g. each environment with each tenant, and the strictest
    /// decision applies. All criteria of a rule must match; omitted criteria match anything. A rule
    /// applies to changes only, unless its `tiers` or `risks` contain `read`. Names match as in
    /// Octopus, ignoring case, or as slugs or IDs. `*` matches any characters, and a leading `!`
    /// excludes matches of the other entries. If a criterion of a change cannot be determined,
    /// `deny` and `confirm` rules match and `allow` rules do not.
    pub rules: Vec<RuleSettings>,
    /// Effect on changes that no rule matches: `allow` (default), `confirm` or `deny`.
    pub otherwise: Effect,
    /// Environments in which deployments, runbook runs and feature toggles have the risk `high`.
    /// `*` and `!` as in rules. The default matches common names of production environments.
    pub high_risk_environments: ListSetting,
    /// Tags of high-risk environments, written `Set/Tag` (default none).
    pub high_risk_environment_tags: ListSetting,
    /// Forbids callers to answer interruptions of deployments and runbook runs that they started
    /// through this server (default true). Task initiators are kept in `limits.store`. With a
    /// memory store, or if the response to the start was lost, the initiator can be unknown. Then
    /// the user whom Octopus names as initiator, and all callers that share this Octopus user, may
    /// not answer. If Octopus names none, nobody can answer through this server.
    pub four_eyes: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        let likely = [
            "prod",
            "production",
            "live",
            "prod-*",
            "prod *",
            "*-prod",
            "* prod",
            "production-*",
            "production *",
            "*-production",
            "* production",
            "!*pre-prod*",
            "!*pre prod*",
            "!*non-prod*",
            "!*non prod*",
        ];
        let likely = likely.into_iter().map(str::to_owned).collect();
        Self {
            rules: Vec::new(),
            otherwise: Effect::Allow,
            high_risk_environments: ListSetting(likely),
            high_risk_environment_tags: ListSetting::default(),
            four_eyes: true,
        }
    }
}
