//! Signing keys: only public keys that the issuer publishes are accepted.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::{BAD_SIGNATURE, NO_JWT, Setup, UNKNOWN_KEY};
use crate::{
    callers::{
        assert_invalid, bearing,
        issuer::{Signer, TestIssuer},
    },
    support::TestServer,
};

#[tokio::test]
async fn a_token_with_a_key_that_the_issuer_does_not_have_is_refused() {
    let setup = Setup::new().await;
    let foreign = Signer::new("stranger");
    setup.refuses_token(&foreign.sign(&setup.issuer.claims()), UNKNOWN_KEY).await;
}

#[tokio::test]
async fn a_token_with_a_strangers_key_under_a_known_name_is_refused() {
    let setup = Setup::new().await;
    let foreign = Signer::new("one");
    setup.refuses_token(&foreign.sign(&setup.issuer.claims()), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_that_brings_its_own_key_is_refused() {
    let setup = Setup::new().await;
    let foreign = Signer::new("one");
    let embedded = serde_json::from_value(foreign.public()).unwrap();
    let token = foreign.sign_with(&setup.issuer.claims(), |header| {
        header.jwk = Some(embedded);
        header.jku = Some("https://evil.example.com/keys".to_owned());
    });
    setup.refuses_token(&token, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_public_key_used_as_a_shared_secret_is_refused() {
    let setup = Setup::signing(Signer::rsa("one", Algorithm::RS256)).await;
    let public = setup.signer.public();
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
    for secret in [modulus, public["n"].as_str().unwrap().into(), public.to_string().into()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.kid = Some("one".to_owned());
            let key = EncodingKey::from_secret(&secret);
            let token = encode(&header, &setup.issuer.claims(), &key).unwrap();
            setup.refuses_token(&token, NO_JWT).await;
        }
    }
}

#[tokio::test]
async fn a_shared_secret_among_the_keys_of_the_issuer_signs_nothing() {
    let setup = Setup::new().await;
    let secret = BASE64_URL_SAFE_NO_PAD.encode("secret");
    let hmac_key = json!({ "kty": "oct", "k": secret, "kid": "shared", "alg": "HS256" });
    setup.issuer.shows_all(vec![hmac_key, setup.signer.public()]);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("shared".to_owned());
    let key = EncodingKey::from_secret(b"secret");
    let token = encode(&header, &setup.issuer.claims(), &key).unwrap();
    setup.refuses_token(&token, NO_JWT).await;
}

#[tokio::test]
async fn a_token_that_names_no_key_is_accepted_where_the_issuer_has_one_alone() {
    let setup = Setup::new().await;
    let without_key_id = setup.signer.sign_with(&setup.issuer.claims(), |header| header.kid = None);
    assert_eq!(bearing(&setup.server, &without_key_id).await.status, 200);
}

#[tokio::test]
async fn a_token_that_names_no_key_is_refused_where_the_issuer_has_several() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let issuer = TestIssuer::with(&[&one, &two]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let without_key_id = one.sign_with(&issuer.claims(), |header| header.kid = None);
    let message = "the token has no key ID (kid), and its issuer has several keys";
    assert_invalid(&server, &bearing(&server, &without_key_id).await, &without_key_id, message);
    assert_eq!(bearing(&server, &one.sign(&issuer.claims())).await.status, 200);
}

#[tokio::test]
async fn a_token_of_one_issuer_with_the_key_of_another_is_refused() {
    let (signer, other_signer) = (Signer::new("one"), Signer::new("other"));
    let (issuer, other) = (TestIssuer::with(&[&signer]), TestIssuer::with(&[&other_signer]));
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.issuers.push(other.settings());
    })
    .await;
    for (signer, issuer) in [(&signer, &issuer), (&other_signer, &other)] {
        assert_eq!(bearing(&server, &signer.sign(&issuer.claims())).await.status, 200);
    }
    let cross_signed = other_signer.sign(&issuer.claims());
    assert_invalid(&server, &bearing(&server, &cross_signed).await, &cross_signed, UNKNOWN_KEY);
}
