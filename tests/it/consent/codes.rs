//! Binding of an approval to its call, and the approval modes of `tools.confirm`.

use octopus_mcp::config::{Confirm, Secret};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{Desk, WAYS, Way, changes};
use crate::support::{ERAS, Era};

fn with(arguments: &Value, name: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value;
    arguments
}

#[tokio::test]
async fn a_yes_is_for_the_same_caller_tool_and_arguments() {
    for flow in WAYS {
        let mut fixture = Desk::start().await;
        let (tool, arguments, ..) = changes().remove(1);
        let (_, token) = fixture.call(flow, tool, &arguments).await.asked();

        let elsewhere = with(&arguments, "environmentNames", json!(["Production"]));
        fixture.agree(flow, tool, &elsewhere, &token).await.refused("not valid for this call");
        let other = json!({ "space": "Default", "projectName": "Parcel Tracking API" });
        fixture
            .agree(flow, "create_release", &other, &token)
            .await
            .refused("not valid for this call");
        fixture.key = keys::DEFAULT_SPACE_ONLY;
        fixture.agree(flow, tool, &arguments, &token).await.refused("not valid for this call");
        fixture.key = keys::ADMIN;
        let tampered = format!("{}A{}", &token[..token.len() / 2], &token[token.len() / 2 + 1..]);
        fixture.agree(flow, tool, &arguments, &tampered).await.refused("not valid for this call");
        fixture.agree(flow, tool, &arguments, "yes").await.refused("not valid for this call");
        assert_eq!(fixture.changes(), [], "{flow:?}");

        // The idempotency key is one of the bound arguments.
        for key in ["a", "b"] {
            let keyed = with(&arguments, "idempotencyKey", json!(key));
            fixture.agree(flow, tool, &keyed, &token).await.refused("not valid for this call");
        }
        assert_eq!(fixture.changes(), [], "{flow:?}");

        // The order of arguments does not matter.
        let mut reversed = serde_json::Map::new();
        for (key, value) in arguments.as_object().unwrap().iter().rev() {
            reversed.insert(key.clone(), value.clone());
        }
        fixture.agree(flow, tool, &Value::Object(reversed), &token).await.answered();
        assert_eq!(fixture.changes().len(), 1);
    }
}

#[tokio::test]
async fn a_code_never_stands_in_for_a_person_who_can_be_asked() {
    let fixture = Desk::start().await;
    let (tool, arguments, ..) = changes().remove(0);
    let (_, code) = fixture.call(Way::Code(Era::Modern), tool, &arguments).await.asked();
    for confirm in [json!(code), json!(true)] {
        let arguments = with(&arguments, "confirm", confirm);
        fixture.call(Way::Rounds, tool, &arguments).await.asked();
    }
    // A code is not valid as request state, and request state is not valid as a code.
    let (_, state) = fixture.call(Way::Rounds, tool, &arguments).await.asked();
    fixture.agree(Way::Rounds, tool, &arguments, &code).await.refused("not valid for this call");
    fixture
        .agree(Way::Code(Era::Legacy), tool, &arguments, &state)
        .await
        .refused("not valid for this call");
    assert_eq!(fixture.changes(), []);
}

#[tokio::test]
async fn a_bare_yes_counts_only_where_the_settings_say_so() {
    for (confirm, flow, is_accepted) in [
        (Confirm::Code, Way::Code(Era::Legacy), false),
        (Confirm::Code, Way::Rounds, false),
        (Confirm::Argument, Way::Code(Era::Legacy), true),
        (Confirm::Argument, Way::Code(Era::Modern), true),
        (Confirm::Argument, Way::Rounds, false),
    ] {
        let fixture = Desk::with(|config| config.tools.confirm = confirm).await;
        for (tool, arguments, ..) in changes() {
            let before = fixture.changes().len();
            let bare = with(&arguments, "confirm", json!(true));
            let outcome = fixture.call(flow, tool, &bare).await;
            if is_accepted {
                outcome.answered();
                // A client may retry the same call after a timeout.
                assert_eq!(fixture.call(flow, tool, &bare).await.answered()["repeated"], true);
                assert_eq!(fixture.changes().len(), before + 1);
            } else {
                outcome.asked();
                assert_eq!(fixture.changes(), [], "{tool}: {confirm:?} {flow:?}");
            }
        }
    }
}

