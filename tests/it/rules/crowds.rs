//! Calls that reach very many places.

use octopus_sample::Fault;
use serde_json::{Map, Value, json};

use super::{CODE, desk};

fn ids(kind: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{kind}-{}", 7_000 + number)).collect()
}

/// A body can name a thousand of each kind, and all of them together are a thousand million places.
#[tokio::test]
async fn a_call_that_reaches_more_places_than_can_be_judged_is_refused_before_anybody_is_asked() {
    let desk = desk(json!([{ "name": "r", "effect": "allow",
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
        let came = desk.call(CODE, "execute", &call(each)).await;
        came.refused("it reaches more than 10000 combinations of project, environment and tenant");
    }
    desk.call(CODE, "execute", &call(3)).await.asked();
    assert_eq!(desk.changes(), []);
}

/// An answer of tenants names each of their projects and environments: 25000 combinations of them.
#[tokio::test]
async fn a_list_of_many_places_is_read_where_no_rule_matches_by_them() {
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
        let desk = desk(secret).await;
        desk.server.sample.faults().add(Fault::on("/tenants").body(&list));
        let call =
            json!({ "method": "GET", "path": "/api/Spaces-1/tenants", "query": { "take": 100 } });
        let came = desk.call(CODE, "execute", &call).await;
        if is_denied {
            came.refused("rule 'r'");
        } else {
            came.answered();
        }
    }
}

/// Names are looked up one by one, and a body has room for very many.
#[tokio::test]
async fn only_so_many_names_of_one_body_are_looked_up_and_the_others_are_unknown() {
    let desk = desk(json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }]));
    let desk = desk.await;
    let call = |names: &[String]| -> Value {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments/create/untenanted/v1",
            "body": { "ProjectName": "Parcel Tracking API", "EnvironmentNames": names } })
    };
    let names: Vec<String> = (0..500).map(|number| format!("nowhere {number}")).collect();
    let before = desk.server.sample.journal().len();
    desk.call(CODE, "execute", &call(&names)).await.refused("rule 'r'");
    let asked = desk.server.sample.journal().len() - before;
    assert!(asked < 100, "{asked} requests for the names of one body");
}
