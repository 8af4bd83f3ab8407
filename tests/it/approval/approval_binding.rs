//! Binding of an approval to its call, and the approval modes of `tools.confirm`.

use octopus_mcp::config::{ApprovalMode, Secret};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, ApprovalFixture, ApprovalFlow, write_calls};
use crate::support::{ERAS, Era};

fn with_argument(arguments: &Value, name: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value;
    arguments
}

#[tokio::test]
async fn approval_is_bound_to_caller_tool_and_arguments() {
    for flow in APPROVAL_FLOWS {
        let mut fixture = ApprovalFixture::start().await;
        let (tool, arguments, ..) = write_calls().remove(1);
        let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();

        let changed = with_argument(&arguments, "environmentNames", json!(["Production"]));
        fixture.approve(flow, tool, &changed, &token).await.expect_error("not valid for this call");
        let other = json!({ "space": "Default", "projectName": "Parcel Tracking API" });
        fixture
            .approve(flow, "create_release", &other, &token)
            .await
            .expect_error("not valid for this call");
        fixture.key = keys::DEFAULT_SPACE_ONLY;
        fixture
            .approve(flow, tool, &arguments, &token)
            .await
            .expect_error("not valid for this call");
        fixture.key = keys::ADMIN;
        let tampered = format!("{}A{}", &token[..token.len() / 2], &token[token.len() / 2 + 1..]);
        fixture
            .approve(flow, tool, &arguments, &tampered)
            .await
            .expect_error("not valid for this call");
        fixture
            .approve(flow, tool, &arguments, "yes")
            .await
            .expect_error("nothing was changed: unknown ");
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");

        // The idempotency key is one of the bound arguments.
        for key in ["a", "b"] {
            let keyed = with_argument(&arguments, "idempotencyKey", json!(key));
            fixture
                .approve(flow, tool, &keyed, &token)
                .await
                .expect_error("not valid for this call");
        }
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");

        // The order of arguments does not matter.
        let mut reversed = serde_json::Map::new();
        for (key, value) in arguments.as_object().unwrap().iter().rev() {
            reversed.insert(key.clone(), value.clone());
        }
        fixture.approve(flow, tool, &Value::Object(reversed), &token).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 1);
    }
}

/// Without a configured seal key, each process has its own.
#[tokio::test]
async fn code_of_another_process_names_the_possible_causes() {
    let (tool, arguments, ..) = write_calls().remove(0);
    for flow in APPROVAL_FLOWS {
        let before = ApprovalFixture::start().await;
        let (_, token) = before.call(flow, tool, &arguments).await.expect_approval_request();
        let after = ApprovalFixture::start().await;
        let expected = match flow {
            ApprovalFlow::InputRequired => {
                "unknown approval request: the server restarted, or another replica issued it"
            }
            ApprovalFlow::ConfirmCode(_) => {
                "unknown code: the server restarted, another replica issued it, or it is not a code"
            }
        };
        after.approve(flow, tool, &arguments, &token).await.expect_error(expected);
        assert_eq!(after.sent_changes(), [], "{flow:?}");
    }
}