#[tokio::test]
async fn false_and_nonsense_change_nothing() {
    let fixture = Desk::start().await;
    let (tool, arguments, ..) = changes().remove(0);
    for era in ERAS {
        let flow = Way::Code(era);
        let no = with(&arguments, "confirm", json!(false));
        fixture.call(flow, tool, &no).await.refused("nothing was changed");
        let invalid = with(&arguments, "confirm", json!(1));
        fixture.call(flow, tool, &invalid).await.refused("confirm: expected the code");
    }
    assert_eq!(fixture.changes(), []);
}

#[tokio::test]
async fn where_only_a_person_counts_a_client_that_cannot_ask_changes_nothing() {
    let fixture = Desk::with(|config| config.tools.confirm = Confirm::Ask).await;
    for (tool, arguments, ..) in changes() {
        fixture
            .call(Way::Code(Era::Legacy), tool, &arguments)
            .await
            .refused("does not support elicitation");
        let params = json!({ "name": tool, "arguments": arguments });
        let reply = fixture.reply(Way::Code(Era::Modern), params).await;
        assert_eq!((reply.status, reply.code()), (400, -32021));
        let needed = &reply.json()["error"]["data"]["requiredCapabilities"];
        assert!(needed["elicitation"].is_object(), "{needed}");
        fixture.call(Way::Rounds, tool, &arguments).await.asked();
    }
    assert_eq!(fixture.changes(), []);
}

#[tokio::test]
async fn where_nobody_is_asked_it_is_done_at_once_and_once() {
    let fixture = Desk::with(|config| config.tools.confirm = Confirm::Never).await;
    for (count, (tool, arguments, ..)) in changes().into_iter().enumerate() {
        for flow in WAYS {
            fixture.call(flow, tool, &arguments).await.answered();
            assert_eq!(fixture.changes().len(), count + 1, "{tool} {flow:?}");
        }
    }
}

#[tokio::test]
async fn a_shared_key_lets_another_replica_take_the_yes() {
    let key = |letter: &str| Some(Secret::from(letter.repeat(40)));
    let shared = || async { Desk::with(|config| config.tools.seal_key = key("k")).await };
    let (one, other, foreign) = (shared().await, shared().await, Desk::start().await);
    let (tool, arguments, ..) = changes().remove(0);
    let (_, code) = one.call(Way::Rounds, tool, &arguments).await.asked();
    let elsewhere = foreign.agree(Way::Rounds, tool, &arguments, &code).await;
    elsewhere.refused("not valid for this call");
    // The token is bound to the instance, so a shared key does not suffice.
    let elsewhere = other.agree(Way::Rounds, tool, &arguments, &code).await;
    elsewhere.refused("not valid for this call");
    let url = one.server.sample.router();
    let octopus = crate::support::serve(url);
    let address = format!("http://{}", octopus.address);
    let replica = |url: String| async move {
        Desk::with(|config| {
            config.tools.seal_key = key("k");
            config.octopus.url = Some(url.parse().unwrap());
        })
        .await
    };
    let (first, second) = (replica(address.clone()).await, replica(address).await);
    let (_, code) = first.call(Way::Rounds, tool, &arguments).await.asked();
    second.agree(Way::Rounds, tool, &arguments, &code).await.answered();
    // Without a shared store, the first replica does not know the change, but the preview has changed.
    let again = first.agree(Way::Rounds, tool, &arguments, &code).await;
    again.refused("already has a release 1.13.0");
    assert_eq!(one.server.sample.changes().len(), 1);
}
