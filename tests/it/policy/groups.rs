//! Rules about groups of callers, which the access token proves.

use octopus_mcp::config::ApprovalMode;
use octopus_sample::Sample;
use serde_json::{Value, json};

use super::{deploy_arguments, set_rules};
use crate::{
    approval::{CallOutcome, parse_outcome},
    auth::test_issuer::{Signer, TestIssuer},
    support::{Era, TestServer},
};

/// A server whose callers authenticate with access tokens.
pub(super) struct GroupFixture {
    signer: Signer,
    issuer: TestIssuer,
    pub(super) server: TestServer,
}

impl GroupFixture {
    pub(super) async fn with_rules(list: Value) -> Self {
        let signer = Signer::new("company");
        let issuer = TestIssuer::start(&[&signer]);
        let server = serve(Sample::new(), &issuer, &list).await;
        Self { signer, issuer, server }
    }

    /// Restarts the server on the same Octopus for the same callers.
    pub(super) async fn restarted(self) -> Self {
        let server = serve(self.server.sample.clone(), &self.issuer, &json!([])).await;
        Self { server, ..self }
    }

    pub(super) async fn call(&self, groups: &Value, tool: &str, arguments: &Value) -> CallOutcome {
        // Callers with other groups have another subject.
        let subject = groups.to_string();
        let claims = json!({ "sub": subject, "scope": "octopus:deploy", "groups": groups });
        let token = self.signer.sign(&self.issuer.claims_with(&claims));
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", &*authorization), ("x-octopus-apikey", "")];
        let params = json!({ "name": tool, "arguments": arguments });
        let reply = self.server.rpc_at("", &headers, Era::Legacy, "tools/call", params).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        parse_outcome(&reply)
    }
}

async fn serve(sample: Sample, issuer: &TestIssuer, list: &Value) -> TestServer {
    TestServer::with_sample(sample, |config| {
        issuer.configure(config);
        config.tools.read_only = false;
        // The server requires approval only if a rule does.
        config.tools.confirm = ApprovalMode::Never;
        set_rules(config, list);
    })
    .await
}

fn list() -> Value {
    json!([
        { "name": "no guests", "effect": "deny", "groups": ["guests", "!engineers"],
          "environments": ["Staging"], "message": "Guests look, and do not touch." },
        { "name": "engineers type", "effect": "confirm", "groups": ["engineers"],
          "environments": ["Staging"], "type": "environment" },
    ])
}

#[tokio::test]
async fn rules_apply_to_the_group_of_the_caller() {
    let company = GroupFixture::with_rules(list()).await;
    let staging = deploy_arguments(&["Staging"]);
    let denied = company.call(&json!(["guests"]), "deploy_release", &staging).await;
    denied.expect_error("the policy rule 'no guests' of this server denies this call: Guests look");
    assert_eq!(company.server.sample.changes(), []);

    let engineers = json!(["engineers", "guests"]);
    let (preview, code) =
        company.call(&engineers, "deploy_release", &staging).await.expect_approval_request();
    assert!(preview.contains("Staging"), "{preview}");
    let mut approved = staging.clone();
    approved["confirm"] = json!(code);
    company
        .call(&engineers, "deploy_release", &approved)
        .await
        .expect_error("the typed word does not match");
    assert_eq!(
        company.server.sample.changes(),
        [],
        "nothing changes without the typed confirmation"
    );
    approved["confirm"] = json!(format!("{code} Staging"));
    company.call(&engineers, "deploy_release", &approved).await.expect_result();
    assert_eq!(company.server.sample.changes().len(), 1);

    // The rules match groups, and these callers are in no group of a rule.
    for groups in [json!(["support"]), json!([]), Value::Null] {
        company.call(&groups, "deploy_release", &staging).await.expect_result();
    }
    assert_eq!(company.server.sample.changes().len(), 4);
}

#[tokio::test]
async fn approval_of_one_group_is_not_valid_for_another() {
    let company = GroupFixture::with_rules(list()).await;
    let mut staging = deploy_arguments(&["Staging"]);
    let engineers = json!(["engineers"]);
    let (_, code) =
        company.call(&engineers, "deploy_release", &staging).await.expect_approval_request();
    staging["confirm"] = json!(format!("{code} Staging"));
    company
        .call(&json!(["guests"]), "deploy_release", &staging)
        .await
        .expect_error("not valid for this call");
    assert_eq!(company.server.sample.changes(), []);
}

#[tokio::test]
async fn groups_come_from_the_token_only() {
    let company = GroupFixture::with_rules(list()).await;
    let mut staging = deploy_arguments(&["Staging"]);
    staging["groups"] = json!(["engineers"]);
    let rejected = company.call(&json!(["guests"]), "deploy_release", &staging).await;
    assert!(matches!(rejected, CallOutcome::Failed(_)), "{rejected:?}");
    for groups in [json!(["Guests "]), json!([["guests"]]), json!({ "guests": true })] {
        let outcome =
            company.call(&groups, "deploy_release", &deploy_arguments(&["Staging"])).await;
        assert!(
            matches!(outcome, CallOutcome::Completed(_)),
            "another group than `guests`: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn denies_reads_to_one_group_only() {
    let company = GroupFixture::with_rules(json!([
        { "name": "not for guests", "effect": "deny", "tiers": ["read"], "groups": ["guests"],
          "projects": ["Parcel Tracking API"] },
    ]))
    .await;
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90001" });
    for tool in ["get_task_by_id", "get_task_raw"] {
        company.call(&json!(["guests"]), tool, &task).await.expect_error("'not for guests'");
        company.call(&json!(["engineers"]), tool, &task).await.expect_result();
    }
}
