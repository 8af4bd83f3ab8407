//! What a caller is granted, and that every layer only takes away.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use octopus_mcp::{
    app,
    callers::{Caller, Grants, Scope, Who},
    config::Config,
    mcp::{NotServed, Offering, Request, Tools},
    octopus::{Credentials, Instances},
    sample::{Sample, keys},
    telemetry::Metrics,
    tool::{Fixed, Hidden, Narrowing, Policy, Tier},
};
use proptest::prelude::*;
use rmcp::model::{CallToolRequestParams, CallToolResponse, ClientCapabilities, ProtocolVersion};
use serde_json::{Value, json};

use crate::support::serve;

/// The offering itself, for callers whose grants no way of knowing callers here gives.
struct Direct {
    tools: Tools,
    _octopus: Vec<octopus_mcp::http::Listening>,
}

fn direct(names: &[&str], change: impl FnOnce(&mut Config)) -> Direct {
    let mut config = Config::default();
    let octopus: Vec<_> = names.iter().map(|_| serve(Sample::new().router())).collect();
    for (name, octopus) in names.iter().zip(&octopus) {
        let instance = octopus_mcp::config::Instance {
            url: Some(format!("http://{}", octopus.address).parse().unwrap()),
            default: *name == names[0],
            ..octopus_mcp::config::Instance::default()
        };
        config.instances.insert((*name).to_owned(), instance);
    }
    change(&mut config);
    Direct { tools: app::tools(&config, &Metrics::default()).unwrap(), _octopus: octopus }
}

fn caller(grants: Grants) -> Caller {
    let own = Credentials::api_key(keys::ADMIN).unwrap();
    let who = Who { grants, ..Who::of_octopus(&own) };
    Caller { who: Arc::new(who), own: Some(own), token: None }
}

fn request(grants: Grants, narrowing: Narrowing) -> Request {
    Request {
        caller: caller(grants),
        narrowing,
        client: None,
        id: None,
        trace: None,
        capabilities: ClientCapabilities::default(),
        version: ProtocolVersion::V_2026_07_28,
        can_ask: false,
        progress: None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "grants are optional")]
fn words(words: &[&str]) -> Option<BTreeSet<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

