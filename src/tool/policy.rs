//! Who sees which tool, and what may run.
//!
//! Layers, each of which can only take away: the settings, the instance, what the caller is
//! granted, what the request asks for. One rule reads them ([`Policy::why`]), and listing, calling,
//! resources, prompts, completions and hints all ask it.

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

/// The toolset that is always on.
const ALWAYS: &str = "core";

/// What a request may see and do.
#[derive(Debug, Clone)]
pub struct Policy {
    catalog: &'static [Toolset],
    /// The tools that keep to one project where the request fixes one.
    keeping: Arc<BTreeSet<&'static str>>,
    /// The settings first, what the request asks for last.
    layers: Vec<Layer>,
    fixed: Fixed,
}

/// One layer. It takes away, and never gives.
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

    /// Why nothing of a toolset is there.
    fn without(&self, toolset: &'static str) -> Option<Hidden> {
        (!self.has(toolset)).then_some(match &self.by {
            By::Settings => Hidden::SettingsToolset(toolset),
            By::Grants(_) => Hidden::GrantedToolset(toolset),
            By::Instance(_) | By::Request => Hidden::RequestToolset(toolset),
        })
    }

    /// Why no call may do this.
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
    /// The ceiling, as the settings say: toolsets by name or `all`, and the most that a tool may do.
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

    /// The same where so much is settled for everybody.
    #[must_use]
    pub fn fixing(self, fixed: Fixed) -> Self {
        Self { fixed, ..self }
    }

    /// What is left of it for a request: with what the caller is granted, at this instance, as the
    /// request asks for it. Nothing comes to it that was not there.
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

    /// Why the tool is not there: the first layer that hides it. `None` where it is there. What is
    /// not listed cannot be called either.
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

    /// Whether the tool is listed.
    pub fn shows(&self, toolset: &'static str, tool: &Definition) -> bool {
        self.why(toolset, tool).is_none()
    }

    /// The tool with this name, with its toolset, whether it is listed or not.
    pub fn find(&self, tool: &str) -> Option<(&'static str, &'static Definition)> {
        self.catalog.iter().find_map(|toolset| {
            let tool = toolset.tools.iter().find(|definition| definition.name == tool)?;
            Some((toolset.name, tool))
        })
    }

    /// Whether a tool with this name is listed.
    pub fn names(&self, tool: &str) -> bool {
        self.find(tool).is_some_and(|(toolset, tool)| self.shows(toolset, tool))
    }

    /// Whether a toolset is on.
    pub fn is_on(&self, toolset: &str) -> bool {
        self.layers.iter().all(|layer| layer.has(toolset))
    }

    /// Whether the resources of a toolset are there. A request that asks for some tools alone has
    /// those of their toolsets, or all where it can read resources.
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

    /// Why a request of the API in this toolset's paths may not do this much: a tool that could
    /// have done it is left out.
    pub fn left_out(&self, toolset: &str, tier: Tier) -> Option<&'static str> {
        let toolset = self.catalog.iter().find(|of| of.name == toolset)?;
        let out = |tool: &&Definition| {
            tool.least <= tier && self.layers.iter().any(|layer| layer.exclude.contains(tool.name))
        };
        toolset.tools.iter().find(out).map(|tool| tool.name)
    }

    /// All toolsets that there are, on or not.
    pub fn catalog(&self) -> &'static [Toolset] {
        self.catalog
    }

    /// What is settled before a call comes.
    pub fn fixed(&self) -> Fixed {
        self.fixed
    }

    /// The most that a call may do.
    pub fn ceiling(&self) -> Tier {
        self.layers.iter().map(|layer| layer.ceiling).min().unwrap_or(Tier::Read)
    }

    /// The toolsets that are on.
    pub fn toolsets(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.catalog.iter().map(|toolset| toolset.name).filter(|name| self.is_on(name))
    }

    /// Whether nothing that is on may change Octopus.
    pub fn is_read_only(&self) -> bool {
        self.ceiling() == Tier::Read
    }

    /// Lets a call pass that does at most this.
    pub fn permit(&self, tier: Tier) -> Result<(), Error> {
        self.forbids(tier).map_or(Ok(()), |hidden| Err(Error::Forbidden(hidden)))
    }

    /// Why no call may do this much: the first layer that forbids it.
    pub fn forbids(&self, tier: Tier) -> Option<Hidden> {
        self.layers.iter().find_map(|layer| layer.forbids(tier))
    }
}

/// The toolsets of the catalog with these names, or all of them. A name that there is not means
/// none.
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
