//! Typed confirmation: the word that a person has to type.

use octopus_mcp::config::SessionStorage;
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, ApprovalFlow, CODE_FLOW, deploy_arguments, policy_fixture, set_rules};
use crate::{
    approval::{ApprovalFixture, CallOutcome},
    sessions::accept_elicitation,
    support::TestServer,
};

const DEPLOY: &str = "deploy_release";

fn type_environment_rule() -> Value {
    json!([{ "name": "prod", "effect": "confirm", "type": "environment", "environments": ["prod*"],
        "message": "customers are there" }])
}

/// Approves a deployment with this typed word.
async fn approve_with(
    fixture: &ApprovalFixture,
    flow: ApprovalFlow,
    arguments: &Value,
    token: &str,
    word: Option<&str>,
) -> CallOutcome {
    fixture.respond_with_word(flow, DEPLOY, arguments, token, "accept", word).await
}

#[tokio::test]
async fn change_requires_the_typed_word() {
    for flow in APPROVAL_FLOWS {
        let fixture = policy_fixture(type_environment_rule()).await;
        let arguments = deploy_arguments(&["Production"]);
        let (preview, token) =
            fixture.call(flow, DEPLOY, &arguments).await.expect_approval_request();
        assert!(preview.contains("\nRule: prod: customers are there"), "{preview}");
        assert!(preview.contains("\nWord to type: Production"), "{preview}");
        for wrong in [None, Some(""), Some("production"), Some("Productio"), Some("yes")] {
            let outcome = approve_with(&fixture, flow, &arguments, &token, wrong).await;
            outcome.expect_error("the typed word does not match the word");
        }
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");
        let right = Some(" Production ")
            .filter(|_| flow == ApprovalFlow::InputRequired)
            .or(Some("Production"));
        approve_with(&fixture, flow, &arguments, &token, right).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 1, "{flow:?}");
    }
}

#[tokio::test]
async fn form_and_code_flow_request_the_word() {
    let fixture = policy_fixture(type_environment_rule()).await;
    let call = json!({ "name": DEPLOY, "arguments": deploy_arguments(&["Production"]) });
    let reply = fixture.reply(ApprovalFlow::InputRequired, call.clone()).await.json();
    let form = &reply["result"]["inputRequests"]["confirm"]["params"]["requestedSchema"];
    assert_eq!(form["required"], json!(["word"]), "{form}");
    assert_eq!(form["properties"]["word"]["type"], "string");
    assert_eq!(form["properties"]["word"]["title"], "Type Production");
    let reply = fixture.reply(CODE_FLOW, call).await.json();
    let content = &reply["result"]["structuredContent"];
    assert_eq!(content["word"], "Production");
    let message = content["message"].as_str().unwrap();
    assert!(message.contains("let them type 'Production'"), "{message}");
    assert!(message.contains("the code above, a space, and the word"), "{message}");
}

#[tokio::test]
async fn word_is_configured_or_lists_environment_names() {
    for (typed, environments, word) in [
        ("go live", &["Production"][..], "go live"),
        ("environment", &["Staging", "Production"], "Staging, Production"),
    ] {
        for flow in APPROVAL_FLOWS {
            let fixture =
                policy_fixture(json!([{ "name": "r", "effect": "confirm", "type": typed }])).await;
            let arguments = deploy_arguments(environments);
            let (_, token) = fixture.call(flow, DEPLOY, &arguments).await.expect_approval_request();
            approve_with(&fixture, flow, &arguments, &token, Some(word)).await.expect_result();
            assert_eq!(fixture.sent_changes().len(), 1, "{flow:?}");
        }
    }
}

/// A call that targets two environments, each with a rule and word of its own.
#[tokio::test]
async fn two_rules_require_both_words() {
    let list = json!([
        { "name": "prod", "effect": "confirm", "type": "go live", "environments": ["Production"],
            "message": "customers are there" },
        { "name": "stage", "effect": "confirm", "type": "rehearse", "environments": ["Staging"] },
    ]);
    for flow in APPROVAL_FLOWS {
        let fixture = policy_fixture(list.clone()).await;
        let arguments = deploy_arguments(&["Staging", "Production"]);
        let (preview, token) =
            fixture.call(flow, DEPLOY, &arguments).await.expect_approval_request();
        let Some((_, word)) = preview.split_once("\nWord to type: ") else { panic!("{preview}") };
        let word = word.lines().next().unwrap();
        assert!(word == "rehearse go live" || word == "go live rehearse", "{preview}");
        assert!(preview.contains("customers are there"), "{preview}");
        for wrong in ["go live", "rehearse", "go live go live"] {
            let outcome = approve_with(&fixture, flow, &arguments, &token, Some(wrong)).await;
            outcome.expect_error("the typed word does not match the word");
        }
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");
        approve_with(&fixture, flow, &arguments, &token, Some(word)).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 1, "{flow:?}");
    }
}

#[tokio::test]
async fn session_elicitation_form_collects_the_word() {
    for (word, is_done) in [(Some("Production"), true), (Some("production"), false), (None, false)]
    {
        let server = TestServer::with(|config| {
            config.http.sessions = SessionStorage::Memory;
            config.tools.read_only = false;
            set_rules(config, &type_environment_rule());
        })
        .await;
        let content = word.map_or_else(|| json!({}), |word| json!({ "word": word }));
        let arguments = deploy_arguments(&["Production"]);
        let (request, result) =
            accept_elicitation(&server, keys::ADMIN, DEPLOY, &arguments, content).await;
        let form = &request["params"]["requestedSchema"];
        assert_eq!(form["required"], json!(["word"]), "{form}");
        assert_eq!(result["isError"] == true, !is_done, "{result}");
        assert_eq!(server.sample.changes().len(), usize::from(is_done), "{word:?}");
    }
}
