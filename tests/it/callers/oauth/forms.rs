//! What is a token of this kind at all, and what is none.

use serde_json::json;

use super::{NO_JWT, Setup};
use crate::callers::{assert_invalid, bearing, calling};

#[tokio::test]
async fn a_good_token_lets_its_caller_act_with_the_configured_credential() {
    let setup = Setup::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let called = calling(&setup.server, &token, "list_spaces", &json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let heard = format!("{:?}", setup.server.sample.journal());
    assert!(!heard.contains(&token), "the token went to Octopus");
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
        let status = bearing(&setup.server, &token).await.status;
        assert_eq!(status, if is_accepted { 200 } else { 401 }, "{typ:?}");
    }
    let critical = setup.signer.sign_with(&setup.issuer.claims(), |header| {
        header.crit = Some(vec!["b64".to_owned()]);
    });
    assert_eq!(bearing(&setup.server, &critical).await.status, 401);
}

#[tokio::test]
async fn what_is_no_token_at_all_is_refused() {
    let setup = Setup::new().await;
    for token in ["x", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", "....", "API-NOTATOKENATALL"] {
        let refused = bearing(&setup.server, token).await;
        assert_invalid(&setup.server, &refused, "", NO_JWT);
    }
    let long = format!("eyJ{}.x.y", "a".repeat(17_000));
    setup.refuses_token(&long, "the token is longer than 16 KiB").await;
    assert_eq!(setup.issuer.asked(), (0, 0), "nobody was asked about them");
}
