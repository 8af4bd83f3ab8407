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

struct Tool {
    name: &'static str,
    toolset: &'static str,
    effect: &'static str,
    arguments: Vec<Argument>,
}

struct Argument {
    name: &'static str,
    required: bool,
    kind: &'static str,
}

fn official() -> Vec<Tool> {
    let lines = include_str!("official.txt").lines();
    let tools: Vec<Tool> = lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let [name, _, toolset, effect, arguments] = parts.as_slice() else {
                panic!("{line}");
            };
            let arguments = arguments.split_whitespace().map(|written| {
                let (name, kind) = written.split_once(':').unwrap();
                let required = name.ends_with('*');
                Argument { name: name.trim_end_matches('*'), required, kind }
            });
            Tool { name, toolset, effect, arguments: arguments.collect() }
        })
        .collect();
    assert_eq!(tools.len(), 52);
    tools
}

fn all() -> Config {
    let mut config = Config::default();
    config.tools.read_only = false;
    config.tools.allow_deletes = true;
    config
}

/// Returns a value of the argument's type. Most tools then reject its content.
fn value(argument: &Argument) -> Value {
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

fn serving<'a>(catalog: &'a Catalog, tool: &Tool, arguments: &Map<String, Value>) -> &'a Entry {
    let found = catalog.serving(tool.name, arguments);
    found.unwrap_or_else(|| panic!("nothing serves {}", tool.name))
}

#[test]
fn every_tool_is_served_from_its_toolset_and_does_no_more_than_it_did() {
    let catalog = app::catalog();
    for tool in official() {
        let model = &serving(&catalog, &tool, &Map::new()).model;
        assert_eq!(serving(&catalog, &tool, &Map::new()).toolset, tool.toolset, "{}", tool.name);
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

/// Two names for one tool waste model context, so the newer one is an alias.
#[test]
fn the_last_versions_names_are_listed_but_where_two_mean_one_thing() {
    let config = all();
    let (catalog, policy) = (app::catalog(), app::policy(&config).unwrap());
    let listed: Vec<&str> = catalog.shown(&policy).map(|entry| entry.definition.name).collect();
    let unlisted: Vec<&str> =
        official().iter().map(|tool| tool.name).filter(|name| !listed.contains(name)).collect();
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
async fn said(server: &TestServer, tool: &Tool, arguments: &Map<String, Value>) -> String {
    let params = json!({ "name": tool.name, "arguments": arguments });
    let reply = server.ask(Era::Legacy, "tools/call", params).await;
    let json = reply.json();
    assert!(json.get("error").is_none(), "{}: {json}", tool.name);
    json["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_argument_is_taken_and_none_beside_is_required() {
    let server = TestServer::on(Sample::new(), |config| config.tools = all().tools).await;
    for tool in official() {
        let required: Map<String, Value> = tool
            .arguments
            .iter()
            .filter(|argument| argument.required)
            .map(|argument| (argument.name.to_owned(), value(argument)))
            .collect();
        // A requirement that no argument list can express: events are searched in one space.
        let mut required = required;
        if tool.name == "find_events" {
            required.insert("mode".to_owned(), json!("listCategories"));
        }
        let words = said(&server, &tool, &required).await;
        assert!(!words.contains("is required"), "{}: {words}", tool.name);
        assert!(!words.contains("unknown argument"), "{}: {words}", tool.name);
        for argument in tool.arguments.iter().filter(|argument| !argument.required) {
            let mut arguments = required.clone();
            arguments.insert(argument.name.to_owned(), value(argument));
            // The only combination of arguments that was never valid.
            if (tool.name, argument.name) == ("find_releases", "searchByVersion") {
                arguments.insert("projectId".to_owned(), json!("nobody"));
            }
            let words = said(&server, &tool, &arguments).await;
            for refusal in ["unknown argument", "invalid type", "unknown field", "is given twice"] {
                assert!(!words.contains(refusal), "{}.{}: {words}", tool.name, argument.name);
            }
        }
    }
    assert_eq!(server.sample.changes(), []);
}
