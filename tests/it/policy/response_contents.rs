//! The policy evaluates every `execute` response by the IDs in it.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture};
use crate::approval::{ApprovalFixture, CallOutcome};

/// An operation whose path names nothing that rules match and whose response has a fixed set of
/// resource kinds.
const PATH: &str = "/api/Spaces-1/tagsets/TagSets-1";

/// Starts a server with a rule about reads, whose Octopus answers [`PATH`] with this body.
async fn fixture_with_response(body: &Value) -> ApprovalFixture {
    let fixture = policy_fixture(json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environments": ["Production"] }]))
    .await;
    fixture.server.sample.faults().add(Fault::on("/tagsets/TagSets-1").body(&body.to_string()));
    fixture
}

async fn read(fixture: &ApprovalFixture) -> CallOutcome {
    fixture.call(CODE_FLOW, "execute", &json!({ "method": "GET", "path": PATH })).await
}

/// Returns a tag set with more fields.
fn tag_set(more: &Value) -> Value {
    let mut body = json!({ "Id": "TagSets-1", "Name": "Region" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn rejects_responses_that_name_a_denied_resource() {
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
        // Lists in one string.
        json!({ "Where": "Environments-2, Environments-3" }),
        json!({ "EnvironmentIds": "Environments-2,Environments-3" }),
        json!({ "RelatedDocumentIds": "Deployments-9004,Deployments-9001" }),
        json!({ "Environments-2,Environments-3": true }),
        // Only an object is the scope of a variable.
        json!({ "Scope": "Environments-3" }),
        json!({ "Inner": { "Scope": ["Environments-2", "Environments-3"] } }),
    ] {
        let fixture = fixture_with_response(&tag_set(&named)).await;
        read(&fixture).await.expect_error("rule 'secret'");
    }
    for open in [
        json!({ "EnvironmentId": "Environments-2" }),
        json!({ "RelatedDocumentIds": ["Deployments-9004"] }),
        json!({ "Where": "not Environments-3" }),
        json!({ "ClonedFromEnvironmentId": "Environments-3" }),
        // The value is a choice and does not determine the owner of the document.
        json!({ "ScopeValues": { "Environments": [{ "Id": "Environments-3" }] } }),
    ] {
        let fixture = fixture_with_response(&tag_set(&open)).await;
        read(&fixture).await.expect_result();
    }
}

/// The request names no resource that the rule matches, so the error must explain the reason.
#[tokio::test]
async fn rejection_names_the_response_as_reason() {
    const WORDS: &str =
        "the response contains a document that the rule denies; read single documents";
    let fixture = policy_fixture(json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "environments": ["Production"], "message": "Ask Ada" }]))
    .await;
    for (path, is_in_answer) in [("lifecycles", true), ("environments/Environments-3", false)] {
        let path = format!("/api/Spaces-1/{path}");
        let call = json!({ "method": "GET", "path": path });
        let CallOutcome::Failed(message) = fixture.call(CODE_FLOW, "execute", &call).await else {
            panic!("{path}")
        };
        assert!(message.contains("rule 'secret'") && message.contains("Ask Ada"), "{message}");
        assert_eq!(message.contains(WORDS), is_in_answer, "{message}");
    }
}

/// An omitted field may contain the ID of a denied resource.
#[tokio::test]
async fn rejects_responses_with_omitted_fields() {
    let many = (0..20_000).map(|number| (format!("Field{number}"), json!("x")));
    let large = tag_set(&Value::Object(many.collect()));
    let large_answer = fixture_with_response(&large).await;
    read(&large_answer).await.expect_error("too large to read all fields");
    let list: Vec<Value> = (0..5_000).map(|_| tag_set(&json!({}))).collect();
    let list = fixture_with_response(&json!({ "Items": list, "TotalResults": 5_000 })).await;
    let answer = read(&list).await.expect_result();
    assert!(answer["omitted"]["items"].as_u64() > Some(0), "{answer}");
    // Without rules about reads the response is returned as far as it fits.
    let fixture = policy_fixture(json!([])).await;
    fixture.server.sample.faults().add(Fault::on("/tagsets/TagSets-1").body(&large.to_string()));
    let answer = read(&fixture).await.expect_result();
    assert!(answer["omitted"]["fields"].as_u64() > Some(0), "{answer}");
}
