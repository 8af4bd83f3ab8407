//! Access layers: each layer only removes access, and explains why it hides a tool and who can
//! change that.

use std::{collections::BTreeSet, sync::LazyLock};

use octopus_mcp::{
    access::{DenyReason, PinnedArguments, RequestScope, ToolAccess},
    app,
    auth::{Grants, TokenScope},
    config::Config,
    octopus::Instances,
    policy::Tier,
    telemetry::Metrics,
    tool::visible_resources,
    toolsets::TOOLSETS,
};
use proptest::prelude::*;

use super::grant_set;

/// Every layer names who can change its decision.
#[test]
fn each_layer_explains_hidden_tools() {
    let ceiling = app::tool_access(&crate::catalog::all_tools_config()).unwrap();
    let default = app::tool_access(&Config::default()).unwrap();
    let [open, read_only] = &*INSTANCES;
    let (open, read_only) = (open.default().unwrap(), read_only.default().unwrap());
    let all = Grants::default();
    let none = RequestScope::default();
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let scoped =
        |scope: &RequestScope| ceiling.restricted(&all, open, scope, PinnedArguments::default());
    let pinned = |arguments: PinnedArguments| ceiling.restricted(&all, open, &none, arguments);
    let granted =
        |grants: &Grants| ceiling.restricted(grants, open, &none, PinnedArguments::default());
    let mut tasks_only = Config::default();
    tasks_only.tools.toolsets.0 = vec!["tasks".to_owned()];
    let rows: Vec<(ToolAccess, &str, &str, &str)> = vec![
        (
            app::tool_access(&tasks_only).unwrap(),
            "list_projects",
            "`projects` is disabled",
            "tools.toolsets",
        ),
        (default, "create_release", "does not allow tools that change", "tools.read_only"),
        (
            ceiling.restricted(&all, read_only, &none, PinnedArguments::default()),
            "create_release",
            "the instance 'default' is read-only",
            "read_only = false",
        ),
        (
            granted(&Grants { scope: TokenScope::Read, ..Grants::default() }),
            "create_release",
            "octopus:deploy",
            "issuer of your token",
        ),
        (
            granted(&Grants { toolsets: grant_set(&["tasks"]), ..Grants::default() }),
            "list_projects",
            "grants do not include the toolset",
            "add it to your grants",
        ),
        (
            scoped(&RequestScope { toolsets: list(&["tasks"]), ..RequestScope::default() }),
            "list_projects",
            "does not include the toolset",
            "X-MCP-Toolsets",
        ),
        (
            scoped(&RequestScope { tools: list(&["list_spaces"]), ..RequestScope::default() }),
            "list_projects",
            "limited to other tools",
            "X-MCP-Tools",
        ),
        (
            scoped(&RequestScope {
                exclude: list(&["list_projects"]).unwrap(),
                ..RequestScope::default()
            }),
            "list_projects",
            "excludes the tool",
            "X-MCP-Exclude-Tools",
        ),
        (
            scoped(&RequestScope { read_only: true, ..RequestScope::default() }),
            "create_release",
            "this request is read-only",
            "X-MCP-Readonly",
        ),
        (
            pinned(PinnedArguments { space: true, ..PinnedArguments::default() }),
            "list_spaces",
            "the space is already set",
            "URL without it",
        ),
        (
            pinned(PinnedArguments { space: true, project: true, instance: true }),
            "list_releases",
            "across projects",
            "without a project",
        ),
    ];
    for (policy, name, reason, remedy) in rows {
        let (toolset, tool) = policy.find(name).unwrap();
        let hidden =
            policy.deny_reason(toolset, tool).unwrap_or_else(|| panic!("{name}: {reason}"));
        assert!(hidden.to_string().contains(reason), "{name}: {hidden}");
        assert!(hidden.remedy().contains(remedy), "{name}: {}", hidden.remedy());
        assert!(!policy.is_visible_by_name(name) && !policy.is_visible(toolset, tool));
    }
    let (_, tool) = ceiling.find("get_kubernetes_live_status").unwrap();
    assert!(matches!(
        DenyReason::too_old(tool, octopus_mcp::octopus::OctopusVersion::MIN_SUPPORTED),
        Some(DenyReason::TooOld { .. })
    ));
}

