//! `get_tenant_variables` and `get_missing_tenant_variables`.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot};

fn names<'a>(answer: &'a Value, list: &str, key: &str) -> Vec<&'a str> {
    answer[list].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap_or("-")).collect()
}

async fn variables(server: &CheckedServer, kind: &str, missing: bool) -> Value {
    let arguments = json!({
        "space": "Default", "tenant": "Brightwater Couriers", "variableType": kind,
        "includeMissingVariables": missing,
    });
    server.call_ok("get_tenant_variables", arguments).await
}

#[tokio::test]
async fn returns_variables_by_kind() {
    let server = CheckedServer::start().await;
    let common = variables(&server, "common", false).await;
    assert_eq!(
        names(&common, "variables", "name"),
        ["Contact.OnCallEmail", "Billing.AccountNumber"]
    );
    assert_eq!(common["variables"][0]["libraryVariableSetName"], "Tenant Contact Details");
    assert!(common.get("missingVariables").is_none());
    let project = variables(&server, "project", false).await;
    assert!(names(&project, "variables", "kind").iter().all(|kind| *kind == "project"));
    let all = variables(&server, "all", true).await;
    let count = |answer: &Value| answer["variables"].as_array().unwrap().len();
    assert_eq!(count(&all), count(&common) + count(&project));
    let missing = all["missingVariables"].as_array().unwrap();
    let without_default: Vec<&Value> =
        missing.iter().filter(|variable| variable.get("defaultValue").is_none()).collect();
    assert_eq!(without_default.len(), 1);
    assert_eq!(without_default[0]["name"], "Tenant.Database.ConnectionString");
    assert_eq!(without_default[0]["environments"][0]["name"], "Staging");
    assert_snapshot("get_tenant_variables", &all);
}

#[tokio::test]
async fn never_shows_sensitive_values() {
    for version in ["2026.3.7314", "2024.4.1"] {
        let server = CheckedServer::with_version(version).await;
        let all = variables(&server, "all", true).await;
        let secret = |list: &str| {
            let list = all[list].as_array().unwrap();
            let name = "Tenant.Database.ConnectionString";
            list.iter().find(|variable| variable["name"] == name).cloned().unwrap()
        };
        let (given, missing) = (secret("variables"), secret("missingVariables"));
        assert_eq!((&given["isSensitive"], &given["hasValue"]), (&json!(true), &json!(true)));
        assert_eq!((&missing["isSensitive"], &missing["hasValue"]), (&json!(true), &json!(false)));
        assert!(given.get("value").is_none() && missing.get("value").is_none());
    }
}

