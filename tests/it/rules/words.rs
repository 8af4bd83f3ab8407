//! Typed confirmation: the word that a person has to type.

use octopus_mcp::config::Sessions;
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{CODE, WAYS, Way, deploys, desk, rules};
use crate::{sessions::asked_for, support::TestServer};

const DEPLOY: &str = "deploy_release";

fn by_name() -> Value {
    json!([{ "name": "prod", "effect": "confirm", "type": "environment", "environments": ["prod*"],
        "message": "customers are there" }])
}

#[tokio::test]
async fn the_word_is_typed_or_nothing_is_changed() {
    for way in WAYS {
        let desk = desk(by_name()).await;
        let arguments = deploys(&["Production"]);
        let (words, sealed) = desk.call(way, DEPLOY, &arguments).await.asked();
        assert!(words.contains("\nRule: prod: customers are there"), "{words}");
        assert!(words.contains("\nWord to type: Production"), "{words}");
        for wrong in [None, Some(""), Some("production"), Some("Productio"), Some("yes")] {
            let came = desk.typed(way, DEPLOY, &arguments, &sealed, "accept", wrong).await;
            came.refused("the typed word does not match the word");
        }
        assert_eq!(desk.changes(), [], "{way:?}");
        let right = Some(" Production ").filter(|_| way == Way::Rounds).or(Some("Production"));
        desk.typed(way, DEPLOY, &arguments, &sealed, "accept", right).await.answered();
        assert_eq!(desk.changes().len(), 1, "{way:?}");
    }
}

#[tokio::test]
async fn the_form_has_a_field_for_the_word_and_the_code_says_how_it_comes_with_it() {
    let desk = desk(by_name()).await;
    let call = json!({ "name": DEPLOY, "arguments": deploys(&["Production"]) });
    let reply = desk.reply(Way::Rounds, call.clone()).await.json();
    let form = &reply["result"]["inputRequests"]["confirm"]["params"]["requestedSchema"];
    assert_eq!(form["required"], json!(["word"]), "{form}");
    assert_eq!(form["properties"]["word"]["type"], "string");
    assert_eq!(form["properties"]["word"]["title"], "Type Production");
    let coded = desk.reply(CODE, call).await.json();
    let question = &coded["result"]["structuredContent"];
    assert_eq!(question["word"], "Production");
    let message = question["message"].as_str().unwrap();
    assert!(message.contains("let them type 'Production'"), "{message}");
    assert!(message.contains("the code above, a space, and the word"), "{message}");
}

#[tokio::test]
async fn a_word_of_the_settings_and_the_names_of_several_environments() {
    for (typed, environments, word) in [
        ("go live", &["Production"][..], "go live"),
        ("environment", &["Staging", "Production"], "Staging, Production"),
    ] {
        for way in WAYS {
            let desk = desk(json!([{ "name": "r", "effect": "confirm", "type": typed }])).await;
            let arguments = deploys(environments);
            let (_, sealed) = desk.call(way, DEPLOY, &arguments).await.asked();
            desk.typed(way, DEPLOY, &arguments, &sealed, "accept", Some(word)).await.answered();
            assert_eq!(desk.changes().len(), 1, "{way:?}");
        }
    }
}

/// A call that targets two environments, each with a rule and word of its own.
#[tokio::test]
async fn where_two_rules_want_different_words_both_are_typed() {
    let list = json!([
        { "name": "prod", "effect": "confirm", "type": "go live", "environments": ["Production"],
            "message": "customers are there" },
        { "name": "stage", "effect": "confirm", "type": "rehearse", "environments": ["Staging"] },
    ]);
    for way in WAYS {
        let desk = desk(list.clone()).await;
        let arguments = deploys(&["Staging", "Production"]);
        let (words, sealed) = desk.call(way, DEPLOY, &arguments).await.asked();
        let Some((_, word)) = words.split_once("\nWord to type: ") else { panic!("{words}") };
        let word = word.lines().next().unwrap();
        assert!(word == "rehearse go live" || word == "go live rehearse", "{words}");
        assert!(words.contains("customers are there"), "{words}");
        for wrong in ["go live", "rehearse", "go live go live"] {
            let came = desk.typed(way, DEPLOY, &arguments, &sealed, "accept", Some(wrong)).await;
            came.refused("the typed word does not match the word");
        }
        assert_eq!(desk.changes(), [], "{way:?}");
        desk.typed(way, DEPLOY, &arguments, &sealed, "accept", Some(word)).await.answered();
        assert_eq!(desk.changes().len(), 1, "{way:?}");
    }
}

#[tokio::test]
async fn on_a_session_the_person_types_the_word_into_the_form() {
    for (word, done) in [(Some("Production"), true), (Some("production"), false), (None, false)] {
        let server = TestServer::with(|config| {
            config.http.sessions = Sessions::Memory;
            config.tools.read_only = false;
            rules(config, &by_name());
        })
        .await;
        let content = word.map_or_else(|| json!({}), |word| json!({ "word": word }));
        let arguments = deploys(&["Production"]);
        let (question, result) = asked_for(&server, keys::ADMIN, DEPLOY, &arguments, content).await;
        let form = &question["params"]["requestedSchema"];
        assert_eq!(form["required"], json!(["word"]), "{form}");
        assert_eq!(result["isError"] == true, !done, "{result}");
        assert_eq!(server.sample.changes().len(), usize::from(done), "{word:?}");
    }
}
