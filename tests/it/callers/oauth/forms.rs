//! Token types and malformed tokens.

use serde_json::json;

use super::{NO_JWT, Setup};
use crate::callers::{assert_invalid, bearing, calling};

#[tokio::test]
async fn a_good_token_lets_its_caller_act_with_the_configured_credential() {
    let setup = Setup::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let called = calling(&setup.server, &token, "list_spaces", &json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let journal = format!("{:?}", setup.server.sample.journal());
    assert!(!journal.contains(&token), "the token was sent to Octopus");
}

#[tokio::test]
async fn another_kind_of_token_of_the_issuer_is_refused() {
    let setup = Setup::new().await;
    for (typ, is_accepted) in [
        (Some("at+jwt"), true),
        (Some("application/at+jwt"), true),
        (Some("jwt"), true),
        (None, true),
        (Some("logout+jwt"), false),
        (Some("dpop+jwt"), false),
        (Some("secevent+jwt"), false),
    ] {
        let typ = typ.map(str::to_owned);
        let token =
            setup.signer.sign_with(&setup.issuer.claims(), |header| header.typ = typ.clone());
        let reply = bearing(&setup.server, &token).await;
        if is_accepted {
            assert_eq!(reply.status, 200, "{typ:?}: {}", reply.text);
        } else {
            let message = "the token is not an access token; its typ header must be at+jwt or JWT";
            assert_invalid(&setup.server, &reply, &token, message);
        }
    }
    let critical = setup.signer.sign_with(&setup.issuer.claims(), |header| {
        header.crit = Some(vec!["b64".to_owned()]);
    });
    let message = "the token has critical header parameters (crit), which are not supported";
    setup.refuses_token(&critical, message).await;
}

#[tokio::test]
async fn what_is_no_token_at_all_is_refused() {
    let setup = Setup::new().await;
    for token in ["x", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", "....", "API-NOTATOKENATALL"] {
        let rejected = bearing(&setup.server, token).await;
        assert_invalid(&setup.server, &rejected, "", NO_JWT);
    }
    let long = format!("eyJ{}.x.y", "a".repeat(17_000));
    setup.refuses_token(&long, "the token is longer than 16 KiB").await;
    assert_eq!(setup.issuer.asked(), (0, 0), "malformed tokens cause no request to the issuer");
}
