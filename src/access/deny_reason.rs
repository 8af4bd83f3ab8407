//! Reasons why a tool is not available to a request, with their remedies.

use std::fmt;

use super::{ScopeLevel, ToolMetadata};
use crate::{auth::TokenScope, octopus::OctopusVersion, policy::Tier};

/// Reason why a tool is not available to a request, from the first layer that denies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    /// The settings do not enable its toolset.
    SettingsToolset(&'static str),
    /// The settings do not allow calls of this tier.
    SettingsTier(Tier),
    /// The settings make this instance read-only.
    InstanceReadOnly(String),
    /// The token scope of the caller is too low.
    TokenScope {
        /// The caller's token scope.
        has: TokenScope,
        /// The required token scope.
        needs: TokenScope,
    },
    /// The caller's grants do not include its toolset.
    GrantedToolset(&'static str),
    /// The scope of the request does not include its toolset.
    RequestToolset(&'static str),
    /// The scope of the request is limited to other tools.
    RequestTools,
    /// The scope of the request excludes the tool.
    RequestExclude,
    /// The scope of the request is read-only.
    RequestReadOnly,
    /// The tool only lists choices for an argument that is pinned.
    ChoicePinned(ScopeLevel),
    /// The tool works across projects, and the project is pinned.
    CrossProject,
    /// The version of the instance is too old.
    TooOld {
        /// First version with support.
        needs: OctopusVersion,
        /// Version of the instance.
        has: OctopusVersion,
    },
}

fn tier_verb(tier: Tier) -> &'static str {
    match tier {
        Tier::Read => "read",
        Tier::Write => "change things",
        Tier::Delete => "delete things",
    }
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SettingsToolset(name) => {
                write!(f, "the toolset `{name}` is disabled on this server")
            }
            Self::SettingsTier(tier) => {
                write!(f, "this server does not allow tools that {}", tier_verb(*tier))
            }
            Self::InstanceReadOnly(name) => {
                write!(f, "the instance '{name}' is read-only")
            }
            Self::TokenScope { has, needs } => {
                write!(
                    f,
                    "it requires the scope {}, and you have {}",
                    <&str>::from(needs),
                    <&str>::from(has)
                )
            }
            Self::GrantedToolset(name) => {
                write!(f, "your grants do not include the toolset `{name}`")
            }
            Self::RequestToolset(name) => {
                write!(f, "the scope of this request does not include the toolset `{name}`")
            }
            Self::RequestTools => {
                f.write_str("the scope of this request is limited to other tools")
            }
            Self::RequestExclude => f.write_str("the scope of this request excludes the tool"),
            Self::RequestReadOnly => f.write_str("this request is read-only"),
            Self::ChoicePinned(level) => {
                write!(f, "the {} is already set, so there is nothing to list", level.name())
            }
            Self::CrossProject => {
                f.write_str("it works across projects, and this request is limited to one project")
            }
            Self::TooOld { needs, has } => {
                write!(f, "it needs Octopus {needs} or later; this instance is {has}")
            }
        }
    }
}

impl DenyReason {
    /// Returns the remedy: the person who can change this, and the setting, header or URL.
    pub fn remedy(&self) -> String {
        let server = "the server operator can";
        match self {
            Self::SettingsToolset(name) => {
                format!("{server} enable it: add `{name}` to tools.toolsets")
            }
            Self::SettingsTier(Tier::Delete) => {
                format!("{server} allow it with tools.allow_deletes = true")
            }
            Self::SettingsTier(_) => format!("{server} allow it with tools.read_only = false"),
            Self::InstanceReadOnly(name) => {
                format!("{server} allow it with instances.{name}.read_only = false")
            }
            Self::TokenScope { needs, .. } => {
                let scope = <&str>::from(needs);
                format!(
                    "the issuer of your token can issue one with the scope {scope}; if your groups \
                     determine the scope, {server} change auth.group_scopes"
                )
            }
            Self::GrantedToolset(_) => format!("{server} add it to your grants"),
            Self::RequestToolset(_) => "your client configuration sets this with the URL \
                                        /mcp/x/... or the header X-MCP-Toolsets"
                .to_owned(),
            Self::RequestTools => {
                "your client configuration sets this with the header X-MCP-Tools".to_owned()
            }
            Self::RequestExclude => {
                "your client configuration sets this with the header X-MCP-Exclude-Tools".to_owned()
            }
            Self::RequestReadOnly => "your client configuration sets this with the URL \
                                      .../readonly or the header X-MCP-Readonly"
                .to_owned(),
            Self::ChoicePinned(level) => match level {
                ScopeLevel::Instance => {
                    "connect to /mcp, without an instance in the URL; with a single \
                                    instance there is nothing to list"
                        .to_owned()
                }
                _ => "connect to a URL without it, unless the settings of the instance pin it"
                    .to_owned(),
            },
            Self::CrossProject => {
                "connect to a URL without a project: /mcp/i/INSTANCE/SPACE".to_owned()
            }
            Self::TooOld { .. } => "an Octopus administrator can upgrade the instance".to_owned(),
        }
    }

    /// Returns [`Self::TooOld`] if the instance is too old for a tool.
    pub fn too_old(tool: &ToolMetadata, has: OctopusVersion) -> Option<Self> {
        (has < tool.since).then_some(Self::TooOld { needs: tool.since, has })
    }
}
