//! Agreement of the server, `explain_access` and `policy test` on the same calls.

use std::fmt::Write as _;

use octopus_mcp::config::{AuthMode, AuthModes, Config, ListSetting, Secret, TokenSettings};
use octopus_sample::keys;
use serde_json::{Map, Value, json};

use super::set_rules;
use crate::{
    audit::read_records,
    auth::{
        call_with_token,
        tokens::{AGENT_TOKEN, OTHER_TOKEN, sha256_hex},
    },
    cli::program,
    support::TestServer,
};

/// The callers: name, token and groups.
const CALLERS: [(&str, &str, &[&str]); 2] =
    [("build-agent", AGENT_TOKEN, &["agents"]), ("alice", OTHER_TOKEN, &["people", "leads"])];

/// Conditions of generated rules, with their possible values.
const CONDITIONS: &[(&str, &[&[&str]])] = &[
    ("environments", &[&["Production"], &["Stag*"], &["*", "!Dev*"], &["Environments-2"]]),
    ("environment_tags", &[&["Stage/Live"], &["!stage/live"]]),
    ("risks", &[&["high"], &["medium"], &["low", "medium"], &["read", "high"]]),
    ("projects", &[&["Parcel*"], &["Driver App Backend"]]),
    ("project_groups", &[&["customer platform"], &["!Customer Platform"]]),
    ("tenants", &[&["Brightwater*"], &["*"]]),
    ("tenant_tags", &[&["Tier/Gold"]]),
    ("spaces", &[&["default"], &["Warehouse*"]]),
    ("groups", &[&["agents"], &["people"], &["!agents"]]),
    ("callers", &[&["build-agent"], &["alice"]]),
    ("tools", &[&["deploy_*"], &["run_runbook", "create_release"]]),
    ("tiers", &[&["read", "write"], &["write"]]),
];

/// A call, as it is sent to the server and as it is described.
struct Call {
    tool: &'static str,
    arguments: Value,
    project: &'static str,
    group: &'static str,
    environment: Option<(&'static str, &'static str)>,
    tenant: Option<(&'static str, &'static [&'static str])>,
}

fn calls() -> Vec<Call> {
    let parcel = ("Parcel Tracking API", "Customer Platform");
    let mut calls: Vec<Call> = [("Development", ""), ("Staging", ""), ("Production", "Stage/Live")]
        .into_iter()
        .map(|environment| Call {
            tool: "deploy_release",
            arguments: json!({ "space": "Default", "projectName": parcel.0,
                "releaseVersion": "1.11.7", "environmentNames": [environment.0] }),
            project: parcel.0,
            group: parcel.1,
            environment: Some(environment),
            tenant: None,
        })
        .collect();
    calls.push(Call {
        tool: "deploy_release",
        arguments: json!({ "space": "Default", "projectName": "Driver App Backend",
            "releaseVersion": "0.36.0", "environmentNames": ["Staging"], "tenants": ["Tenants-1"] }),
        project: "Driver App Backend",
        group: parcel.1,
        environment: Some(("Staging", "")),
        tenant: Some(("Brightwater Couriers", &["Region/APAC", "Tier/Gold"])),
    });
    calls.push(Call {
        tool: "run_runbook",
        arguments: json!({ "space": "Default", "projectName": parcel.0,
            "runbookName": "restart-tracking-workers", "environmentNames": ["Production"] }),
        project: parcel.0,
        group: parcel.1,
        environment: Some(("Production", "Stage/Live")),
        tenant: None,
    });
    calls.push(Call {
        tool: "list_releases_for_project",
        arguments: json!({ "space": "Default", "projectId": parcel.0 }),
        project: parcel.0,
        group: parcel.1,
        environment: None,
        tenant: None,
    });
    calls
}

/// A linear congruential generator, so that failures can be repeated.
struct Generator(u64);

impl Generator {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn rule(&mut self, number: usize) -> Value {
        let effect = ["allow", "confirm", "deny"][self.below(3)];
        let mut rule = Map::new();
        rule.insert("name".to_owned(), json!(format!("rule {number}")));
        rule.insert("effect".to_owned(), json!(effect));
        if effect == "confirm" && self.below(2) == 0 {
            rule.insert("type".to_owned(), json!("environment"));
        }
        for _ in 0..=self.below(3) {
            let (condition, values) = CONDITIONS[self.below(CONDITIONS.len())];
            rule.insert(condition.to_owned(), json!(values[self.below(values.len())]));
        }
        Value::Object(rule)
    }
}

/// The effect, rule and risk of a call, and the word to type if it is stated.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    effect: String,
    rule: Option<String>,
    risk: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn enable_callers(config: &mut Config) {
    config.tools.read_only = false;
    config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens]));
    config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    for (name, token, groups) in CALLERS {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let settings = TokenSettings {
            sha256: sha256_hex(token),
            groups: ListSetting(groups),
            scope: octopus_mcp::auth::TokenScope::Deploy,
            ..TokenSettings::default()
        };
        config.auth.tokens.insert(name.to_owned(), settings);
    }
}

