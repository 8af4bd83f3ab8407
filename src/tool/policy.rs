//! Decides which tools a request can see and call.
//!
//! Access is the intersection of layers: the settings, the instance, the grants of the caller, and
//! the scope of the request. [`ToolAccess::deny_reason`] is the only function that evaluates them.
//! Listing, calling, resources, prompts, completions and hints all use it.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Definition, Error, Fixed, Hidden, Narrowing, Tier, Toolset,
    narrowing::{Unknown, tool, toolset},
    view::keeping_to_a_project,
};
use crate::{
    callers::{Grants, Scope},
    octopus::Instance,
};

/// The toolset that cannot be disabled.
const ALWAYS: &str = "core";

/// The tools that a request can see, and the highest tier of its calls.
#[derive(Debug, Clone)]
pub struct Policy {
    catalog: &'static [Toolset],
    /// The tools that stay available when the project is pinned.
    keeping: Arc<BTreeSet<&'static str>>,
    /// From the settings (first) to the scope of the request (last).
    layers: Vec<Layer>,
    fixed: Fixed,
}

/// One layer of restrictions.
#[derive(Debug, Clone)]
struct Layer {
    by: By,
    toolsets: Option<BTreeSet<&'static str>>,
    tools: Option<BTreeSet<&'static str>>,
    exclude: BTreeSet<&'static str>,
    ceiling: Tier,
}

#[derive(Debug, Clone)]
enum By {
    Settings,
    Instance(String),
    Grants(Scope),
    Request,
}

impl Layer {
    fn of(by: By, ceiling: Tier) -> Self {
        Self { by, toolsets: None, tools: None, exclude: BTreeSet::new(), ceiling }
    }

    fn has(&self, toolset: &str) -> bool {
        toolset == ALWAYS || self.toolsets.as_ref().is_none_or(|on| on.contains(toolset))
    }

    /// Returns why the layer hides a whole toolset.
    fn without(&self, toolset: &'static str) -> Option<Hidden> {
        (!self.has(toolset)).then_some(match &self.by {
            By::Settings => Hidden::SettingsToolset(toolset),
            By::Grants(_) => Hidden::GrantedToolset(toolset),
            By::Instance(_) | By::Request => Hidden::RequestToolset(toolset),
        })
    }

    /// Returns why the layer forbids calls of this tier.
    fn forbids(&self, tier: Tier) -> Option<Hidden> {
        (tier > self.ceiling).then(|| match &self.by {
            By::Settings => Hidden::SettingsTier(tier),
            By::Instance(name) => Hidden::InstanceReadOnly(name.clone()),
            By::Grants(has) => Hidden::Scope { has: *has, needs: Scope::for_tier(tier) },
            By::Request => Hidden::RequestReadOnly,
        })
    }

    fn hides(&self, toolset: &'static str, tool: &Definition) -> Option<Hidden> {
        self.without(toolset).or_else(|| self.forbids(tool.least)).or_else(|| {
            let is_other = self.tools.as_ref().is_some_and(|tools| !tools.contains(tool.name));
            let is_out = self.exclude.contains(tool.name);
            is_other
                .then_some(Hidden::RequestTools)
                .or_else(|| is_out.then_some(Hidden::RequestExclude))
        })
    }
}

impl Policy {
    /// Creates the access that the settings allow: toolsets by name or `all`, and the highest tier.
    ///
    /// # Errors
    ///
    /// Returns the first toolset name that does not exist.
    pub fn new(
        catalog: &'static [Toolset],
        toolsets: &[String],
        ceiling: Tier,
    ) -> Result<Self, Unknown> {
        let narrowing = Narrowing { toolsets: Some(toolsets.to_vec()), ..Narrowing::default() };
        narrowing.check(catalog)?;
        let mut settings = Layer::of(By::Settings, ceiling);
        settings.toolsets = Some(named(catalog, toolsets));
        let keeping = Arc::new(keeping_to_a_project(catalog));
        Ok(Self { catalog, keeping, layers: vec![settings], fixed: Fixed::default() })
    }

    /// Pins arguments for all requests.
    #[must_use]
    pub fn fixing(self, fixed: Fixed) -> Self {
        Self { fixed, ..self }
    }

