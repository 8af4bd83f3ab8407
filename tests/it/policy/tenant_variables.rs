//! Tenant variable values that rules deny to read.

use octopus_sample::{Sample, keys};
use serde_json::{Value, json};

use super::set_rules;
use crate::support::TestServer;

/// Returns a rule that denies reads of the resources that match.
fn read_rule(key: &str, name: &str) -> Value {
    json!([{ "name": "secret", "effect": "deny", "tiers": ["read"], (key): [name] }])
}

/// Brightwater Couriers has values of three projects for Staging and Production, in both response
/// formats of Octopus.
#[tokio::test]
async fn omits_tenant_values_of_denied_scopes() {
    let (staging, production) = (
        "\"brightwater-staging.larkspurfreight.example\"",
        "\"brightwater.larkspurfreight.example\"",
    );
    let other = "\"drivers-brightwater-staging\"";
    let common = "\"oncall@brightwater.example\"";
    for version in ["2026.3.7314", "2024.4.1"] {
        for (key, name, shown, hidden) in [
            ("environments", "Production", vec![staging, other, common], vec![production]),
            ("projects", "Billing Engine", vec![staging, other, common], vec![]),
            ("projects", "Route Planner", vec![other, common], vec![staging, production]),
        ] {
            let rule = read_rule(key, name);
            let sample = Sample::with_version(version);
            let server = TestServer::with_sample(sample, |config| set_rules(config, &rule)).await;
            let arguments = json!({ "space": "Default", "tenantId": "Brightwater Couriers",
                "variableType": "all", "includeMissingVariables": true });
            let answer = server.call_as(keys::ADMIN, "get_tenant_variables", arguments).await;
            assert!(!answer.is_error, "{}", answer.text);
            let text = &answer.text;
            assert!(shown.iter().all(|value| text.contains(value)), "{version} {name}: {text}");
            assert!(!hidden.iter().any(|value| text.contains(value)), "{version} {name}: {text}");
            assert_eq!(text.contains("the policy denies"), !hidden.is_empty(), "{text}");
        }
    }
}

/// The missing value of Brightwater Couriers belongs to Route Planner in Staging.
#[tokio::test]
async fn omits_missing_values_of_denied_scopes() {
    for (key, name, is_shown) in [
        ("environments", "Production", true),
        ("environments", "Staging", false),
        ("projects", "Route Planner", false),
    ] {
        let rule = read_rule(key, name);
        let server = TestServer::with(|config| set_rules(config, &rule)).await;
        let arguments = json!({ "space": "Default", "tenantId": "Brightwater Couriers",
            "includeDetails": true });
        let answer = server.call_as(keys::ADMIN, "get_missing_tenant_variables", arguments).await;
        assert!(!answer.is_error, "{}", answer.text);
        let text = &answer.text;
        assert_eq!(text.contains("Tenant.Database.ConnectionString"), is_shown, "{name}: {text}");
        assert_eq!(text.contains("the policy denies"), !is_shown, "{name}: {text}");
    }
}
