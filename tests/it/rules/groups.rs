//! Rules about groups of callers, which the access token proves.

use octopus_mcp::config::Confirm;
use octopus_sample::Sample;
use serde_json::{Value, json};

use super::{deploys, rules};
use crate::{
    callers::issuer::{Signer, TestIssuer},
    consent::{Came, read},
    support::{Era, TestServer},
};

/// A server whose callers authenticate with access tokens.
pub(super) struct Company {
    signer: Signer,
    issuer: TestIssuer,
    pub(super) server: TestServer,
}

impl Company {
    pub(super) async fn with(list: Value) -> Self {
        let signer = Signer::new("company");
        let issuer = TestIssuer::with(&[&signer]);
        let server = serve(Sample::new(), &issuer, &list).await;
        Self { signer, issuer, server }
    }

    /// Restarts the server on the same Octopus for the same callers.
    pub(super) async fn restarted(self) -> Self {
        let server = serve(self.server.sample.clone(), &self.issuer, &json!([])).await;
        Self { server, ..self }
    }

    pub(super) async fn call(&self, groups: &Value, tool: &str, arguments: &Value) -> Came {
        // Callers with other groups have another subject.
        let subject = groups.to_string();
        let claims = json!({ "sub": subject, "scope": "octopus:deploy", "groups": groups });
        let token = self.signer.sign(&self.issuer.claims_with(&claims));
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", &*authorization), ("x-octopus-apikey", "")];
        let params = json!({ "name": tool, "arguments": arguments });
        let reply = self.server.ask_at("", &headers, Era::Legacy, "tools/call", params).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        read(&reply)
    }
}

async fn serve(sample: Sample, issuer: &TestIssuer, list: &Value) -> TestServer {
    TestServer::on(sample, |config| {
        issuer.trusted(config);
        config.tools.read_only = false;
        // The server requires approval only if a rule says so.
        config.tools.confirm = Confirm::Never;
        rules(config, list);
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
async fn of_two_callers_one_group_is_denied_and_the_other_asked_and_a_third_passes() {
    let company = Company::with(list()).await;
    let staging = deploys(&["Staging"]);
    let denied = company.call(&json!(["guests"]), "deploy_release", &staging).await;
    denied.refused("the policy rule 'no guests' of this server denies this call: Guests look");
    assert_eq!(company.server.sample.changes(), []);

    let engineers = json!(["engineers", "guests"]);
    let (words, code) = company.call(&engineers, "deploy_release", &staging).await.asked();
    assert!(words.contains("Staging"), "{words}");
    let mut agreed = staging.clone();
    agreed["confirm"] = json!(code);
    company
        .call(&engineers, "deploy_release", &agreed)
        .await
        .refused("the typed word does not match");
    assert_eq!(
        company.server.sample.changes(),
        [],
        "nothing changes without the typed confirmation"
    );
    agreed["confirm"] = json!(format!("{code} Staging"));
    company.call(&engineers, "deploy_release", &agreed).await.answered();
    assert_eq!(company.server.sample.changes().len(), 1);

    // The rules match groups, and these callers are in no group of a rule.
    for groups in [json!(["support"]), json!([]), Value::Null] {
        company.call(&groups, "deploy_release", &staging).await.answered();
    }
    assert_eq!(company.server.sample.changes().len(), 4);
}

#[tokio::test]
async fn the_yes_of_one_group_is_no_yes_of_another() {
    let company = Company::with(list()).await;
    let mut staging = deploys(&["Staging"]);
    let engineers = json!(["engineers"]);
    let (_, code) = company.call(&engineers, "deploy_release", &staging).await.asked();
    staging["confirm"] = json!(format!("{code} Staging"));
    company
        .call(&json!(["guests"]), "deploy_release", &staging)
        .await
        .refused("not valid for this call");
    assert_eq!(company.server.sample.changes(), []);
}

#[tokio::test]
async fn a_group_is_what_the_token_says_and_nothing_that_a_call_says() {
    let company = Company::with(list()).await;
    let mut staging = deploys(&["Staging"]);
    staging["groups"] = json!(["engineers"]);
    let refused = company.call(&json!(["guests"]), "deploy_release", &staging).await;
    assert!(matches!(refused, Came::Refused(_)), "{refused:?}");
    for groups in [json!(["Guests "]), json!([["guests"]]), json!({ "guests": true })] {
        let came = company.call(&groups, "deploy_release", &deploys(&["Staging"])).await;
        assert!(matches!(came, Came::Answered(_)), "another group than `guests`: {came:?}");
    }
}

#[tokio::test]
async fn reads_are_closed_to_one_group_and_open_to_another() {
    let company = Company::with(json!([
        { "name": "not for guests", "effect": "deny", "tiers": ["read"], "groups": ["guests"],
          "projects": ["Parcel Tracking API"] },
    ]))
    .await;
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90001" });
    for tool in ["get_task_by_id", "get_task_raw"] {
        company.call(&json!(["guests"]), tool, &task).await.refused("'not for guests'");
        company.call(&json!(["engineers"]), tool, &task).await.answered();
    }
}
