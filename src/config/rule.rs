//! A rule of the policy: what it is about, and what it does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{List, Window};

/// A rule of the policy.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// What it is called, in answers and records.
    pub name: String,
    /// What happens to a call that matches: `allow` lets it through, `confirm` makes somebody agree
    /// whatever `tools.confirm` says, `deny` refuses it. A call that only reads is never asked
    /// about.
    pub effect: Effect,
    /// With `confirm`: a word that the person must type. `environment` is the name of the
    /// environment, whichever it is; anything else is the word itself.
    #[serde(rename = "type")]
    pub typed: Option<String>,
    /// What the caller is told.
    pub message: Option<String>,
    /// Tools, by name.
    pub tools: Option<List>,
    /// Toolsets, by name.
    pub toolsets: Option<List>,
    /// What a call does to Octopus: `read`, `write`, `delete`.
    pub tiers: Option<Vec<TierWord>>,
    /// What could come of it: `read`; `low` for a release that goes nowhere by itself; `medium` or,
    /// where the environment is of high risk, `high` for what runs in an environment; `destructive`
    /// for a deletion.
    pub risks: Option<Vec<Risk>>,
    /// Instances, by their names here.
    pub instances: Option<List>,
    /// Spaces.
    pub spaces: Option<List>,
    /// Projects.
    pub projects: Option<List>,
    /// Groups of projects.
    pub project_groups: Option<List>,
    /// Environments.
    pub environments: Option<List>,
    /// Tags of environments, as `Set/Tag`.
    pub environment_tags: Option<List>,
    /// Tenants.
    pub tenants: Option<List>,
    /// Tags of tenants, as `Set/Tag`.
    pub tenant_tags: Option<List>,
    /// Callers, by the name that this server knows them by, or as `issuer|subject`. The name of
    /// whoever has an access token is what their issuer says, and others may have it too: what a
    /// rule lets through goes by `issuer|subject`, or by group.
    pub callers: Option<List>,
    /// Groups of callers.
    pub groups: Option<List>,
    /// When, any of these: `{ days = "mon-thu,sun", from = "22:00", to = "06:00", zone =
    /// "Europe/Berlin" }`. Left out, `days` are all, `from` and `to` the whole day, and `zone` is
    /// UTC. A window that ends before it begins goes past midnight, and belongs to the day on which
    /// it begins. What begins later is judged by the moment of the call and by the one at which it
    /// begins.
    pub times: Option<Vec<Window>>,
}

/// What happens to a call.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is let through.
    #[default]
    Allow,
    /// Somebody must agree.
    Confirm,
    /// It is refused.
    Deny,
}

/// What a call does to Octopus.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TierWord {
    /// It reads.
    Read,
    /// It makes or changes things.
    Write,
    /// It removes things.
    Delete,
}

/// What could come of a call, each worse than the one before.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing: it reads.
    Read,
    /// Little.
    Low,
    /// Something.
    Medium,
    /// Much: it runs where it matters, or nobody knows where.
    High,
    /// What is gone is gone.
    Destructive,
}

/// The word of `type` that stands for the name of the environment.
pub const ENVIRONMENT_WORD: &str = "environment";

impl Rule {
    /// Whether it is about calls that only read, which it says.
    pub fn is_about_reads(&self) -> bool {
        let tiers = self.tiers.as_ref().is_some_and(|tiers| tiers.contains(&TierWord::Read));
        tiers || self.risks.as_ref().is_some_and(|risks| risks.contains(&Risk::Read))
    }

    /// The lists of names that it matches with, by the key of each.
    pub fn lists(&self) -> [(&'static str, Option<&List>); 12] {
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

impl Effect {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Confirm => "confirm",
            Self::Deny => "deny",
        }
    }
}

impl Risk {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Destructive => "destructive",
        }
    }
}
