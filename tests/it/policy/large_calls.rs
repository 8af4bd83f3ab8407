//! Calls that access very many resources.

use octopus_sample::Fault;
use serde_json::{Map, Value, json};

use super::{CODE_FLOW, policy_fixture};

fn ids(kind: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{kind}-{}", 7_000 + number)).collect()
}

/// A body can name a thousand resources of each kind, which makes 10⁹ combinations.
#[tokio::test]
async fn rejects_calls_with_too_many_target_combinations() {
    let fixture = policy_fixture(json!([{ "name": "r", "effect": "allow",
        "projects": ["*"], "environments": ["*"], "tenants": ["*"] }]))
    .await;
    let call = |each: usize| {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments", "body": {
            "ProjectIds": ids("Projects", each),
            "EnvironmentIds": ids("Environments", each),
            "TenantIds": ids("Tenants", each),
        }})
    };
    for each in [22, 1_000] {
        let outcome = fixture.call(CODE_FLOW, "execute", &call(each)).await;
        outcome.expect_error(
            "the call reaches more than 10000 combinations of project, environment and tenant",
        );
    }
    fixture.call(CODE_FLOW, "execute", &call(3)).await.expect_approval_request();
    assert_eq!(fixture.sent_changes(), []);
}

/// A list of tenants names the projects and environments of each: 25000 combinations.
#[tokio::test]
async fn large_lists_are_readable_without_matching_rules() {
    let tenants: Vec<Value> = ids("Tenants", 100)
        .into_iter()
        .map(|id| {
            let connected = ids("Projects", 50).into_iter();
            let connected = connected.map(|id| (id, json!(ids("Environments", 5))));
            let connected: Map<String, Value> = connected.collect();
            json!({ "Id": id, "Name": id, "SpaceId": "Spaces-1", "ProjectEnvironments": connected })
        })
        .collect();
    let list = json!({ "Items": tenants, "TotalResults": 100 }).to_string();
    for (spaces, is_denied) in [("Secret", false), ("Default", true)] {
        let secret =
            json!([{ "name": "r", "effect": "deny", "tiers": ["read"], "spaces": [spaces] }]);
        let fixture = policy_fixture(secret).await;
        fixture.server.sample.faults().add(Fault::on("/tenants").body(&list));
        let call =
            json!({ "method": "GET", "path": "/api/Spaces-1/tenants", "query": { "take": 100 } });
        let outcome = fixture.call(CODE_FLOW, "execute", &call).await;
        if is_denied {
            outcome.expect_error("rule 'r'");
        } else {
            outcome.expect_result();
        }
    }
}

/// Names are looked up one by one, and a body can contain very many.
#[tokio::test]
async fn limits_name_lookups_for_one_body() {
    let fixture =
        policy_fixture(json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }]));
    let fixture = fixture.await;
    let call = |names: &[String]| -> Value {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments/create/untenanted/v1",
            "body": { "ProjectName": "Parcel Tracking API", "EnvironmentNames": names } })
    };
    let names: Vec<String> = (0..500).map(|number| format!("nowhere {number}")).collect();
    let before = fixture.server.sample.journal().len();
    fixture.call(CODE_FLOW, "execute", &call(&names)).await.expect_error("rule 'r'");
    let requests = fixture.server.sample.journal().len() - before;
    assert!(requests < 100, "{requests} requests for the names of one body");
}
