//! What a request asks to be narrowed to. It never widens anything.

use sha2::{Digest, Sha256};

use super::Toolset;
use crate::text::nearest::nearest;

/// What a request asks to be narrowed to, with its path and its headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// The instance, by name.
    pub instance: Option<String>,
    /// The space that every call works in.
    pub space: Option<String>,
    /// The project that every call works on.
    pub project: Option<String>,
    /// These toolsets alone; `core` is always on.
    pub toolsets: Option<Vec<String>>,
    /// These tools alone.
    pub tools: Option<Vec<String>>,
    /// All tools but these.
    pub exclude: Vec<String>,
    /// Whether nothing may be changed.
    pub read_only: bool,
}

/// What of a call is settled before it comes, by the settings or by the request's path and
/// headers. It is no argument of any tool then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Fixed {
    /// The instance.
    pub instance: bool,
    /// The space.
    pub space: bool,
    /// The project.
    pub project: bool,
}

/// A place that a call can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An instance.
    Instance,
    /// A space.
    Space,
    /// A project.
    Project,
}

impl Place {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Space => "space",
            Self::Project => "project",
        }
    }
}

impl Fixed {
    /// Whether this place is fixed.
    pub fn has(self, place: Place) -> bool {
        match place {
            Place::Instance => self.instance,
            Place::Space => self.space,
            Place::Project => self.project,
        }
    }
}

/// A toolset or a tool that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What it was taken for: `toolset` or `tool`.
    pub kind: &'static str,
    /// The name that was given.
    pub given: String,
    /// All names that there are.
    pub valid: Vec<&'static str>,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, given, valid } = self;
        let shown: String = given.chars().take(80).collect();
        write!(f, "there is no {kind} `{}`", shown.escape_debug())?;
        if let Some(near) = nearest(&shown, valid.iter().copied(), 1).first() {
            write!(f, "; perhaps `{near}`")?;
        }
        write!(f, ". There are: {}", valid.join(", "))?;
        if *kind == "toolset" { f.write_str(", or `all`") } else { Ok(()) }
    }
}

/// The name of a toolset as it is written in the catalog.
pub(super) fn toolset(catalog: &[Toolset], given: &str) -> Option<&'static str> {
    let mut names = catalog.iter().map(|toolset| toolset.name);
    names.find(|name| name.eq_ignore_ascii_case(given))
}

/// The name of a tool as it is written in the catalog.
pub(super) fn tool(catalog: &'static [Toolset], given: &str) -> Option<&'static str> {
    let mut names = catalog.iter().flat_map(|toolset| toolset.tools).map(|tool| tool.name);
    names.find(|name| name.eq_ignore_ascii_case(given))
}

impl Narrowing {
    /// That every toolset and every tool that it names is one of the catalog.
    pub fn check(&self, catalog: &'static [Toolset]) -> Result<(), Unknown> {
        let is_all = |given: &str| given.eq_ignore_ascii_case("all");
        for given in self.toolsets.iter().flatten() {
            if !is_all(given) && toolset(catalog, given).is_none() {
                let valid = catalog.iter().map(|toolset| toolset.name).collect();
                return Err(Unknown { kind: "toolset", given: given.clone(), valid });
            }
        }
        for given in self.tools.iter().flatten().chain(&self.exclude) {
            if tool(catalog, given).is_none() {
                let tools = catalog.iter().flat_map(|toolset| toolset.tools);
                let valid = tools.map(|tool| tool.name).collect();
                return Err(Unknown { kind: "tool", given: given.clone(), valid });
            }
        }
        Ok(())
    }

    /// Tells it from every other narrowing: a session belongs to the address that it began on.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(format!("{self:?}")).into()
    }
}