/// Returns the settings file of [`enable_callers`] with these rules.
fn settings_file(rules: &[Value]) -> String {
    let mut file = "[octopus]\nurl = \"https://octopus.example.com\"\n[tools]\nread_only = false\n\
                    [auth]\nmode = \"tokens\"\n"
        .to_owned();
    for (name, token, groups) in CALLERS {
        let (hash, groups) = (sha256_hex(token), json!(groups));
        let _ = writeln!(
            file,
            "[auth.tokens.{name}]\nsha256 = \"{hash}\"\ngroups = {groups}\nscope = \"deploy\""
        );
    }
    for rule in rules {
        file.push_str("[[policy.rules]]\n");
        for (key, value) in rule.as_object().unwrap() {
            let _ = writeln!(file, "{key} = {value}");
        }
    }
    file
}

/// Runs `policy test` and returns its output.
fn policy_test(file: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let config = format!("--config={}", path.display());
    let output = program(&[&["policy", "test", &config], arguments].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn field<'o>(output: &'o str, name: &str) -> &'o str {
    let line = output.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {output}")).trim()
}

/// Returns the decision in the output of `policy test`, and the word to type.
fn judged_by_command(output: &str) -> (Judged, Option<String>) {
    let effect = field(output, "effect:");
    let typed = effect.split_once("must type '").map(|(_, word)| word.trim_end_matches("')"));
    let rule = Some(field(output, "rule:")).filter(|rule| !rule.starts_with("no rule matches"));
    let judged = Judged {
        effect: effect.split(' ').next().unwrap().to_owned(),
        rule: rule.map(str::to_owned),
        risk: field(output, "risk:").to_owned(),
    };
    (judged, typed.map(str::to_owned))
}

fn judged_in(object: &Value) -> Judged {
    let rule = object["rule"].as_str().map(str::to_owned);
    Judged { effect: text(&object["effect"]), rule, risk: text(&object["risk"]) }
}

fn command_arguments(call: &Call, caller: &str) -> Vec<String> {
    let mut arguments = vec![
        format!("--tool={}", call.tool),
        format!("--caller={caller}"),
        "--space=Default".to_owned(),
        format!("--project={}", call.project),
        format!("--project-group={}", call.group),
    ];
    if let Some((name, tag)) = call.environment {
        arguments.extend([format!("--environment={name}"), format!("--environment-tag={tag}")]);
    }
    if let Some((name, tags)) = call.tenant {
        arguments.push(format!("--tenant={name}"));
        arguments.extend(tags.iter().map(|tag| format!("--tenant-tag={tag}")));
    }
    arguments
}

