//! `execute` judges every answer by the IDs that it holds.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{CODE, desk};
use crate::consent::{Came, Desk};

/// An operation whose path names nothing that rules are about and whose answer holds no open kinds.
const PATH: &str = "/api/Spaces-1/tagsets/TagSets-1";

/// A server with a rule about reads, whose Octopus answers to [`PATH`] with this body.
async fn answering(body: &Value) -> Desk {
    let desk = desk(json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environments": ["Production"] }]))
    .await;
    desk.server.sample.faults().add(Fault::on("/tagsets/TagSets-1").body(&body.to_string()));
    desk
}

async fn read(desk: &Desk) -> Came {
    desk.call(CODE, "execute", &json!({ "method": "GET", "path": PATH })).await
}

/// A tag set with more fields.
fn tag_set(more: &Value) -> Value {
    let mut body = json!({ "Id": "TagSets-1", "Name": "Region" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn an_answer_that_names_a_denied_place_is_refused() {
    for named in [
        json!({ "EnvironmentId": "Environments-3" }),
        json!({ "TargetEnvironmentIds": ["Environments-2", "environments-3"] }),
        json!({ "Inner": { "Deep": [{ "EnvironmentId": "Environments-3" }] } }),
        json!({ "ByEnvironment": { "Environments-3": true } }),
        json!({ "RelatedDocumentIds": ["Deployments-9001"] }),
        // Keys that this server does not know.
        json!({ "Where": "Environments-3" }),
        json!({ "Where": ["Environments-2", "Environments-3"] }),
        json!({ "Where": [["Environments-3"]] }),
        json!({ "ByProject": { "Projects-2": ["Environments-3"] } }),
        json!({ "Inner": { "Id": "Environments-3" } }),
        // Lists in one text.
        json!({ "Where": "Environments-2, Environments-3" }),
        json!({ "EnvironmentIds": "Environments-2,Environments-3" }),
        json!({ "RelatedDocumentIds": "Deployments-9004,Deployments-9001" }),
        json!({ "Environments-2,Environments-3": true }),
        // Only an object is the scope of a variable.
        json!({ "Scope": "Environments-3" }),
        json!({ "Inner": { "Scope": ["Environments-2", "Environments-3"] } }),
    ] {
        let desk = answering(&tag_set(&named)).await;
        read(&desk).await.refused("rule 'secret'");
    }
    for open in [
        json!({ "EnvironmentId": "Environments-2" }),
        json!({ "RelatedDocumentIds": ["Deployments-9004"] }),
        json!({ "Where": "not Environments-3" }),
        json!({ "ClonedFromEnvironmentId": "Environments-3" }),
        // A choice, and not where the document belongs.
        json!({ "ScopeValues": { "Environments": [{ "Id": "Environments-3" }] } }),
    ] {
        let desk = answering(&tag_set(&open)).await;
        read(&desk).await.answered();
    }
}

/// The request names nothing that the rule is about, so the caller would not know why.
#[tokio::test]
async fn refusal_because_of_the_answer_says_so() {
    const WORDS: &str = "the answer of Octopus names what the rule is about; read single documents";
    let desk = desk(json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environments": ["Production"], "message": "Ask Ada" }]))
    .await;
    for (path, is_in_answer) in [("lifecycles", true), ("environments/Environments-3", false)] {
        let path = format!("/api/Spaces-1/{path}");
        let call = json!({ "method": "GET", "path": path });
        let Came::Refused(said) = desk.call(CODE, "execute", &call).await else { panic!("{path}") };
        assert!(said.contains("rule 'secret'") && said.contains("Ask Ada"), "{said}");
        assert_eq!(said.contains(WORDS), is_in_answer, "{said}");
    }
}

/// A field that is left out may hold the ID of a denied place.
#[tokio::test]
async fn an_answer_without_some_of_its_fields_is_refused() {
    let many = (0..20_000).map(|number| (format!("Field{number}"), json!("x")));
    let large = tag_set(&Value::Object(many.collect()));
    let large_answer = answering(&large).await;
    read(&large_answer).await.refused("too large to be read whole");
    let list: Vec<Value> = (0..5_000).map(|_| tag_set(&json!({}))).collect();
    let list = answering(&json!({ "Items": list, "TotalResults": 5_000 })).await;
    let answer = read(&list).await.answered();
    assert!(answer["omitted"]["items"].as_u64() > Some(0), "{answer}");
    // Without rules about reads it is shown as far as it fits.
    let desk = desk(json!([])).await;
    desk.server.sample.faults().add(Fault::on("/tagsets/TagSets-1").body(&large.to_string()));
    let answer = read(&desk).await.answered();
    assert!(answer["omitted"]["fields"].as_u64() > Some(0), "{answer}");
}