impl Direct {
    async fn names(&self, grants: Grants) -> BTreeSet<String> {
        let tools = Box::pin(self.tools.tools(request(grants, Narrowing::default()))).await;
        tools.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    async fn call(&self, grants: Grants, tool: &'static str, arguments: Value) -> (bool, String) {
        let Value::Object(arguments) = arguments else { panic!("no object") };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        match Box::pin(self.tools.call(params, request(grants, Narrowing::default()))).await {
            Ok(CallToolResponse::Complete(result)) => {
                let json = serde_json::to_value(&result).unwrap();
                let text = json["content"][0]["text"].as_str().unwrap().to_owned();
                (result.is_error != Some(true), text)
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => (false, error.message.into_owned()),
        }
    }
}

#[tokio::test]
async fn a_scope_and_granted_toolsets_hide_tools_and_refuse_calls() {
    let server = direct(&["warehouse"], |config| config.tools.read_only = false);
    let whole = server.names(Grants::default()).await;
    let read = Grants { scope: Scope::Read, ..Grants::default() };
    let readable = server.names(read.clone()).await;
    assert!(whole.contains("create_release") && !readable.contains("create_release"));
    assert!(readable.is_subset(&whole));
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/releases", "body": {} });
    let (done, said) = server.call(read, "execute", post).await;
    assert!(!done && said.contains("it takes the scope octopus:deploy"), "{said}");
    let tasks = Grants { toolsets: words(&["tasks"]), ..Grants::default() };
    let listed = server.names(tasks.clone()).await;
    assert!(listed.contains("get_task_raw") && !listed.contains("list_projects"));
    let arguments = json!({ "space": "Default" });
    let (done, said) = server.call(tasks, "list_projects", arguments).await;
    assert_eq!((done, said.as_str()), (false, "unknown tool: list_projects"));
}

#[tokio::test]
async fn only_granted_instances_are_there() {
    let server = direct(&["warehouse", "shop", "yard"], |_| {});
    let grants = Grants { instances: words(&["shop", "yard"]), ..Grants::default() };
    let admits = |instance: Option<&str>| {
        let narrowing = Narrowing { instance: instance.map(str::to_owned), ..Narrowing::default() };
        server.tools.admits(&caller(grants.clone()), &narrowing)
    };
    assert_eq!(admits(Some("shop")), Ok(()));
    for other in [None, Some("warehouse"), Some("nowhere")] {
        let Err(NotServed::Missing(said)) = admits(other) else { panic!("{other:?}") };
        assert!(said.contains("there are: shop, yard."), "{said}");
    }
}

#[tokio::test]
async fn only_granted_spaces_are_entered_listed_and_reached() {
    let server = direct(&["warehouse"], |_| {});
    let grants = || Grants { spaces: words(&["default"]), ..Grants::default() };
    for (tool, arguments, part) in [
        ("list_projects", json!({ "space": "Spaces-1" }), "Route Planner"),
        ("list_spaces", json!({}), "\"Default\""),
        ("execute", json!({ "method": "GET", "path": "/api/Spaces-1/projects" }), "Projects-2"),
        (
            "execute",
            json!({ "method": "GET", "path": "/api/spaces/default/projects" }),
            "one space",
        ),
        ("read_resource", json!({ "uri": "octopus://spaces/Default" }), "Spaces-1"),
    ] {
        let (_, said) = server.call(grants(), tool, arguments).await;
        assert!(said.contains(part), "{tool}: {said}");
        assert!(!said.contains("Warehouse Systems"), "{tool}: {said}");
    }
    for (tool, arguments) in [
        ("list_projects", json!({ "space": "Warehouse Systems" })),
        ("list_projects", json!({ "space": "Spaces-22" })),
        ("list_projects", json!({ "space": "Nowhere" })),
        ("execute", json!({ "method": "GET", "path": "/api/Spaces-22/projects" })),
        ("read_resource", json!({ "uri": "octopus://spaces/Spaces-22" })),
    ] {
        let (done, said) = server.call(grants(), tool, arguments).await;
        assert!(!done && said.contains("you are granted: default"), "{tool}: {said}");
    }
    let all = json!({ "method": "GET", "path": "/api/spaces" });
    let (done, said) = server.call(grants(), "execute", all).await;
    assert!(!done, "{said}");
    let resources = server.tools.resources(request(grants(), Narrowing::default())).await.unwrap();
    let uris: Vec<_> = resources.iter().map(|resource| resource.uri.as_str()).collect();
    assert!(uris.contains(&"octopus://spaces/Default"), "{uris:?}");
    assert!(!uris.iter().any(|uri| uri.contains("Warehouse")), "{uris:?}");
}

/// Every layer says who can change it.
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
        (app::policy(&tasks_only).unwrap(), "list_projects", "`projects` is off", "tools.toolsets"),
        (default, "create_release", "does not allow tools that change", "tools.read_only"),
        (
            ceiling.narrowed(&all, read_only, &none, Fixed::default()),
            "create_release",
            "at the instance 'default'",
            "read_only = false",
        ),
        (
            granted(&Grants { scope: Scope::Read, ..Grants::default() }),
            "create_release",
            "octopus:deploy",
            "gives out your token",
        ),
        (
            granted(&Grants { toolsets: words(&["tasks"]), ..Grants::default() }),
            "list_projects",
            "not granted the toolset",
            "what you are granted",
        ),
        (
            asked(&Narrowing { toolsets: list(&["tasks"]), ..Narrowing::default() }),
            "list_projects",
            "other toolsets",
            "X-MCP-Toolsets",
        ),
        (
            asked(&Narrowing { tools: list(&["list_spaces"]), ..Narrowing::default() }),
            "list_projects",
            "other tools",
            "X-MCP-Tools",
        ),
        (
            asked(&Narrowing {
                exclude: list(&["list_projects"]).unwrap(),
                ..Narrowing::default()
            }),
            "list_projects",
            "leave the tool out",
            "X-MCP-Exclude-Tools",
        ),
        (
            asked(&Narrowing { read_only: true, ..Narrowing::default() }),
            "create_release",
            "nothing is changed",
            "X-MCP-Readonly",
        ),
        (
            held(Fixed { space: true, ..Fixed::default() }),
            "list_spaces",
            "the space is fixed",
            "address without it",
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

/// One instance that can be changed, and one that is read-only.
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
    fn narrowing_only_ever_shrinks(
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
        // Narrowed again, it is no more.
        let twice = policy.narrowed(&grants, instances.default().unwrap(), &Narrowing::default(), Fixed::default());
        for (toolset, tool) in ceiling.catalog().iter().flat_map(|t| t.tools.iter().map(move |tool| (t.name, tool))) {
            prop_assert!(!twice.shows(toolset, tool) || policy.shows(toolset, tool));
        }
    }
}