#[tokio::test]
async fn missing_variables_show_their_default_and_no_value() {
    let server = CheckedServer::start().await;
    let all = variables(&server, "all", true).await;
    let missing = all["missingVariables"].as_array().unwrap();
    assert!(missing.iter().all(|variable| variable["hasValue"] == false), "{all}");
    assert!(missing.iter().all(|variable| variable.get("value").is_none()), "{all}");
    let zone = missing.iter().find(|variable| variable["name"] == "Contact.Timezone").unwrap();
    assert_eq!(zone["defaultValue"], "UTC");

    // The value that Octopus reports for a missing variable is its default, in every form.
    let variable = |n: usize, default: Value, value: Value| {
        json!({ "LibraryVariableSetId": "LibraryVariableSets-1", "TemplateId": format!("t{n}"),
                "Template": { "Id": format!("t{n}"), "Name": format!("T{n}"), "DefaultValue": default },
                "Value": value, "Scope": { "EnvironmentIds": [] } })
    };
    let wrapped = |is_sensitive: bool, value: Value, secret: Value| json!({ "IsSensitive": is_sensitive, "Value": value, "SensitiveValue": secret });
    let body = json!({ "Variables": [
        variable(10, json!(null), wrapped(false, json!("own"), json!(null))),
        variable(11, json!(null), wrapped(true, json!(null), json!({ "HasValue": true }))),
    ], "MissingVariables": [
        variable(0, json!(null), json!("reported")),
        variable(1, json!("template"), json!("template")),
        variable(2, json!(null), wrapped(false, json!("inner"), json!(null))),
        variable(3, json!(null), wrapped(true, json!(null), json!("secret-text"))),
        variable(4, json!(null), json!({ "HasValue": true, "NewValue": null })),
    ] });
    server.mock_response("commonvariables", &body);
    let common = variables(&server, "common", true).await;
    let defaults: Vec<_> = common["missingVariables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["defaultValue"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(defaults, ["reported", "template", "inner", "-", "-"]);
    assert!(
        common["missingVariables"]
            .as_array()
            .unwrap()
            .iter()
            .all(|variable| variable["hasValue"] == false && variable.get("value").is_none())
    );
    assert!(!common.to_string().contains("secret-text"), "{common}");
    let own = &common["variables"];
    assert_eq!((&own[0]["value"], &own[0]["hasValue"]), (&json!("own"), &json!(true)));
    assert_eq!((&own[1]["isSensitive"], &own[1]["hasValue"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn reads_tenant_variables_of_older_versions() {
    let (new, old) = (CheckedServer::start().await, CheckedServer::with_version("2024.4.1").await);
    for kind in ["common", "project", "all"] {
        let own = |answer: Value| {
            let variables = answer["variables"].as_array().unwrap().clone();
            let mut own: Vec<String> = variables
                .iter()
                .filter(|variable| variable["hasValue"] == true)
                .map(|variable| variable.to_string().replace("defaultValue", ""))
                .collect();
            own.sort();
            own
        };
        let (new, old) = (variables(&new, kind, true).await, variables(&old, kind, true).await);
        let missing = |answer: &Value| {
            let all = answer["missingVariables"].as_array().unwrap().clone();
            all.iter().filter(|variable| variable.get("defaultValue").is_none()).count()
        };
        assert_eq!(missing(&new), missing(&old));
        let (new, old) = (own(new), own(old));
        assert!(!new.is_empty());
        assert_eq!(new, old, "{kind}");
    }
}

#[tokio::test]
async fn reports_invalid_arguments_and_empty_results() {
    let server = CheckedServer::start().await;
    let tool = "get_tenant_variables";
    let arguments =
        json!({ "space": "Default", "tenant": "Quayside Depots", "variableType": "all" });
    let none = server.call_ok(tool, arguments).await;
    assert!(
        none["hint"]
            .as_str()
            .unwrap()
            .contains("'Quayside Depots' has no value for variables of this type")
    );
    let arguments = json!({ "space": "Default", "tenant": "Tenants-1" });
    server
        .assert_error_contains(tool, arguments, &["variableType: this argument is required"])
        .await;
    let arguments = json!({ "space": "Default", "tenant": "Tenants-1", "variableType": "secret" });
    server
        .assert_error_contains(tool, arguments, &["variableType", "`all`, `common`, `project`"])
        .await;
    let arguments = json!({ "space": "Default", "tenant": "Tenants-1", "variableType": "all" });
    let called = server.server.call_as(keys::WITHOUT_VARIABLE_VIEW, tool, arguments).await;
    assert!(called.is_error && called.text.contains("VariableView"), "{}", called.text);
}

#[tokio::test]
async fn pages_many_variables() {
    let server = CheckedServer::start().await;
    let complete = variables(&server, "all", true).await;
    assert_eq!((&complete["totalResults"], &complete["take"]), (&json!(10), &json!(100)));
    let mut arguments = json!({
        "space": "Default", "tenant": "Tenants-1", "variableType": "all", "take": 4,
        "includeMissingVariables": true,
    });
    let mut seen: Vec<Value> = Vec::new();
    loop {
        let page = server.call_ok("get_tenant_variables", arguments.clone()).await;
        assert_eq!(page.get("missingVariables").is_some(), seen.is_empty());
        seen.extend(page["variables"].as_array().unwrap().clone());
        arguments["skip"] = page["nextSkip"].clone();
        if arguments["skip"].is_null() {
            break;
        }
    }
    assert_eq!(json!(seen), complete["variables"]);
    arguments["skip"] = json!(99);
    let past = server.call_ok("get_tenant_variables", arguments).await;
    assert!(past["hint"].as_str().unwrap().contains("there are 10"));

    let variable = |n: usize| {
        let template = json!({ "Id": format!("t{n}"), "Name": format!("Some.Setting.{n}") });
        json!({ "Id": n.to_string(), "ProjectId": "Projects-2", "TemplateId": format!("t{n}"),
                "Template": template, "Value": "a value of some length", "Scope": { "EnvironmentIds": ["Environments-3"] } })
    };
    let many: Vec<Value> = (0..300).map(variable).collect();
    server.mock_response("projectvariables", &json!({ "Variables": many }));
    let arguments = json!({ "space": "Default", "tenant": "Tenants-1", "variableType": "project" });
    let cut = server.call_ok("get_tenant_variables", arguments).await;
    let shown = cut["variables"].as_array().unwrap().len();
    assert!(shown > 30 && cut["nextSkip"] == shown && cut["totalResults"] == 300, "{shown}");
}

#[tokio::test]
async fn finds_tenants_with_missing_values() {
    let server = CheckedServer::start().await;
    let tool = "get_missing_tenant_variables";
    let found = server.call_ok(tool, json!({ "space": "Default" })).await;
    let mut ids = names(&found, "missingVariables", "tenantId");
    ids.sort_unstable();
    assert_eq!(ids, ["Tenants-1", "Tenants-2", "Tenants-6", "Tenants-8", "Tenants-9"]);
    assert_eq!(found["totalResults"], 5);
    assert!(found["missingVariables"][0].get("missingVariables").is_none());
    let arguments =
        json!({ "space": "Default", "tenant": "ironbark haulage", "includeDetails": true });
    let one = server.call_ok(tool, arguments).await;
    let missing = &one["missingVariables"][0]["missingVariables"];
    assert_eq!(missing.as_array().unwrap().len(), 5);
    assert_eq!(missing[3]["variableTemplateName"], "Customs.TraderId");
    assert_eq!(missing[3]["projectName"], "Customs Declarations");
    assert_eq!(missing[3]["environmentName"], "Production");
    assert_eq!(missing[4]["libraryVariableSetName"], "Tenant Billing");
    assert_eq!(
        one["filters"],
        json!({ "tenantId": "Tenants-6", "tenantName": "Ironbark Haulage" })
    );
    assert_snapshot("get_missing_tenant_variables", &one);
}

#[tokio::test]
async fn filters_and_pages_missing_values() {
    let server = CheckedServer::start().await;
    let tool = "get_missing_tenant_variables";
    for (more, ids) in [
        (json!({ "project": "driver-app-backend" }), vec!["Tenants-8"]),
        (
            json!({ "projectName": "Customs Declarations", "environmentName": "production", "tenantId": "Tenants-6" }),
            vec!["Tenants-6"],
        ),
        (
            json!({ "environment": "Staging", "project": "Route Planner", "tenant": "Tenants-1" }),
            vec!["Tenants-1"],
        ),
    ] {
        let mut arguments = json!({ "space": "Default" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = server.call_ok(tool, arguments).await;
        assert_eq!(names(&found, "missingVariables", "tenantId"), ids, "{more}");
    }
    let first = server.call_ok(tool, json!({ "space": "Default", "take": 2 })).await;
    assert_eq!(first["nextSkip"], 2);
    let last = server.call_ok(tool, json!({ "space": "Default", "take": 2, "skip": 4 })).await;
    assert_eq!(
        (names(&last, "missingVariables", "tenantId").len(), last.get("nextSkip")),
        (1, None)
    );
    let past = server.call_ok(tool, json!({ "space": "Default", "skip": 50 })).await;
    assert!(past["hint"].as_str().unwrap().contains("there are 5"));
    let none = server.call_ok(tool, json!({ "space": "Default", "tenant": "Tenants-4" })).await;
    assert!(none["hint"].as_str().unwrap().contains("every required variable"));
    let expected = ["environment 'Prod' not found", "list_environments"];
    server
        .assert_error_contains(
            tool,
            json!({ "space": "Default", "environment": "Prod" }),
            &expected,
        )
        .await;
}

#[tokio::test]
async fn older_shape_does_not_duplicate_variables() {
    let server = CheckedServer::with_version("2024.4.1").await;
    let template =
        |n: usize| json!({ "Id": format!("t{n}"), "Name": format!("T{n}"), "DefaultValue": "v" });
    let environments = |count: usize| {
        let environment_count = (1..=count).map(|n| (format!("Environments-{n}"), json!({})));
        environment_count.collect::<serde_json::Map<_, _>>()
    };
    let mock_variables = |templates: usize, environment_count: usize| {
        let templates: Vec<Value> = (0..templates).map(template).collect();
        let project =
            json!({ "Templates": templates, "Variables": environments(environment_count) });
        let body = json!({ "ProjectVariables": { "Projects-1": project } });
        server.server.sample.faults().clear();
        server.mock_response("Tenants-1/variables", &body);
    };
    let arguments =
        json!({ "space": "Default", "tenant": "Tenants-1", "variableType": "project", "take": 5 });
    mock_variables(100, 100);
    let page = server.call_ok("get_tenant_variables", arguments.clone()).await;
    let count = page["variables"].as_array().unwrap().len();
    assert_eq!((count, &page["totalResults"]), (5, &json!(10_000)));
    mock_variables(2_000, 1_000);
    let expected = ["more than 1000000 project variables", "variableType `common`"];
    server.assert_error_contains("get_tenant_variables", arguments, &expected).await;
}