    /// Returns the effective access of a request: restricted by the instance, by the grants of the
    /// caller, and by the scope of the request. The result is never larger than `self`.
    #[must_use]
    pub fn narrowed(
        &self,
        grants: &Grants,
        instance: &Instance,
        narrowing: &Narrowing,
        fixed: Fixed,
    ) -> Self {
        let Fixed { instance: of_instance, space, project } = self.fixed;
        let fixed = Fixed {
            instance: fixed.instance || of_instance,
            space: fixed.space || space,
            project: fixed.project || project,
        };
        let mut policy = Self { fixed, ..self.clone() };
        if instance.read_only {
            policy.layers.push(Layer::of(By::Instance(instance.name.clone()), Tier::Read));
        }
        let mut granted = Layer::of(By::Grants(grants.scope), grants.scope.tier());
        granted.toolsets = grants.toolsets.as_ref().map(|toolsets| named(self.catalog, toolsets));
        policy.layers.push(granted);
        let most = if narrowing.read_only { Tier::Read } else { Tier::Delete };
        let mut asked = Layer::of(By::Request, most);
        let tools = |given: &[String]| -> BTreeSet<&'static str> {
            given.iter().filter_map(|given| tool(self.catalog, given)).collect()
        };
        asked.toolsets = narrowing.toolsets.as_ref().map(|given| named(self.catalog, given));
        asked.tools = narrowing.tools.as_deref().map(tools);
        asked.exclude = tools(&narrowing.exclude);
        policy.layers.push(asked);
        policy
    }

    /// Returns why the tool is hidden: the reason of the first layer that hides it; `None` if the
    /// tool is visible. Hidden tools cannot be called either.
    pub fn why(&self, toolset: &'static str, tool: &Definition) -> Option<Hidden> {
        let by_layers = self.layers.iter().find_map(|layer| layer.hides(toolset, tool));
        by_layers
            .or_else(|| {
                let chosen = tool.chooses.filter(|place| self.fixed.has(*place))?;
                Some(Hidden::Chosen(chosen))
            })
            .or_else(|| {
                let other = self.fixed.project && !self.keeping.contains(tool.name);
                other.then_some(Hidden::OtherProjects)
            })
    }

    /// Returns whether the tool is visible.
    pub fn shows(&self, toolset: &'static str, tool: &Definition) -> bool {
        self.why(toolset, tool).is_none()
    }

    /// Returns the tool with this name and its toolset, whether it is visible or not.
    pub fn find(&self, tool: &str) -> Option<(&'static str, &'static Definition)> {
        self.catalog.iter().find_map(|toolset| {
            let tool = toolset.tools.iter().find(|definition| definition.name == tool)?;
            Some((toolset.name, tool))
        })
    }

    /// Returns whether a tool with this name is visible.
    pub fn names(&self, tool: &str) -> bool {
        self.find(tool).is_some_and(|(toolset, tool)| self.shows(toolset, tool))
    }

    /// Returns whether a toolset is enabled.
    pub fn is_on(&self, toolset: &str) -> bool {
        self.layers.iter().all(|layer| layer.has(toolset))
    }

    /// Returns whether the resources of a toolset are visible. A request that is limited to some
    /// tools sees the resources of their toolsets, or all resources if `read_resource` is one of
    /// the tools.
    pub fn shows_resources(&self, toolset: &str) -> bool {
        let tools_of = |name: &str| {
            let toolset = self.catalog.iter().find(|toolset| toolset.name == name);
            toolset.into_iter().flat_map(|toolset| toolset.tools)
        };
        let asked = |layer: &Layer| {
            layer.tools.as_ref().is_none_or(|tools| {
                tools.contains("read_resource")
                    || tools_of(toolset).any(|tool| tools.contains(tool.name))
            })
        };
        self.is_on(toolset) && self.layers.iter().all(asked)
    }

    /// Returns the excluded tool of this toolset that could make the same request of the API, if
    /// there is one. `execute` must then reject the request too.
    pub fn left_out(&self, toolset: &str, tier: Tier) -> Option<&'static str> {
        let toolset = self.catalog.iter().find(|of| of.name == toolset)?;
        let out = |tool: &&Definition| {
            tool.least <= tier && self.layers.iter().any(|layer| layer.exclude.contains(tool.name))
        };
        toolset.tools.iter().find(out).map(|tool| tool.name)
    }

    /// Returns all toolsets, enabled or not.
    pub fn catalog(&self) -> &'static [Toolset] {
        self.catalog
    }

    /// Returns the pinned arguments.
    pub fn fixed(&self) -> Fixed {
        self.fixed
    }

    /// Returns the highest tier that a call may have.
    pub fn ceiling(&self) -> Tier {
        self.layers.iter().map(|layer| layer.ceiling).min().unwrap_or(Tier::Read)
    }

    /// Returns the enabled toolsets.
    pub fn toolsets(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.catalog.iter().map(|toolset| toolset.name).filter(|name| self.is_on(name))
    }

    /// Returns whether all changes are forbidden.
    pub fn is_read_only(&self) -> bool {
        self.ceiling() == Tier::Read
    }

    /// Checks the tier of a call.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Forbidden`] with the first layer that forbids the tier.
    pub fn permit(&self, tier: Tier) -> Result<(), Error> {
        self.forbids(tier).map_or(Ok(()), |hidden| Err(Error::Forbidden(hidden)))
    }

    /// Returns why calls of this tier are forbidden: the reason of the first layer that forbids
    /// them.
    pub fn forbids(&self, tier: Tier) -> Option<Hidden> {
        self.layers.iter().find_map(|layer| layer.forbids(tier))
    }
}

/// Returns the toolsets with these names, or all of them for `all`. Unknown names are ignored.
fn named<'a>(
    catalog: &'static [Toolset],
    given: impl IntoIterator<Item = &'a String>,
) -> BTreeSet<&'static str> {
    let mut on = BTreeSet::from([ALWAYS]);
    for given in given {
        if given.eq_ignore_ascii_case("all") {
            on.extend(catalog.iter().map(|toolset| toolset.name));
        } else {
            on.extend(toolset(catalog, given));
        }
    }
    on
}