/// One writable and one read-only instance.
static INSTANCES: LazyLock<[Instances; 2]> = LazyLock::new(|| {
    [false, true].map(|read_only| {
        let mut config = Config::default();
        config.octopus.url = Some("http://127.0.0.1:1".parse().unwrap());
        config.octopus.read_only = read_only;
        Instances::from_config(&config, &Metrics::default()).unwrap()
    })
});

fn optional_subset(names: Vec<&'static str>) -> impl Strategy<Value = Option<Vec<String>>> {
    let some = prop::collection::vec(prop::sample::select(names), 0..4);
    prop::option::of(some.prop_map(|names| names.into_iter().map(str::to_owned).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn layers_only_remove_access(
        settings in optional_subset(vec!["tasks", "projects", "releases", "all"]),
        granted in optional_subset(vec!["tasks", "projects", "deployments"]),
        toolsets in optional_subset(vec!["tasks", "releases", "all"]),
        tools in optional_subset(vec!["list_spaces", "execute", "create_release", "get_task_raw"]),
        exclude in optional_subset(vec!["list_spaces", "deploy_release", "get_task_raw"]),
        flags in any::<[bool; 6]>(),
        scope in prop::sample::select(vec![TokenScope::Read, TokenScope::Deploy, TokenScope::Admin]),
    ) {
        let [read_only, deletes, at_instance, request_read_only, space, project] = flags;
        let mut config = Config::default();
        config.tools.toolsets.0 = settings.unwrap_or_else(|| vec!["all".to_owned()]);
        config.tools.read_only = read_only;
        config.tools.allow_deletes = deletes;
        let ceiling = app::tool_access(&config).unwrap();
        let instances = &INSTANCES[usize::from(at_instance)];
        let grants = Grants {
            scope,
            toolsets: granted.map(|names| names.into_iter().collect()),
            ..Grants::default()
        };
        let request_scope = RequestScope {
            toolsets,
            tools,
            exclude: exclude.unwrap_or_default(),
            read_only: request_read_only,
            ..RequestScope::default()
        };
        let pinned = PinnedArguments { instance: project, space, project };
        let policy = ceiling.restricted(&grants, instances.default().unwrap(), &request_scope, pinned);
        prop_assert!(policy.ceiling() <= ceiling.ceiling());
        prop_assert!(policy.ceiling() <= scope.tier());
        prop_assert!(!(at_instance || request_read_only) || policy.is_read_only());
        for tier in [Tier::Read, Tier::Write, Tier::Delete] {
            prop_assert!(policy.ensure_tier(tier).is_err() || ceiling.ensure_tier(tier).is_ok());
        }
        for toolset in &ceiling.index().toolsets {
            prop_assert!(!policy.is_enabled(toolset.name) || ceiling.is_enabled(toolset.name));
            for tool in &toolset.tools {
                prop_assert!(!policy.is_visible(toolset.name, tool) || ceiling.is_visible(toolset.name, tool));
                prop_assert!(!policy.is_visible_by_name(tool.name) || ceiling.is_visible_by_name(tool.name));
            }
        }
        let resources = |policy: &ToolAccess| -> BTreeSet<&str> {
            visible_resources(TOOLSETS, policy).map(|(_, resource)| resource.template).collect()
        };
        prop_assert!(resources(&policy).is_subset(&resources(&ceiling)));
        // Applying the same scope again changes nothing.
        let twice = policy.restricted(&grants, instances.default().unwrap(), &RequestScope::default(), PinnedArguments::default());
        for (toolset, tool) in ceiling.index().toolsets.iter().flat_map(|t| t.tools.iter().map(move |tool| (t.name, tool))) {
            prop_assert!(!twice.is_visible(toolset, tool) || policy.is_visible(toolset, tool));
        }
    }
}
