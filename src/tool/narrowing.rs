//! The scope that a request asks for. It can only restrict access.

use sha2::{Digest, Sha256};

use super::Toolset;
use crate::text::nearest::nearest;

/// The scope that a request asks for with its path and headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Name of the instance.
    pub instance: Option<String>,
    /// The only space of all calls.
    pub space: Option<String>,
    /// The only project of all calls.
    pub project: Option<String>,
    /// Enabled toolsets; `core` is always enabled.
    pub toolsets: Option<Vec<String>>,
    /// Enabled tools.
    pub tools: Option<Vec<String>>,
    /// Excluded tools.
    pub exclude: Vec<String>,
    /// Whether changes are forbidden.
    pub read_only: bool,
}

/// Which arguments the settings or the request's path and headers pin. Tools do not list pinned
/// arguments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Fixed {
    /// Whether the instance is pinned.
    pub instance: bool,
    /// Whether the space is pinned.
    pub space: bool,
    /// Whether the project is pinned.
    pub project: bool,
}

/// The levels of scope that can be pinned.
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
    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Space => "space",
            Self::Project => "project",
        }
    }
}

impl Fixed {
    /// Returns whether this level is pinned.
    pub fn has(self, place: Place) -> bool {
        match place {
            Place::Instance => self.instance,
            Place::Space => self.space,
            Place::Project => self.project,
        }
    }
}

/// A toolset or tool name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// `toolset` or `tool`.
    pub kind: &'static str,
    /// The given name.
    pub given: String,
    /// All valid names.
    pub valid: Vec<&'static str>,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, given, valid } = self;
        let shown: String = given.chars().take(80).collect();
        write!(f, "unknown {kind} `{}`", shown.escape_debug())?;
        match nearest(&shown, valid.iter().copied(), 1).first() {
            Some(near) => write!(f, "; did you mean `{near}`?")?,
            None => f.write_str(".")?,
        }
        write!(f, " Available: {}", valid.join(", "))?;
        if *kind == "toolset" { f.write_str(", or `all`") } else { Ok(()) }
    }
}

/// Returns the canonical name of a toolset.
pub(super) fn toolset(catalog: &[Toolset], given: &str) -> Option<&'static str> {
    let mut names = catalog.iter().map(|toolset| toolset.name);
    names.find(|name| name.eq_ignore_ascii_case(given))
}

/// Returns the canonical name of a tool.
pub(super) fn tool(catalog: &'static [Toolset], given: &str) -> Option<&'static str> {
    let mut names = catalog.iter().flat_map(|toolset| toolset.tools).map(|tool| tool.name);
    names.find(|name| name.eq_ignore_ascii_case(given))
}

impl Narrowing {
    /// Checks that all toolsets and tools in the scope exist.
    ///
    /// # Errors
    ///
    /// Returns the first unknown name.
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

    /// Returns a digest of the scope. A session is bound to it, so it cannot be used through
    /// another URL.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(format!("{self:?}")).into()
    }
}
