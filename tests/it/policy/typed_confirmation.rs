//! Typed confirmation: the word that a person has to type.

use octopus_mcp::config::SessionStorage;
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, ApprovalFlow, CODE_FLOW, deploy_arguments, policy_fixture, set_rules};
use crate::{sessions::accept_elicitation, support::TestServer};

const DEPLOY: &str = "deploy_release";

fn type_environment_rule() -> Value {
    json!([{ "name": "prod", "effect": "confirm", "type": "environment", "environments": ["prod*"],
        "message": "customers are there" }])
}

#[tokio::test]
async fn change_requires_the_typed_word() {
    for way in APPROVAL_FLOWS {
        let desk = policy_fixture(type_environment_rule()).await;
        let arguments = deploy_arguments(&["Production"]);
        let (words, sealed) = desk.call(way, DEPLOY, &arguments).await.expect_approval_request();
        assert!(words.contains("\nRule: prod: customers are there"), "{words}");
        assert!(words.contains("\nWord to type: Production"), "{words}");
        for wrong in [None, Some(""), Some("production"), Some("Productio"), Some("yes")] {
            let came =
                desk.respond_with_word(way, DEPLOY, &arguments, &sealed, "accept", wrong).await;
            came.expect_error("the typed word does not match the word");
        }
        assert_eq!(desk.sent_changes(), [], "{way:?}");
        let right = Some(" Production ")
            .filter(|_| way == ApprovalFlow::InputRequired)
            .or(Some("Production"));
        desk.respond_with_word(way, DEPLOY, &arguments, &sealed, "accept", right)
            .await
            .expect_result();
        assert_eq!(desk.sent_changes().len(), 1, "{way:?}");
    }
}

#[tokio::test]
async fn form_and_code_flow_request_the_word() {
    let desk = policy_fixture(type_environment_rule()).await;
    let call = json!({ "name": DEPLOY, "arguments": deploy_arguments(&["Production"]) });
    let reply = desk.reply(ApprovalFlow::InputRequired, call.clone()).await.json();
    let form = &reply["result"]["inputRequests"]["confirm"]["params"]["requestedSchema"];
    assert_eq!(form["required"], json!(["word"]), "{form}");
    assert_eq!(form["properties"]["word"]["type"], "string");
    assert_eq!(form["properties"]["word"]["title"], "Type Production");
    let coded = desk.reply(CODE_FLOW, call).await.json();
    let question = &coded["result"]["structuredContent"];
    assert_eq!(question["word"], "Production");
    let message = question["message"].as_str().unwrap();
    assert!(message.contains("let them type 'Production'"), "{message}");
    assert!(message.contains("the code above, a space, and the word"), "{message}");
}

#[tokio::test]
async fn word_is_configured_or_lists_environment_names() {
    for (typed, environments, word) in [
        ("go live", &["Production"][..], "go live"),
        ("environment", &["Staging", "Production"], "Staging, Production"),
    ] {
        for way in APPROVAL_FLOWS {
            let desk =
                policy_fixture(json!([{ "name": "r", "effect": "confirm", "type": typed }])).await;
            let arguments = deploy_arguments(environments);
            let (_, sealed) = desk.call(way, DEPLOY, &arguments).await.expect_approval_request();
            desk.respond_with_word(way, DEPLOY, &arguments, &sealed, "accept", Some(word))
                .await
                .expect_result();
            assert_eq!(desk.sent_changes().len(), 1, "{way:?}");
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
    for way in APPROVAL_FLOWS {
        let desk = policy_fixture(list.clone()).await;
        let arguments = deploy_arguments(&["Staging", "Production"]);
        let (words, sealed) = desk.call(way, DEPLOY, &arguments).await.expect_approval_request();
        let Some((_, word)) = words.split_once("\nWord to type: ") else { panic!("{words}") };
        let word = word.lines().next().unwrap();
        assert!(word == "rehearse go live" || word == "go live rehearse", "{words}");
        assert!(words.contains("customers are there"), "{words}");
        for wrong in ["go live", "rehearse", "go live go live"] {
            let came = desk
                .respond_with_word(way, DEPLOY, &arguments, &sealed, "accept", Some(wrong))
                .await;
            came.expect_error("the typed word does not match the word");
        }
        assert_eq!(desk.sent_changes(), [], "{way:?}");
        desk.respond_with_word(way, DEPLOY, &arguments, &sealed, "accept", Some(word))
            .await
            .expect_result();
        assert_eq!(desk.sent_changes().len(), 1, "{way:?}");
    }
}

#[tokio::test]
async fn session_elicitation_form_collects_the_word() {
    for (word, done) in [(Some("Production"), true), (Some("production"), false), (None, false)] {
        let server = TestServer::with(|config| {
            config.http.sessions = SessionStorage::Memory;
            config.tools.read_only = false;
            set_rules(config, &type_environment_rule());
        })
        .await;
        let content = word.map_or_else(|| json!({}), |word| json!({ "word": word }));
        let arguments = deploy_arguments(&["Production"]);
        let (question, result) =
            accept_elicitation(&server, keys::ADMIN, DEPLOY, &arguments, content).await;
        let form = &question["params"]["requestedSchema"];
        assert_eq!(form["required"], json!(["word"]), "{form}");
        assert_eq!(result["isError"] == true, !done, "{result}");
        assert_eq!(server.sample.changes().len(), usize::from(done), "{word:?}");
    }
}
