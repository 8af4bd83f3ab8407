//! Decides which tools a request can see and call.
//!
//! Access is the intersection of layers: the settings, the instance, the grants of the caller, and
//! the scope of the request. [`ToolAccess::deny_reason`] is the only function that evaluates them.
//! Listing, calling, resources, prompts, completions and hints all use it.

use std::{collections::BTreeSet, sync::Arc};

use super::{DenyReason, PinnedArguments, RequestScope, ToolIndex, ToolMetadata, UnknownName};
use crate::{
    auth::{Grants, TokenScope},
    octopus::Instance,
    policy::Tier,
};

/// The toolset that cannot be disabled.
const CORE_TOOLSET: &str = "core";

/// The tools that a request can see, and the highest tier of its calls.
#[derive(Debug, Clone)]
pub struct ToolAccess {
    index: Arc<ToolIndex>,
    /// Layers, from the settings (first) to the scope of the request (last).
    layers: Vec<Layer>,
    pinned: PinnedArguments,
}

/// One layer of restrictions.
#[derive(Debug, Clone)]
struct Layer {
    source: LayerSource,
    toolsets: Option<BTreeSet<&'static str>>,
    tools: Option<BTreeSet<&'static str>>,
    exclude: BTreeSet<&'static str>,
    ceiling: Tier,
}

#[derive(Debug, Clone)]
enum LayerSource {
    Settings,
    Instance(String),
    Grants(TokenScope),
    Request,
}

impl Layer {
    fn new(source: LayerSource, ceiling: Tier) -> Self {
        Self { source, toolsets: None, tools: None, exclude: BTreeSet::new(), ceiling }
    }

    fn enables(&self, toolset: &str) -> bool {
        toolset == CORE_TOOLSET || self.toolsets.as_ref().is_none_or(|on| on.contains(toolset))
    }

    /// Returns the reason why the layer hides a whole toolset.
    fn toolset_denial(&self, toolset: &'static str) -> Option<DenyReason> {
        (!self.enables(toolset)).then_some(match &self.source {
            LayerSource::Settings => DenyReason::SettingsToolset(toolset),
            LayerSource::Grants(_) => DenyReason::GrantedToolset(toolset),
            LayerSource::Instance(_) | LayerSource::Request => DenyReason::RequestToolset(toolset),
        })
    }

    /// Returns the reason why the layer forbids calls of this tier.
    fn tier_denial(&self, tier: Tier) -> Option<DenyReason> {
        (tier > self.ceiling).then(|| match &self.source {
            LayerSource::Settings => DenyReason::SettingsTier(tier),
            LayerSource::Instance(name) => DenyReason::InstanceReadOnly(name.clone()),
            LayerSource::Grants(has) => {
                DenyReason::TokenScope { has: *has, needs: TokenScope::for_tier(tier) }
            }
            LayerSource::Request => DenyReason::RequestReadOnly,
        })
    }

    fn tool_denial(&self, toolset: &'static str, tool: &ToolMetadata) -> Option<DenyReason> {
        self.toolset_denial(toolset).or_else(|| self.tier_denial(tool.min_tier)).or_else(|| {
            let is_other = self.tools.as_ref().is_some_and(|tools| !tools.contains(tool.name));
            let is_out = self.exclude.contains(tool.name);
            is_other
                .then_some(DenyReason::RequestTools)
                .or_else(|| is_out.then_some(DenyReason::RequestExclude))
        })
    }
}

impl ToolAccess {
    /// Creates the access that the settings allow: toolsets by name or `all`, and the highest tier.
    ///
    /// # Errors
    ///
    /// Returns the first toolset name that does not exist.
    pub fn new(
        index: Arc<ToolIndex>,
        toolsets: &[String],
        ceiling: Tier,
    ) -> Result<Self, UnknownName> {
        let request = RequestScope { toolsets: Some(toolsets.to_vec()), ..RequestScope::default() };
        request.check(&index)?;
        let mut settings = Layer::new(LayerSource::Settings, ceiling);
        settings.toolsets = Some(resolve_toolsets(&index, toolsets));
        Ok(Self { index, layers: vec![settings], pinned: PinnedArguments::default() })
    }

    /// Pins arguments for all requests.
    #[must_use]
    pub fn with_pinned(self, pinned: PinnedArguments) -> Self {
        Self { pinned, ..self }
    }