#[tokio::test]
async fn code_does_not_replace_supported_elicitation() {
    let fixture = ApprovalFixture::start().await;
    let (tool, arguments, ..) = write_calls().remove(0);
    let (_, code) = fixture
        .call(ApprovalFlow::ConfirmCode(Era::Modern), tool, &arguments)
        .await
        .expect_approval_request();
    for confirm in [json!(code), json!(true)] {
        let arguments = with_argument(&arguments, "confirm", confirm);
        fixture.call(ApprovalFlow::InputRequired, tool, &arguments).await.expect_approval_request();
    }
    // A code is not valid as request state, and request state is not valid as a code.
    let (_, state) =
        fixture.call(ApprovalFlow::InputRequired, tool, &arguments).await.expect_approval_request();
    fixture
        .approve(ApprovalFlow::InputRequired, tool, &arguments, &code)
        .await
        .expect_error("not valid for this call");
    fixture
        .approve(ApprovalFlow::ConfirmCode(Era::Legacy), tool, &arguments, &state)
        .await
        .expect_error("not valid for this call");
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn confirm_true_is_accepted_only_in_argument_mode() {
    for (confirm, flow, is_accepted) in [
        (ApprovalMode::Code, ApprovalFlow::ConfirmCode(Era::Legacy), false),
        (ApprovalMode::Code, ApprovalFlow::InputRequired, false),
        (ApprovalMode::Argument, ApprovalFlow::ConfirmCode(Era::Legacy), true),
        (ApprovalMode::Argument, ApprovalFlow::ConfirmCode(Era::Modern), true),
        (ApprovalMode::Argument, ApprovalFlow::InputRequired, false),
    ] {
        let fixture = ApprovalFixture::with(|config| config.tools.confirm = confirm).await;
        for (tool, arguments, ..) in write_calls() {
            let before = fixture.sent_changes().len();
            let bare = with_argument(&arguments, "confirm", json!(true));
            let outcome = fixture.call(flow, tool, &bare).await;
            if is_accepted {
                outcome.expect_result();
                // A client may retry the same call after a timeout.
                assert_eq!(fixture.call(flow, tool, &bare).await.expect_result()["repeated"], true);
                assert_eq!(fixture.sent_changes().len(), before + 1);
            } else {
                outcome.expect_approval_request();
                assert_eq!(fixture.sent_changes(), [], "{tool}: {confirm:?} {flow:?}");
            }
        }
    }
}

#[tokio::test]
async fn confirm_false_and_invalid_values_send_nothing() {
    let fixture = ApprovalFixture::start().await;
    let (tool, arguments, ..) = write_calls().remove(0);
    for era in ERAS {
        let flow = ApprovalFlow::ConfirmCode(era);
        let no = with_argument(&arguments, "confirm", json!(false));
        fixture.call(flow, tool, &no).await.expect_error("nothing was changed");
        let invalid = with_argument(&arguments, "confirm", json!(1));
        fixture
            .call(flow, tool, &invalid)
            .await
            .expect_error("confirm: expected the approval code");
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn ask_mode_rejects_clients_without_elicitation() {
    let fixture = ApprovalFixture::with(|config| config.tools.confirm = ApprovalMode::Ask).await;
    for (tool, arguments, ..) in write_calls() {
        fixture
            .call(ApprovalFlow::ConfirmCode(Era::Legacy), tool, &arguments)
            .await
            .expect_error("does not support elicitation");
        let params = json!({ "name": tool, "arguments": arguments });
        let reply = fixture.reply(ApprovalFlow::ConfirmCode(Era::Modern), params).await;
        assert_eq!((reply.status, reply.error_code()), (400, -32021));
        let needed = &reply.json()["error"]["data"]["requiredCapabilities"];
        assert!(needed["elicitation"].is_object(), "{needed}");
        fixture.call(ApprovalFlow::InputRequired, tool, &arguments).await.expect_approval_request();
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn never_mode_sends_each_change_once_without_approval() {
    let fixture = ApprovalFixture::with(|config| config.tools.confirm = ApprovalMode::Never).await;
    for (count, (tool, arguments, ..)) in write_calls().into_iter().enumerate() {
        for flow in APPROVAL_FLOWS {
            fixture.call(flow, tool, &arguments).await.expect_result();
            assert_eq!(fixture.sent_changes().len(), count + 1, "{tool} {flow:?}");
        }
    }
}

#[tokio::test]
async fn replicas_with_the_same_seal_key_accept_each_others_approvals() {
    let key = |letter: &str| Some(Secret::from(letter.repeat(40)));
    let shared =
        || async { ApprovalFixture::with(|config| config.tools.seal_key = key("k")).await };
    let (first_replica, second_replica, foreign) =
        (shared().await, shared().await, ApprovalFixture::start().await);
    let (tool, arguments, ..) = write_calls().remove(0);
    let (_, code) = first_replica
        .call(ApprovalFlow::InputRequired, tool, &arguments)
        .await
        .expect_approval_request();
    let rejected = foreign.approve(ApprovalFlow::InputRequired, tool, &arguments, &code).await;
    rejected.expect_error("another replica issued it");
    // The token is bound to the instance, so a shared key does not suffice.
    let rejected =
        second_replica.approve(ApprovalFlow::InputRequired, tool, &arguments, &code).await;
    rejected.expect_error("not valid for this call");
    let url = first_replica.server.sample.router();
    let octopus = crate::support::serve(url);
    let address = format!("http://{}", octopus.address);
    let replica = |url: String| async move {
        ApprovalFixture::with(|config| {
            config.tools.seal_key = key("k");
            config.octopus.url = Some(url.parse().unwrap());
        })
        .await
    };
    let (first, second) = (replica(address.clone()).await, replica(address).await);
    let (_, code) =
        first.call(ApprovalFlow::InputRequired, tool, &arguments).await.expect_approval_request();
    second.approve(ApprovalFlow::InputRequired, tool, &arguments, &code).await.expect_result();
    // Without a shared store, the first replica does not know the change, but the preview has
    // changed.
    let again = first.approve(ApprovalFlow::InputRequired, tool, &arguments, &code).await;
    again.expect_error("already has a release 1.13.0");
    assert_eq!(first_replica.server.sample.changes().len(), 1);
}
