//! Compatibility with the official local server of Octopus: every tool is callable under all its
//! former names with its former arguments. `official.txt` lists those tools.

use octopus_mcp::{
    app,
    config::Config,
    tool::{Catalog, Entry},
};
use octopus_sample::Sample;
use serde_json::{Map, Value, json};

use crate::support::{Era, TestServer};

struct OfficialTool {
    name: &'static str,
    toolset: &'static str,
    effect: &'static str,
    arguments: Vec<OfficialArgument>,
}

struct OfficialArgument {
    name: &'static str,
    required: bool,
    kind: &'static str,
}

fn official_tools() -> Vec<OfficialTool> {
    let lines = include_str!("official.txt").lines();
    let tools: Vec<OfficialTool> = lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let [name, _, toolset, effect, arguments] = parts.as_slice() else {
                panic!("{line}");
            };
            let arguments = arguments.split_whitespace().map(|written| {
                let (name, kind) = written.split_once(':').unwrap();
                let required = name.ends_with('*');
                OfficialArgument { name: name.trim_end_matches('*'), required, kind }
            });
            OfficialTool { name, toolset, effect, arguments: arguments.collect() }
        })
        .collect();
    assert_eq!(tools.len(), 52);
    tools
}

fn all_tools_config() -> Config {
    let mut config = Config::default();
    config.tools.read_only = false;
    config.tools.allow_deletes = true;
    config
}

/// Returns a value of the argument's type. Most tools then reject its content.
fn sample_value(argument: &OfficialArgument) -> Value {
    match (argument.name, argument.kind) {
        ("spaceName" | "space", _) => json!("Default"),
        ("method", _) => json!("GET"),
        ("variableType", _) => json!("all"),
        (_, "switch") => json!(true),
        (_, "number") => json!(1),
        (_, "texts") => json!(["nobody"]),
        (_, "map") => json!({ "nobody": "x" }),
        (_, "objects") => json!([{ "deploymentEnvironmentId": "nobody", "isEnabled": true }]),
        _ => json!("nobody"),
    }
}

fn find_serving_tool<'a>(
    catalog: &'a Catalog,
    tool: &OfficialTool,
    arguments: &Map<String, Value>,
) -> &'a Entry {
    let found = catalog.resolve(tool.name, arguments);
    found.unwrap_or_else(|| panic!("nothing serves {}", tool.name))
}

#[test]
fn official_tools_keep_toolset_and_effect() {
    let catalog = app::catalog();
    for tool in official_tools() {
        let model = &find_serving_tool(&catalog, &tool, &Map::new()).model;
        assert_eq!(
            find_serving_tool(&catalog, &tool, &Map::new()).toolset,
            tool.toolset,
            "{}",
            tool.name
        );
        let hints = model.annotations.as_ref().unwrap();
        let expected = match tool.effect {
            "reads" => (Some(true), Some(false), Some(true)),
            "adds" => (Some(false), Some(false), Some(false)),
            _ => (Some(false), Some(true), Some(false)),
        };
        let found = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint);
        assert_eq!(found, expected, "{}", tool.name);
        assert_eq!(hints.open_world_hint, Some(false), "{}", tool.name);
    }
}

/// Two names for one tool would waste model context, so the newer name is an alias.
#[test]
fn latest_official_names_are_listed_except_duplicates() {
    let config = all_tools_config();
    let (catalog, policy) = (app::catalog(), app::tool_access(&config).unwrap());
    let listed: Vec<&str> = catalog.visible(&policy).map(|entry| entry.metadata.name).collect();
    let unlisted: Vec<&str> = official_tools()
        .iter()
        .map(|tool| tool.name)
        .filter(|name| !listed.contains(name))
        .collect();
    let aliases = [
        "find_releases",
        "find_tenants",
        "list_deployment_targets",
        "get_deployment_target",
        "list_certificates",
        "get_certificate",
        "list_accounts",
        "get_account",
    ];
    assert_eq!(unlisted, aliases);
}

/// Returns the error message of a call that fails.
async fn error_or_empty(
    server: &TestServer,
    tool: &OfficialTool,
    arguments: &Map<String, Value>,
) -> String {
    let params = json!({ "name": tool.name, "arguments": arguments });
    let reply = server.rpc(Era::Legacy, "tools/call", params).await;
    let json = reply.json();
    assert!(json.get("error").is_none(), "{}: {json}", tool.name);
    json["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn official_arguments_are_accepted_and_sufficient() {
    let server =
        TestServer::with_sample(Sample::new(), |config| config.tools = all_tools_config().tools)
            .await;
    for tool in official_tools() {
        let required: Map<String, Value> = tool
            .arguments
            .iter()
            .filter(|argument| argument.required)
            .map(|argument| (argument.name.to_owned(), sample_value(argument)))
            .collect();
        // Events are searched in one space. The argument list cannot express this requirement.
        let mut required = required;
        if tool.name == "find_events" {
            required.insert("mode".to_owned(), json!("listCategories"));
        }
        let message = error_or_empty(&server, &tool, &required).await;
        assert!(!message.contains("is required"), "{}: {message}", tool.name);
        assert!(!message.contains("unknown argument"), "{}: {message}", tool.name);
        for argument in tool.arguments.iter().filter(|argument| !argument.required) {
            let mut arguments = required.clone();
            arguments.insert(argument.name.to_owned(), sample_value(argument));
            // This combination of arguments was never valid.
            if (tool.name, argument.name) == ("find_releases", "searchByVersion") {
                arguments.insert("projectId".to_owned(), json!("nobody"));
            }
            let message = error_or_empty(&server, &tool, &arguments).await;
            for refusal in ["unknown argument", "invalid type", "unknown field", "is given twice"] {
                assert!(!message.contains(refusal), "{}.{}: {message}", tool.name, argument.name);
            }
        }
    }
    assert_eq!(server.sample.changes(), []);
}
