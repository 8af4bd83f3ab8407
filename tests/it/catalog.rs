//! Rules for all tools: names, descriptions, schemas, annotations, files and listing size.

use std::{collections::BTreeSet, fs, path::Path};

use octopus_mcp::{
    access::PinnedArguments,
    app,
    config::Config,
    policy::Tier,
    tool::{Catalog, Entry},
};
use serde_json::Value;

/// Returns settings that enable all tools.
pub fn all_tools_config() -> Config {
    let mut config = Config::default();
    config.tools.read_only = false;
    config.tools.allow_deletes = true;
    // `list_instances` requires several instances.
    for name in ["one", "other"] {
        config.instances.insert(name.to_owned(), octopus_mcp::config::InstanceSettings::default());
    }
    config
}

fn for_each_tool(check: impl Fn(&Entry, &Value)) {
    let config = all_tools_config();
    let (catalog, policy) = (app::catalog(), app::tool_access(&config).unwrap());
    let mut seen = 0;
    for entry in catalog.visible(&policy) {
        let model = serde_json::to_value(&entry.model).unwrap();
        check(entry, &model);
        seen += 1;
    }
    assert!(seen >= 16, "{seen}");
}

/// Clients depend on the names of the tools of the first version.
#[test]
fn tools_of_the_first_version_keep_their_names() {
    let config = Config::default();
    let (catalog, policy) = (app::catalog(), app::tool_access(&config).unwrap());
    for (toolset, name) in [
        ("core", "list_spaces"),
        ("core", "list_environments"),
        ("projects", "list_projects"),
        ("deployments", "list_deployments"),
        ("deployments", "get_latest_deployment"),
        ("releases", "get_release_by_id"),
        ("releases", "list_releases"),
        ("releases", "list_releases_for_project"),
        ("tasks", "get_task_by_id"),
        ("tasks", "get_task_details"),
        ("tasks", "get_task_raw"),
        ("tenants", "list_tenants"),
        ("tenants", "get_tenant_by_id"),
        ("tenants", "get_tenant_variables"),
        ("tenants", "get_missing_tenant_variables"),
        ("kubernetes", "get_kubernetes_live_status"),
    ] {
        let listed = catalog.visible(&policy).find(|entry| entry.metadata.name == name);
        assert_eq!(listed.map(|entry| entry.toolset), Some(toolset), "{name}");
    }
}

#[test]
fn tool_names_are_unique_short_and_start_with_a_verb() {
    let mut names = BTreeSet::new();
    let names = std::cell::RefCell::new(&mut names);
    for_each_tool(|entry, _| {
        let name = entry.metadata.name;
        assert!(names.borrow_mut().insert(name), "{name} is not unique");
        assert!(name.len() <= 40, "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        let verb = name.split('_').next().unwrap();
        let verbs = [
            "list", "find", "get", "grep", "read", "create", "update", "deploy", "run", "submit",
            "execute", "explain",
        ];
        assert!(verbs.contains(&verb), "{name} does not start with a known verb");
    });
}

#[test]
fn tool_and_argument_descriptions_are_complete() {
    for_each_tool(|entry, model| {
        let name = entry.metadata.name;
        let description = model["description"].as_str().unwrap();
        assert!((20..1024).contains(&description.len()), "{name}: {description}");
        let verbs = [
            "Call", "Change", "Create", "Deploy", "Explain", "Find", "Get", "List", "Read", "Run",
            "Search",
        ];
        let verb = description.split(' ').next().unwrap();
        assert!(verbs.contains(&verb), "{name} does not begin with a known verb: {description}");
        assert!(description.ends_with('.'), "{name}: {description}");
        for (argument, schema) in model["inputSchema"]["properties"].as_object().unwrap() {
            if let Err(problem) = check_argument(argument, schema) {
                panic!("{name}.{argument}: {problem}: {schema}");
            }
        }
    });
}

/// Checks that the description of an argument is more than its name and states its limits.
fn check_argument(argument: &str, schema: &Value) -> Result<(), &'static str> {
    let description = schema["description"].as_str().unwrap_or_default();
    let Some(text) = description.strip_suffix('.') else { return Err("no full stop") };
    if text.contains('{') {
        return Err("a placeholder is not filled in");
    }
    if text.split(' ').count() < 2 {
        return Err("only one word");
    }
    // A list of allowed values also documents the format.
    let has_values = schema.to_string().contains("\"enum\":");
    if text.to_lowercase() == snake_case(argument).replace('_', " ") && !has_values {
        return Err("only repeats the name");
    }
    let is_line_number = argument.ends_with("Line");
    let has_limits = text.contains("default") || text.contains("max") || schema["maximum"].is_u64();
    if schema["type"] == "integer" && !is_line_number && !has_limits {
        return Err("neither default nor maximum");
    }
    let has_format = ["ID", "name", "Name", "e.g."].iter().any(|word| text.contains(word));
    if (argument.ends_with("Id") || argument.ends_with("Ids")) && !has_format {
        return Err("neither format nor example");
    }
    Ok(())
}

