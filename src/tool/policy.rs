//! Who sees which tool, and what may run.

use std::{collections::BTreeSet, sync::Arc};

use super::{Definition, Error, Tier, Toolset};

/// The toolset that is always on.
const ALWAYS: &str = "core";

/// What a request may see and do. Made from the settings, which are the ceiling.
#[derive(Debug, Clone)]
pub struct Policy {
    catalog: &'static [Toolset],
    toolsets: BTreeSet<&'static str>,
    ceiling: Tier,
    /// Names of the tools that are shown, for messages.
    shown: Arc<BTreeSet<&'static str>>,
}

/// A toolset that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownToolset {
    /// The name that was given.
    pub given: String,
    /// All names that there are.
    pub valid: Vec<&'static str>,
}

impl Policy {
    /// The ceiling: toolsets by name or `all`, and the most that a tool may do.
    pub fn new(
        catalog: &'static [Toolset],
        toolsets: &[String],
        ceiling: Tier,
    ) -> Result<Self, UnknownToolset> {
        let valid: Vec<&'static str> = catalog.iter().map(|toolset| toolset.name).collect();
        let mut on = BTreeSet::from([ALWAYS]);
        for given in toolsets {
            if given.eq_ignore_ascii_case("all") {
                on.extend(&valid);
            } else if let Some(name) = valid.iter().find(|name| name.eq_ignore_ascii_case(given)) {
                on.insert(name);
            } else {
                return Err(UnknownToolset { given: given.clone(), valid });
            }
        }
        let mut policy = Self { catalog, toolsets: on, ceiling, shown: Arc::default() };
        let shown = catalog.iter().flat_map(|toolset| {
            let policy = &policy;
            let shown = move |tool: &&Definition| policy.shows(toolset.name, tool);
            toolset.tools.iter().filter(shown).map(|tool| tool.name)
        });
        policy.shown = Arc::new(shown.collect());
        Ok(policy)
    }

    /// Whether the tool is listed. What is not listed cannot be called either.
    pub fn shows(&self, toolset: &str, tool: &Definition) -> bool {
        self.is_on(toolset) && tool.least <= self.ceiling
    }

    /// Whether a tool with this name is listed.
    pub fn names(&self, tool: &str) -> bool {
        self.shown.contains(tool)
    }

    /// Whether a toolset is on.
    pub fn is_on(&self, toolset: &str) -> bool {
        self.toolsets.contains(toolset)
    }

    /// All toolsets that there are, on or not.
    pub fn catalog(&self) -> &'static [Toolset] {
        self.catalog
    }

    /// The most that a call may do.
    pub fn ceiling(&self) -> Tier {
        self.ceiling
    }

    /// The toolsets that are on.
    pub fn toolsets(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.toolsets.iter().copied()
    }

    /// Whether anything that is on may change Octopus.
    pub fn is_read_only(&self) -> bool {
        self.ceiling == Tier::Read
    }

    /// Lets a call pass that does at most this.
    pub fn permit(&self, tier: Tier) -> Result<(), Error> {
        if tier <= self.ceiling { Ok(()) } else { Err(Error::Forbidden(tier)) }
    }
}
