//! Access layers: each layer only removes access, and explains why it hides a tool and who can
//! change that.

use std::{collections::BTreeSet, sync::LazyLock};

use octopus_mcp::{
    app,
    callers::{Grants, Scope},
    config::Config,
    octopus::Instances,
    telemetry::Metrics,
    tool::{Fixed, Hidden, Narrowing, Policy, Tier},
};
use proptest::prelude::*;

use super::words;

/// Every layer names who can change its decision.
#[test]
fn each_layer_says_why_it_hides_a_tool_and_who_can_change_that() {
    let ceiling = app::policy(&crate::catalog::all()).unwrap();
    let default = app::policy(&Config::default()).unwrap();
    let [open, read_only] = &*INSTANCES;
    let (open, read_only) = (open.default().unwrap(), read_only.default().unwrap());
    let all = Grants::default();
    let none = Narrowing::default();
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let asked = |narrowing: &Narrowing| ceiling.narrowed(&all, open, narrowing, Fixed::default());
    let held = |fixed: Fixed| ceiling.narrowed(&all, open, &none, fixed);
    let granted = |grants: &Grants| ceiling.narrowed(grants, open, &none, Fixed::default());
    let mut tasks_only = Config::default();
    tasks_only.tools.toolsets.0 = vec!["tasks".to_owned()];
    let rows: Vec<(Policy, &str, &str, &str)> = vec![
        (
            app::policy(&tasks_only).unwrap(),
            "list_projects",
            "`projects` is disabled",
            "tools.toolsets",
        ),
        (default, "create_release", "does not allow tools that change", "tools.read_only"),
        (
            ceiling.narrowed(&all, read_only, &none, Fixed::default()),
            "create_release",
            "the instance 'default' is read-only",
            "read_only = false",
        ),
        (
            granted(&Grants { scope: Scope::Read, ..Grants::default() }),
            "create_release",
            "octopus:deploy",
            "issuer of your token",
        ),
        (
            granted(&Grants { toolsets: words(&["tasks"]), ..Grants::default() }),
            "list_projects",
            "grants do not include the toolset",
            "add it to your grants",
        ),
        (
            asked(&Narrowing { toolsets: list(&["tasks"]), ..Narrowing::default() }),
            "list_projects",
            "does not include the toolset",
            "X-MCP-Toolsets",
        ),
        (
            asked(&Narrowing { tools: list(&["list_spaces"]), ..Narrowing::default() }),
            "list_projects",
            "limited to other tools",
            "X-MCP-Tools",
        ),
        (
            asked(&Narrowing {
                exclude: list(&["list_projects"]).unwrap(),
                ..Narrowing::default()
            }),
            "list_projects",
            "excludes the tool",
            "X-MCP-Exclude-Tools",
        ),
        (
            asked(&Narrowing { read_only: true, ..Narrowing::default() }),
            "create_release",
            "this request is read-only",
            "X-MCP-Readonly",
        ),
        (
            held(Fixed { space: true, ..Fixed::default() }),
            "list_spaces",
            "the space is already set",
            "URL without it",
        ),
        (
            held(Fixed { space: true, project: true, instance: true }),
            "list_releases",
            "across projects",
            "without a project",
        ),
    ];
    for (policy, name, why, who) in rows {
        let (toolset, tool) = policy.find(name).unwrap();
        let hidden = policy.why(toolset, tool).unwrap_or_else(|| panic!("{name}: {why}"));
        assert!(hidden.to_string().contains(why), "{name}: {hidden}");
        assert!(hidden.changed_by().contains(who), "{name}: {}", hidden.changed_by());
        assert!(!policy.names(name) && !policy.shows(toolset, tool));
    }
    let (_, tool) = ceiling.find("get_kubernetes_live_status").unwrap();
    assert!(matches!(
        Hidden::too_old(tool, octopus_mcp::octopus::OctopusVersion::OLDEST),
        Some(Hidden::TooOld { .. })
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

fn some_of(names: Vec<&'static str>) -> impl Strategy<Value = Option<Vec<String>>> {
    let some = prop::collection::vec(prop::sample::select(names), 0..4);
    prop::option::of(some.prop_map(|names| names.into_iter().map(str::to_owned).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn layers_only_remove_access(
        settings in some_of(vec!["tasks", "projects", "releases", "all"]),
        granted in some_of(vec!["tasks", "projects", "deployments"]),
        toolsets in some_of(vec!["tasks", "releases", "all"]),
        tools in some_of(vec!["list_spaces", "execute", "create_release", "get_task_raw"]),
        exclude in some_of(vec!["list_spaces", "deploy_release", "get_task_raw"]),
        flags in any::<[bool; 6]>(),
        scope in prop::sample::select(vec![Scope::Read, Scope::Deploy, Scope::Admin]),
    ) {
        let [read_only, deletes, at_instance, asked, space, project] = flags;
        let mut config = Config::default();
        config.tools.toolsets.0 = settings.unwrap_or_else(|| vec!["all".to_owned()]);
        config.tools.read_only = read_only;
        config.tools.allow_deletes = deletes;
        let ceiling = app::policy(&config).unwrap();
        let instances = &INSTANCES[usize::from(at_instance)];
        let grants = Grants {
            scope,
            toolsets: granted.map(|names| names.into_iter().collect()),
            ..Grants::default()
        };
        let narrowing = Narrowing {
            toolsets,
            tools,
            exclude: exclude.unwrap_or_default(),
            read_only: asked,
            ..Narrowing::default()
        };
        let fixed = Fixed { instance: project, space, project };
        let policy = ceiling.narrowed(&grants, instances.default().unwrap(), &narrowing, fixed);
        prop_assert!(policy.ceiling() <= ceiling.ceiling());
        prop_assert!(policy.ceiling() <= scope.tier());
        prop_assert!(!(at_instance || asked) || policy.is_read_only());
        for tier in [Tier::Read, Tier::Write, Tier::Delete] {
            prop_assert!(policy.permit(tier).is_err() || ceiling.permit(tier).is_ok());
        }
        for toolset in ceiling.catalog() {
            prop_assert!(!policy.is_on(toolset.name) || ceiling.is_on(toolset.name));
            for tool in toolset.tools {
                prop_assert!(!policy.shows(toolset.name, tool) || ceiling.shows(toolset.name, tool));
                prop_assert!(!policy.names(tool.name) || ceiling.names(tool.name));
            }
        }
        let resources = |policy: &Policy| -> BTreeSet<&str> {
            policy.resources().map(|resource| resource.template).collect()
        };
        prop_assert!(resources(&policy).is_subset(&resources(&ceiling)));
        // Applying the same scope again changes nothing.
        let twice = policy.narrowed(&grants, instances.default().unwrap(), &Narrowing::default(), Fixed::default());
        for (toolset, tool) in ceiling.catalog().iter().flat_map(|t| t.tools.iter().map(move |tool| (t.name, tool))) {
            prop_assert!(!twice.shows(toolset, tool) || policy.shows(toolset, tool));
        }
    }
}