#[test]
fn schemas_are_plain_objects() {
    for_each_tool(|entry, model| {
        let name = entry.metadata.name;
        for schema in [&model["inputSchema"], &model["outputSchema"]] {
            assert_eq!(schema["type"], "object", "{name}");
            for combinator in ["anyOf", "oneOf", "allOf", "not", "$ref", "$defs"] {
                assert!(schema.get(combinator).is_none(), "{name}: {combinator}");
            }
            let text = schema.to_string();
            for unsupported in ["$ref", "$schema", "\"null\"", "uint32", "\"int64\""] {
                assert!(!text.contains(unsupported), "{name}: {unsupported} in {text}");
            }
        }
        assert!(model["outputSchema"]["properties"]["truncated"].is_object(), "{name}");
    });
}

#[test]
fn annotations_match_the_tier() {
    for_each_tool(|entry, model| {
        let is_read = entry.metadata.tier == Tier::Read;
        assert_eq!(model["annotations"]["readOnlyHint"], is_read);
        // Creating a release overwrites nothing; every other change can.
        let destructive = !is_read && entry.metadata.name != "create_release";
        assert_eq!(model["annotations"]["destructiveHint"], destructive);
        assert_eq!(model["annotations"]["idempotentHint"], is_read);
        assert_eq!(model["annotations"]["openWorldHint"], false);
        assert_eq!(model["title"], entry.metadata.title);
    });
}

#[test]
fn tools_take_a_space_unless_it_is_pinned() {
    let fixed = PinnedArguments { space: true, ..PinnedArguments::default() };
    for_each_tool(|entry, model| {
        let takes_space = model["inputSchema"]["properties"].get("space").is_some();
        // These tools do not depend on a space, or get it from a URL or path.
        let spaceless = [
            "list_instances",
            "list_spaces",
            "get_current_user",
            "explain_access",
            "get_task_from_url",
            "get_deployment_from_url",
            "grep_llms_txt",
            "execute",
            "read_resource",
        ];
        assert_eq!(
            takes_space,
            !spaceless.contains(&entry.metadata.name),
            "{}",
            entry.metadata.name
        );
        if takes_space {
            assert_eq!(model["inputSchema"]["required"][0], "space");
            let schema = serde_json::to_value(&entry.listing(fixed, true).input_schema).unwrap();
            assert!(schema["properties"].get("space").is_none());
            assert!(!schema["required"].to_string().contains("space"), "{schema}");
        }
    });
}

/// A tool is one file and two lines in the `mod.rs` of its toolset.
#[test]
fn every_tool_has_its_own_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/toolsets");
    for_each_tool(|entry, _| {
        let name = entry.metadata.name;
        let toolset = folder.join(snake_case(entry.toolset));
        assert!(toolset.join(format!("{name}.rs")).exists(), "{name} has no file");
        let list = fs::read_to_string(toolset.join("mod.rs")).unwrap();
        let lines = list.lines().map(str::trim).filter(|line| {
            *line == format!("mod {name};") || line.contains(&format!("::<{name}::"))
        });
        assert_eq!(lines.count(), 2, "{name} has two lines in {}", entry.toolset);
    });
    let catalog: Catalog = app::catalog();
    for toolset in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(&toolset).into_iter().flatten().map(|e| e.unwrap().path()) {
            // A folder is a module that tools share.
            if file.is_dir() {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            if ["impl Tool for", "impl WriteTool for"].iter().any(|part| text.contains(part)) {
                let name = file.file_stem().unwrap().to_str().unwrap();
                assert!(catalog.get(name).is_some(), "{} is not listed", file.display());
            }
        }
    }
}

/// Converts the name of a toolset (camel case) to the name of its folder (snake case).
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn listings_match_the_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/tools");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for_each_tool(|entry, model| insta::assert_json_snapshot!(entry.metadata.name, model));
    });
}

/// Returns the size of the listing in the context of a model: names, descriptions and input schemas
/// as compact JSON, in bytes.
pub fn listing_bytes(config: &Config) -> usize {
    let (catalog, policy) = (app::catalog(), app::tool_access(config).unwrap());
    let sizes = catalog.visible(&policy).map(|entry| {
        // Includes the header names of the latest protocol revision.
        let listed = entry.listing(policy.pinned(), true);
        let mut tool = serde_json::to_value(listed).unwrap();
        tool.as_object_mut()
            .unwrap()
            .retain(|key, _| ["name", "description", "inputSchema"].contains(&key.as_str()));
        tool.to_string().len()
    });
    sizes.sum()
}

/// Maximum average size of a tool in the listing, in bytes.
const MAX_BYTES_PER_TOOL: usize = 1_000;

#[test]
fn listing_stays_within_its_budget() {
    for config in [all_tools_config(), Config::default()] {
        let policy = app::tool_access(&config).unwrap();
        let tools = app::catalog().visible(&policy).count();
        let bytes = listing_bytes(&config);
        let max = tools * MAX_BYTES_PER_TOOL;
        assert!(bytes <= max, "{tools} tools have {bytes} bytes; the maximum is {max}");
    }
}

/// Truncation drops the last fields of larger objects (`src/tool/answer/truncate/shrink.rs`).
#[test]
fn output_objects_have_at_most_64_fields() {
    fn widest(schema: &Value) -> usize {
        let own = schema["properties"].as_object().map_or(0, serde_json::Map::len);
        let below: Vec<&Value> = match schema {
            Value::Object(object) => object.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        below.into_iter().map(widest).fold(own, usize::max)
    }
    for_each_tool(|entry, model| {
        let fields = widest(&model["outputSchema"]);
        assert!((1..=64).contains(&fields), "{}: {fields}", entry.metadata.name);
    });
}