#[tokio::test]
async fn server_explain_access_and_policy_test_agree() {
    let mut generator = Generator(15);
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..6 {
        let rules: Vec<Value> = (1..=5).map(|number| generator.rule(number)).collect();
        let folder = tempfile::tempdir().unwrap();
        let audit = folder.path().join("audit.jsonl");
        let mut server = TestServer::with(|config| {
            enable_callers(config);
            set_rules(config, &json!(rules));
            config.audit.file.path = Some(audit.clone());
        })
        .await;
        let file = settings_file(&rules);
        let mut explained = Vec::new();
        for (name, token, _) in CALLERS {
            for call in calls() {
                call_with_token(&server, token, call.tool, &call.arguments).await;
                let arguments = json!({
                    "tool": call.tool, "spaceName": "Default", "project": call.project,
                    "environment": call.environment.map(|(name, _)| name),
                    "tenant": call.tenant.map(|(name, _)| name),
                });
                let reply = call_with_token(&server, token, "explain_access", &arguments).await;
                let decision = reply.json()["result"]["structuredContent"]["decision"].clone();
                let word = decision["wordToType"].as_str().map(str::to_owned);
                let by_tool = (judged_in(&decision), word);
                let arguments = command_arguments(&call, name);
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let by_command = judged_by_command(&policy_test(&file, &arguments));
                assert_eq!(by_tool, by_command, "{round} {arguments:?} {rules:#?} {}", reply.text);
                explained.push((format!("{arguments:?}"), by_tool.0));
            }
        }
        server.running.take().unwrap().stop().await;
        let records = read_records(&audit);
        let decided = records.iter().filter(|record| record["tool"] != "explain_access");
        let decided: Vec<Judged> = decided.map(judged_in).collect();
        assert_eq!(decided.len(), explained.len());
        for (server, (arguments, explained)) in decided.into_iter().zip(explained) {
            // Without rules about reads, the server does not evaluate reads.
            if !server.effect.is_empty() {
                assert_eq!(server, explained, "{round} {arguments} {rules:#?}");
                seen.insert(server.effect);
            }
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Returns the decisions of `explain_access` and `policy test` on the same description.
async fn both(rules: Value, arguments: Value, command: &[&str]) -> [(Judged, Option<String>); 2] {
    let server = TestServer::with(|config| {
        enable_callers(config);
        set_rules(config, &rules);
    })
    .await;
    let reply = call_with_token(&server, AGENT_TOKEN, "explain_access", &arguments).await;
    let decision = &reply.json()["result"]["structuredContent"]["decision"];
    let by_tool = (judged_in(decision), decision["wordToType"].as_str().map(str::to_owned));
    let file = settings_file(rules.as_array().unwrap());
    let arguments = [&["--caller=build-agent"], command].concat();
    [by_tool, judged_by_command(&policy_test(&file, &arguments))]
}

#[tokio::test]
async fn policy_test_uses_the_groups_of_a_configured_token() {
    let rules = json!([{ "name": "no agents", "effect": "deny", "groups": ["agents"] }]);
    let [by_tool, by_command] =
        both(rules, json!({ "tool": "deploy_release" }), &["--tool=deploy_release"]).await;
    assert_eq!(by_command.0.effect, "deny");
    assert_eq!(by_tool, by_command);
}

#[tokio::test]
async fn omitted_environment_has_an_unknown_high_risk() {
    let rules = json!([{ "name": "risky", "effect": "deny", "risks": ["high"] }]);
    for tool in ["deploy_release", "create_release"] {
        let option = format!("--tool={tool}");
        let [by_tool, by_command] = both(rules.clone(), json!({ "tool": tool }), &[&option]).await;
        let expected = Judged {
            effect: "deny".to_owned(),
            rule: Some("risky".to_owned()),
            risk: "high".to_owned(),
        };
        assert_eq!(by_command.0, expected, "{tool}");
        assert_eq!(by_tool, by_command, "{tool}");
    }
    let file = settings_file(rules.as_array().unwrap());
    let nowhere = policy_test(&file, &["--tool=create_release", "--environment="]);
    assert_eq!((field(&nowhere, "effect:"), field(&nowhere, "risk:")), ("allow", "low"));
}

#[tokio::test]
async fn omitted_environment_matches_rules_about_environments() {
    let rules = json!([{ "name": "closed", "effect": "deny", "environments": ["Production"] }]);
    let [by_tool, by_command] =
        both(rules, json!({ "tool": "deploy_release" }), &["--tool=deploy_release"]).await;
    assert_eq!(by_command.0.effect, "deny");
    assert_eq!(by_tool, by_command);
}

#[tokio::test]
async fn word_to_type_is_never_the_name_of_the_rule() {
    let rules = json!([{ "name": "prod", "effect": "confirm", "type": "environment",
        "risks": ["high"] }]);
    let described = json!({ "tool": "deploy_release", "spaceName": "Default",
        "project": "Parcel Tracking API" });
    for (arguments, command) in [
        (json!({ "tool": "deploy_release" }), &["--tool=deploy_release"][..]),
        (described, &["--tool=deploy_release", "--space=Default", "--project=Parcel Tracking API"]),
    ] {
        let [by_tool, by_command] = both(rules.clone(), arguments, command).await;
        assert_eq!(by_tool.1.as_deref(), Some("<name of the environment>"));
        assert_eq!(by_tool, by_command);
    }
}

#[test]
fn policy_test_does_not_guess_tags_and_names_of_ids() {
    let deploy = "--tool=deploy_release";
    for (condition, options, effect) in [
        (json!({ "environment_tags": ["Stage/Live"] }), vec!["--environment=Ring 3"], "deny"),
        (
            json!({ "environment_tags": ["Stage/Live"] }),
            vec!["--environment=Ring 3", "--environment-tag="],
            "allow",
        ),
        (json!({ "environments": ["Production"] }), vec!["--environment=Environments-3"], "deny"),
        (json!({ "environments": ["Production"] }), vec!["--environment="], "allow"),
        (json!({ "tenants": ["*"] }), vec![], "allow"),
        (json!({ "tenants": ["*"] }), vec!["--tenant=?"], "deny"),
    ] {
        let mut rule = condition.clone();
        (rule["name"], rule["effect"]) = (json!("r"), json!("deny"));
        let output = policy_test(&settings_file(&[rule]), &[&[deploy], &options[..]].concat());
        assert_eq!(field(&output, "effect:"), effect, "{condition} {options:?}: {output}");
    }
}

#[test]
fn policy_test_names_denials_before_the_policy() {
    let file = settings_file(&[]).replace("read_only = false", "read_only = true");
    let output = policy_test(&file, &["--tool=deploy_release"]);
    assert!(field(&output, "note:").contains("tools.read_only = false"), "{output}");
    let file = settings_file(&[]).replace("scope = \"deploy\"", "scope = \"read\"");
    let output = policy_test(&file, &["--tool=deploy_release", "--caller=alice"]);
    assert!(field(&output, "note:").contains("requires the scope octopus:deploy"), "{output}");
    let output = policy_test(&settings_file(&[]), &["--tool=deploy_release", "--caller=alice"]);
    assert!(!output.contains("note:"), "{output}");
}
