//! A yes counts for the one call that was shown, and only where the settings let it.

use octopus_mcp::config::{Confirm, Secret};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{Came, Desk, WAYS, Way, changes};
use crate::support::{ERAS, Era};

fn with(arguments: &Value, name: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value;
    arguments
}

#[tokio::test]
async fn a_yes_is_for_the_same_caller_tool_and_arguments() {
    for way in WAYS {
        let mut desk = Desk::start().await;
        let (tool, arguments, ..) = changes().remove(1);
        let (_, sealed) = desk.call(way, tool, &arguments).await.asked();

        let elsewhere = with(&arguments, "environmentNames", json!(["Production"]));
        desk.agree(way, tool, &elsewhere, &sealed).await.refused("not for this call");
        let other = json!({ "space": "Default", "projectName": "Parcel Tracking API" });
        desk.agree(way, "create_release", &other, &sealed).await.refused("not for this call");
        desk.key = keys::DEFAULT_SPACE_ONLY;
        desk.agree(way, tool, &arguments, &sealed).await.refused("not for this call");
        desk.key = keys::ADMIN;
        let tampered =
            format!("{}A{}", &sealed[..sealed.len() / 2], &sealed[sealed.len() / 2 + 1..]);
        desk.agree(way, tool, &arguments, &tampered).await.refused("not for this call");
        desk.agree(way, tool, &arguments, "yes").await.refused("not for this call");
        assert_eq!(desk.changes(), [], "{way:?}");

        // One yes is one change, whatever keys it is sent with.
        for key in ["a", "b"] {
            let keyed = with(&arguments, "idempotencyKey", json!(key));
            desk.agree(way, tool, &keyed, &sealed).await.refused("not for this call");
        }
        assert_eq!(desk.changes(), [], "{way:?}");

        // The order in which arguments are written means nothing.
        let mut reversed = serde_json::Map::new();
        for (key, value) in arguments.as_object().unwrap().iter().rev() {
            reversed.insert(key.clone(), value.clone());
        }
        desk.agree(way, tool, &Value::Object(reversed), &sealed).await.answered();
        assert_eq!(desk.changes().len(), 1);
    }
}

#[tokio::test]
async fn a_code_never_stands_in_for_a_person_who_can_be_asked() {
    let desk = Desk::start().await;
    let (tool, arguments, ..) = changes().remove(0);
    let (_, code) = desk.call(Way::Code(Era::Modern), tool, &arguments).await.asked();
    for confirm in [json!(code), json!(true)] {
        let arguments = with(&arguments, "confirm", confirm);
        desk.call(Way::Rounds, tool, &arguments).await.asked();
    }
    // What a person said yes to is no code, and a code is no person's yes.
    let (_, state) = desk.call(Way::Rounds, tool, &arguments).await.asked();
    desk.agree(Way::Rounds, tool, &arguments, &code).await.refused("not for this call");
    desk.agree(Way::Code(Era::Legacy), tool, &arguments, &state).await.refused("not for this call");
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn a_bare_yes_counts_only_where_the_settings_say_so() {
    for (confirm, way, counts) in [
        (Confirm::Code, Way::Code(Era::Legacy), false),
        (Confirm::Code, Way::Rounds, false),
        (Confirm::Argument, Way::Code(Era::Legacy), true),
        (Confirm::Argument, Way::Code(Era::Modern), true),
        (Confirm::Argument, Way::Rounds, false),
    ] {
        let desk = Desk::with(|config| config.tools.confirm = confirm).await;
        for (tool, arguments, ..) in changes() {
            let before = desk.changes().len();
            let bare = with(&arguments, "confirm", json!(true));
            let came = desk.call(way, tool, &bare).await;
            if counts {
                came.answered();
                // The same call again, as a client does that gave up waiting.
                assert_eq!(desk.call(way, tool, &bare).await.answered()["repeated"], true);
                assert_eq!(desk.changes().len(), before + 1);
            } else {
                came.asked();
                assert_eq!(desk.changes(), [], "{tool}: {confirm:?} {way:?}");
            }
        }
    }
}

#[tokio::test]
async fn false_and_nonsense_change_nothing() {
    let desk = Desk::start().await;
    let (tool, arguments, ..) = changes().remove(0);
    for era in ERAS {
        let way = Way::Code(era);
        let no = with(&arguments, "confirm", json!(false));
        desk.call(way, tool, &no).await.refused("nothing was changed");
        let odd = with(&arguments, "confirm", json!(1));
        desk.call(way, tool, &odd).await.refused("confirm: expected the code");
    }
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn where_only_a_person_counts_a_client_that_cannot_ask_changes_nothing() {
    let desk = Desk::with(|config| config.tools.confirm = Confirm::Ask).await;
    for (tool, arguments, ..) in changes() {
        desk.call(Way::Code(Era::Legacy), tool, &arguments).await.refused("cannot ask anybody");
        let params = json!({ "name": tool, "arguments": arguments });
        let reply = desk.reply(Way::Code(Era::Modern), params).await;
        assert_eq!((reply.status, reply.code()), (400, -32021));
        let needed = &reply.json()["error"]["data"]["requiredCapabilities"];
        assert!(needed["elicitation"].is_object(), "{needed}");
        desk.call(Way::Rounds, tool, &arguments).await.asked();
    }
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn where_nobody_is_asked_it_is_done_at_once_and_once() {
    let desk = Desk::with(|config| config.tools.confirm = Confirm::Never).await;
    for (count, (tool, arguments, ..)) in changes().into_iter().enumerate() {
        for way in WAYS {
            desk.call(way, tool, &arguments).await.answered();
            assert_eq!(desk.changes().len(), count + 1, "{tool} {way:?}");
        }
    }
}

#[tokio::test]
async fn a_shared_key_lets_another_replica_take_the_yes() {
    let key = |letter: &str| Some(Secret::from(letter.repeat(40)));
    let shared = || async { Desk::with(|config| config.tools.seal_key = key("k")).await };
    let (one, other, stranger) = (shared().await, shared().await, Desk::start().await);
    // The replicas reach the same instance, which the seal is bound to.
    let (tool, arguments, ..) = changes().remove(0);
    let (_, code) = one.call(Way::Rounds, tool, &arguments).await.asked();
    let elsewhere = stranger.agree(Way::Rounds, tool, &arguments, &code).await;
    assert!(matches!(elsewhere, Came::Refused(_)));
    // Another instance is another thing to change, whatever the key.
    let elsewhere = other.agree(Way::Rounds, tool, &arguments, &code).await;
    assert!(matches!(elsewhere, Came::Refused(_)));
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
    // The first replica does not know of the deed, and finds that what was shown is no more.
    let again = first.agree(Way::Rounds, tool, &arguments, &code).await;
    assert!(matches!(again, Came::Refused(_)), "{again:?}");
    assert_eq!(one.server.sample.changes().len(), 1);
}
