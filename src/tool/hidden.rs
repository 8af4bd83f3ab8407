//! Why a tool is not there for a request, and who can change that.

use std::fmt;

use super::{Definition, Place, Tier};
use crate::{callers::Scope, octopus::OctopusVersion};

/// Why a tool is not there for a request: the first of the layers that hides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hidden {
    /// The settings leave its toolset off.
    SettingsToolset(&'static str),
    /// The settings let no call do as much.
    SettingsTier(Tier),
    /// Nothing may be changed at this instance.
    InstanceReadOnly(String),
    /// The caller's scope lets them do less.
    Scope {
        /// What they have.
        has: Scope,
        /// What it takes.
        needs: Scope,
    },
    /// The caller is granted other toolsets.
    GrantedToolset(&'static str),
    /// The request asks for other toolsets.
    RequestToolset(&'static str),
    /// The request asks for other tools.
    RequestTools,
    /// The request asks to leave the tool out.
    RequestExclude,
    /// The request asks that nothing is changed.
    RequestReadOnly,
    /// It shows what there is to choose from, and that is fixed.
    Chosen(Place),
    /// It answers across projects, and one is fixed.
    OtherProjects,
    /// The instance is too old for it.
    TooOld {
        /// The first version that has it.
        needs: OctopusVersion,
        /// The version of the instance.
        has: OctopusVersion,
    },
}

impl Scope {
    /// The most that a caller with this scope may do.
    pub fn tier(self) -> Tier {
        match self {
            Self::Read => Tier::Read,
            Self::Deploy => Tier::Write,
            Self::Admin => Tier::Delete,
        }
    }

    /// The least scope that lets a caller do this.
    pub fn for_tier(tier: Tier) -> Self {
        match tier {
            Tier::Read => Self::Read,
            Tier::Write => Self::Deploy,
            Tier::Delete => Self::Admin,
        }
    }
}

fn deeds(tier: Tier) -> &'static str {
    match tier {
        Tier::Read => "read",
        Tier::Write => "change things",
        Tier::Delete => "delete things",
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SettingsToolset(name) => write!(f, "the toolset `{name}` is off on this server"),
            Self::SettingsTier(tier) => {
                write!(f, "this server does not allow tools that {}", deeds(*tier))
            }
            Self::InstanceReadOnly(name) => {
                write!(f, "nothing may be changed at the instance '{name}'")
            }
            Self::Scope { has, needs } => {
                write!(f, "it takes the scope {}, and you have {}", needs.name(), has.name())
            }
            Self::GrantedToolset(name) => write!(f, "you are not granted the toolset `{name}`"),
            Self::RequestToolset(name) => {
                write!(f, "this request asks for other toolsets than `{name}`")
            }
            Self::RequestTools => f.write_str("this request asks for other tools alone"),
            Self::RequestExclude => f.write_str("this request asks to leave the tool out"),
            Self::RequestReadOnly => f.write_str("this request asks that nothing is changed"),
            Self::Chosen(place) => {
                write!(f, "there is nothing to choose: the {} is fixed", place.name())
            }
            Self::OtherProjects => {
                f.write_str("it answers across projects, and this request is held to one")
            }
            Self::TooOld { needs, has } => {
                write!(f, "it needs Octopus {needs} or later; this instance is {has}")
            }
        }
    }
}

impl Hidden {
    /// Who can change it, and with what.
    pub fn changed_by(&self) -> String {
        let server = "whoever runs this server can";
        match self {
            Self::SettingsToolset(name) => {
                format!("{server} switch it on: add `{name}` to tools.toolsets")
            }
            Self::SettingsTier(Tier::Delete) => {
                format!("{server} allow it with tools.allow_deletes = true")
            }
            Self::SettingsTier(_) => format!("{server} allow it with tools.read_only = false"),
            Self::InstanceReadOnly(name) => {
                format!("{server} allow it with instances.{name}.read_only = false")
            }
            Self::Scope { needs, .. } => {
                let scope = needs.name();
                format!(
                    "whoever gives out your token can give one with the scope {scope}; where your \
                     groups decide and no token does, {server} change auth.group_scopes"
                )
            }
            Self::GrantedToolset(_) => format!("{server} add it to what you are granted"),
            Self::RequestToolset(_) => "your client's configuration says so: the address \
                                        /mcp/x/... or the header X-MCP-Toolsets"
                .to_owned(),
            Self::RequestTools => {
                "your client's configuration says so, with the header X-MCP-Tools".to_owned()
            }
            Self::RequestExclude => {
                "your client's configuration says so, with the header X-MCP-Exclude-Tools"
                    .to_owned()
            }
            Self::RequestReadOnly => "your client's configuration says so: the address \
                                      .../readonly or the header X-MCP-Readonly"
                .to_owned(),
            Self::Chosen(place) => match place {
                Place::Instance => "connect to /mcp, without an instance in the address; where \
                                    there is one instance alone, there is nothing to list"
                    .to_owned(),
                _ => "connect to an address without it; or the settings of the instance fix it"
                    .to_owned(),
            },
            Self::OtherProjects => {
                "connect to an address without a project: /mcp/i/INSTANCE/SPACE".to_owned()
            }
            Self::TooOld { .. } => {
                "an Octopus administrator can bring the instance up to date".to_owned()
            }
        }
    }

    /// That an instance is too old for a tool, where it is.
    pub fn too_old(tool: &Definition, has: OctopusVersion) -> Option<Self> {
        (has < tool.since).then_some(Self::TooOld { needs: tool.since, has })
    }
}