    /// Returns the effective access of a request: restricted by the instance, by the grants of the
    /// caller, and by the scope of the request. The result is never larger than `self`.
    #[must_use]
    pub fn restricted(
        &self,
        grants: &Grants,
        instance: &Instance,
        request: &RequestScope,
        pinned: PinnedArguments,
    ) -> Self {
        let PinnedArguments { instance: instance_pinned, space, project } = self.pinned;
        let pinned = PinnedArguments {
            instance: pinned.instance || instance_pinned,
            space: pinned.space || space,
            project: pinned.project || project,
        };
        let mut access =
            self.for_caller(grants, instance.read_only.then_some(instance.name.as_str()));
        access.pinned = pinned;
        let ceiling = if request.read_only { Tier::Read } else { Tier::Delete };
        let mut request_layer = Layer::new(LayerSource::Request, ceiling);
        let tools = |given: &[String]| -> BTreeSet<&'static str> {
            given.iter().filter_map(|given| self.index.canonical_tool(given)).collect()
        };
        request_layer.toolsets =
            request.toolsets.as_ref().map(|given| resolve_toolsets(&self.index, given));
        request_layer.tools = request.tools.as_deref().map(tools);
        request_layer.exclude = tools(&request.exclude);
        access.layers.push(request_layer);
        access
    }

    /// Returns the access of a caller with these grants, at an instance with the name `read_only`
    /// if the instance is read-only.
    #[must_use]
    pub fn for_caller(&self, grants: &Grants, read_only: Option<&str>) -> Self {
        let mut access = self.clone();
        access.layers.extend(
            read_only.map(|name| Layer::new(LayerSource::Instance(name.to_owned()), Tier::Read)),
        );
        let mut grants_layer = Layer::new(LayerSource::Grants(grants.scope), grants.scope.tier());
        grants_layer.toolsets =
            grants.toolsets.as_ref().map(|toolsets| resolve_toolsets(&self.index, toolsets));
        access.layers.push(grants_layer);
        access
    }

    /// Returns the reason of the first layer that hides the tool; `None` if the tool is visible.
    /// Hidden tools cannot be called either.
    pub fn deny_reason(&self, toolset: &'static str, tool: &ToolMetadata) -> Option<DenyReason> {
        let by_layers = self.layers.iter().find_map(|layer| layer.tool_denial(toolset, tool));
        by_layers
            .or_else(|| {
                let level = tool.lists_choices_for.filter(|level| self.pinned.is_pinned(*level))?;
                Some(DenyReason::ChoicePinned(level))
            })
            .or_else(|| {
                let is_cross_project =
                    self.pinned.project && !self.index.project_tools.contains(tool.name);
                is_cross_project.then_some(DenyReason::CrossProject)
            })
    }

    /// Returns whether the tool is visible.
    pub fn is_visible(&self, toolset: &'static str, tool: &ToolMetadata) -> bool {
        self.deny_reason(toolset, tool).is_none()
    }

    /// Returns the tool with this name and its toolset, whether it is visible or not.
    pub fn find(&self, tool: &str) -> Option<(&'static str, &'static ToolMetadata)> {
        self.index.find(tool)
    }

    /// Returns whether a tool with this name is visible.
    pub fn is_visible_by_name(&self, tool: &str) -> bool {
        self.find(tool).is_some_and(|(toolset, tool)| self.is_visible(toolset, tool))
    }

    /// Returns whether a toolset is enabled.
    pub fn is_enabled(&self, toolset: &str) -> bool {
        self.layers.iter().all(|layer| layer.enables(toolset))
    }

    /// Returns whether the resources of a toolset are visible. A request that is limited to some
    /// tools sees the resources of their toolsets, or all resources if `read_resource` is one of
    /// the tools.
    pub fn shows_resources(&self, toolset: &str) -> bool {
        let tools_of =
            |name: &str| self.index.toolset(name).into_iter().flat_map(|toolset| &toolset.tools);
        let includes_toolset = |layer: &Layer| {
            layer.tools.as_ref().is_none_or(|tools| {
                tools.contains("read_resource")
                    || tools_of(toolset).any(|tool| tools.contains(tool.name))
            })
        };
        self.is_enabled(toolset) && self.layers.iter().all(includes_toolset)
    }

    /// Returns the excluded tool of this toolset that could send the same API request; `None` if no
    /// such tool is excluded. `execute` must reject the request as well.
    pub fn excluded_tool(&self, toolset: &str, tier: Tier) -> Option<&'static str> {
        let toolset = self.index.toolset(toolset)?;
        let is_excluded = |tool: &&&ToolMetadata| {
            tool.min_tier <= tier
                && self.layers.iter().any(|layer| layer.exclude.contains(tool.name))
        };
        toolset.tools.iter().find(is_excluded).map(|tool| tool.name)
    }

    /// Returns all toolsets and tools, enabled or not.
    pub fn index(&self) -> &ToolIndex {
        &self.index
    }

    /// Returns the pinned arguments.
    pub fn pinned(&self) -> PinnedArguments {
        self.pinned
    }

    /// Returns the highest allowed tier of calls.
    pub fn ceiling(&self) -> Tier {
        self.layers.iter().map(|layer| layer.ceiling).min().unwrap_or(Tier::Read)
    }

    /// Returns the enabled toolsets.
    pub fn toolsets(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.index.toolset_names().filter(|name| self.is_enabled(name))
    }

    /// Returns whether all changes are forbidden.
    pub fn is_read_only(&self) -> bool {
        self.ceiling() == Tier::Read
    }

    /// Checks the tier of a call.
    ///
    /// # Errors
    ///
    /// Returns the reason of the first layer that forbids the tier.
    pub fn ensure_tier(&self, tier: Tier) -> Result<(), DenyReason> {
        self.tier_deny_reason(tier).map_or(Ok(()), Err)
    }

    /// Returns the reason of the first layer that forbids calls of this tier; `None` if they are
    /// allowed.
    pub fn tier_deny_reason(&self, tier: Tier) -> Option<DenyReason> {
        self.layers.iter().find_map(|layer| layer.tier_denial(tier))
    }
}

/// Returns the toolsets with these names, or all of them for `all`. Unknown names are ignored.
fn resolve_toolsets<'a>(
    index: &ToolIndex,
    given: impl IntoIterator<Item = &'a String>,
) -> BTreeSet<&'static str> {
    let mut enabled = BTreeSet::from([CORE_TOOLSET]);
    for given in given {
        if given.eq_ignore_ascii_case("all") {
            enabled.extend(index.toolset_names());
        } else {
            enabled.extend(index.canonical_toolset(given));
        }
    }
    enabled
}
