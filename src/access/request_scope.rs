//! The scope in the path and headers of a request. It can only restrict access.

use sha2::{Digest, Sha256};

use super::ToolIndex;
use crate::text::nearest::nearest;

/// The scope in the path and headers of a request. The default restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestScope {
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

/// A toolset or tool name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// `toolset` or `tool`.
    pub kind: &'static str,
    /// The given name.
    pub given: String,
    /// All valid names.
    pub valid: Vec<&'static str>,
}

impl std::fmt::Display for UnknownName {
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

impl RequestScope {
    /// Checks that all toolsets and tools in the scope exist.
    ///
    /// # Errors
    ///
    /// Returns the first unknown name.
    pub fn check(&self, index: &ToolIndex) -> Result<(), UnknownName> {
        let is_all = |given: &str| given.eq_ignore_ascii_case("all");
        for given in self.toolsets.iter().flatten() {
            if !is_all(given) && index.canonical_toolset(given).is_none() {
                let valid = index.toolset_names().collect();
                return Err(UnknownName { kind: "toolset", given: given.clone(), valid });
            }
        }
        for given in self.tools.iter().flatten().chain(&self.exclude) {
            if index.canonical_tool(given).is_none() {
                let valid = index.tool_names().collect();
                return Err(UnknownName { kind: "tool", given: given.clone(), valid });
            }
        }
        Ok(())
    }

    /// Returns a digest of the scope. Sessions are bound to it, so that they cannot be used with
    /// another URL.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(format!("{self:?}")).into()
    }
}
