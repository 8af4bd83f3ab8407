//! Settings of a policy rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ListSetting, TimeWindow};

/// A policy rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuleSettings {
    /// Unique name of the rule, shown in answers and audit records (max 60 characters).
    pub name: String,
    /// Effect on matching calls: `allow` (default) allows them, `confirm` requires approval
    /// regardless of `tools.confirm`, `deny` rejects them. Calls that only read never need
    /// approval.
    pub effect: Effect,
    /// Text that the user must type to approve, with `effect = "confirm"` (max 100 characters).
    /// `environment` stands for the name of the environment; any other value is the text itself.
    #[serde(rename = "type")]
    pub confirmation_text: Option<String>,
    /// Message for the caller (max 500 characters).
    pub message: Option<String>,
    /// Names of tools.
    pub tools: Option<ListSetting>,
    /// Names of toolsets.
    pub toolsets: Option<ListSetting>,
    /// Tiers of calls: `read`, `write`, `delete`.
    pub tiers: Option<Vec<Tier>>,
    /// Risks of calls: `read`; `low` for a release that is not deployed; `medium` for work in an
    /// environment; `high` for work in a high-risk environment; `destructive` for a deletion.
    pub risks: Option<Vec<Risk>>,
    /// Names of instances in these settings.
    pub instances: Option<ListSetting>,
    /// Spaces, by name, slug or ID.
    pub spaces: Option<ListSetting>,
    /// Projects, by name, slug or ID.
    pub projects: Option<ListSetting>,
    /// Project groups, by name, slug or ID.
    pub project_groups: Option<ListSetting>,
    /// Environments, by name, slug or ID.
    pub environments: Option<ListSetting>,
    /// Environment tags, written `Set/Tag`.
    pub environment_tags: Option<ListSetting>,
    /// Tenants, by name, slug or ID.
    pub tenants: Option<ListSetting>,
    /// Tenant tags, written `Set/Tag`.
    pub tenant_tags: Option<ListSetting>,
    /// Callers, by their name or as `issuer|subject`. The issuer determines the name of a caller
    /// with an access token and may give the same name to several callers. So use `issuer|subject`
    /// or `groups` in rules that allow.
    pub callers: Option<ListSetting>,
    /// Groups of callers.
    pub groups: Option<ListSetting>,
    /// Time windows; at least one must match, e.g. `{ days = "mon-thu,sun", from = "22:00", to =
    /// "06:00", zone = "Europe/Berlin" }`. Defaults: all `days`, the whole day, `zone` UTC. A
    /// window whose end is before its start extends past midnight and belongs to the day on which
    /// it begins. A change that is scheduled for later is checked for the time of the call and for
    /// its start time.
    pub times: Option<Vec<TimeWindow>>,
}

/// Effect of a rule.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The call is allowed.
    #[default]
    Allow,
    /// The call requires approval.
    Confirm,
    /// The call is rejected.
    Deny,
}

/// Tier of a call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Reads.
    Read,
    /// Creates or changes.
    Write,
    /// Deletes.
    Delete,
}

/// Risk of a call, in ascending order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads only.
    Read,
    /// Changes nothing in an environment, such as creating a release.
    Low,
    /// Runs in an environment.
    Medium,
    /// Runs in a high-risk or unknown environment.
    High,
    /// Deletes something.
    Destructive,
}

/// Value of `type` that stands for the name of the environment.
pub const TYPE_ENVIRONMENT_NAME: &str = "environment";

impl RuleSettings {
    /// Returns whether the rule applies to reads, which its tiers or risks must name.
    pub fn applies_to_reads(&self) -> bool {
        let tiers = self.tiers.as_ref().is_some_and(|tiers| tiers.contains(&Tier::Read));
        tiers || self.risks.as_ref().is_some_and(|risks| risks.contains(&Risk::Read))
    }

    /// Returns the name lists of the rule with their keys.
    pub fn name_lists(&self) -> [(&'static str, Option<&ListSetting>); 12] {
        [
            ("tools", self.tools.as_ref()),
            ("toolsets", self.toolsets.as_ref()),
            ("instances", self.instances.as_ref()),
            ("spaces", self.spaces.as_ref()),
            ("projects", self.projects.as_ref()),
            ("project_groups", self.project_groups.as_ref()),
            ("environments", self.environments.as_ref()),
            ("environment_tags", self.environment_tags.as_ref()),
            ("tenants", self.tenants.as_ref()),
            ("tenant_tags", self.tenant_tags.as_ref()),
            ("callers", self.callers.as_ref()),
            ("groups", self.groups.as_ref()),
        ]
    }
}

impl Tier {
    /// Returns the word in the settings and in audit records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

impl Effect {
    /// Returns the word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Confirm => "confirm",
            Self::Deny => "deny",
        }
    }
}

impl Risk {
    /// Returns the word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Destructive => "destructive",
        }
    }
}
