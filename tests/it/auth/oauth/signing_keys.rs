//! Signing keys: only public keys that the issuer publishes are accepted.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::{BAD_SIGNATURE, NOT_A_JWT, OAuthFixture, UNKNOWN_KEY};
use crate::{
    auth::{
        assert_invalid_token, list_tools_with_token,
        test_issuer::{Signer, TestIssuer},
    },
    support::TestServer,
};

#[tokio::test]
async fn rejects_token_with_unknown_key() {
    let setup = OAuthFixture::new().await;
    let foreign = Signer::new("stranger");
    setup.assert_rejects_token(&foreign.sign(&setup.issuer.claims()), UNKNOWN_KEY).await;
}

#[tokio::test]
async fn rejects_foreign_key_with_known_key_id() {
    let setup = OAuthFixture::new().await;
    let foreign = Signer::new("one");
    setup.assert_rejects_token(&foreign.sign(&setup.issuer.claims()), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn rejects_token_with_embedded_key() {
    let setup = OAuthFixture::new().await;
    let foreign = Signer::new("one");
    let embedded = serde_json::from_value(foreign.public_jwk()).unwrap();
    let token = foreign.sign_with(&setup.issuer.claims(), |header| {
        header.jwk = Some(embedded);
        header.jku = Some("https://evil.example.com/keys".to_owned());
    });
    setup.assert_rejects_token(&token, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn rejects_public_key_used_as_hmac_secret() {
    let setup = OAuthFixture::with_signer(Signer::rsa("one", Algorithm::RS256)).await;
    let public = setup.signer.public_jwk();
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
    for secret in [modulus, public["n"].as_str().unwrap().into(), public.to_string().into()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.kid = Some("one".to_owned());
            let key = EncodingKey::from_secret(&secret);
            let token = encode(&header, &setup.issuer.claims(), &key).unwrap();
            setup.assert_rejects_token(&token, NOT_A_JWT).await;
        }
    }
}

#[tokio::test]
async fn rejects_hmac_key_in_the_key_set() {
    let setup = OAuthFixture::new().await;
    let secret = BASE64_URL_SAFE_NO_PAD.encode("secret");
    let hmac_key = json!({ "kty": "oct", "k": secret, "kid": "shared", "alg": "HS256" });
    setup.issuer.publish_jwks(vec![hmac_key, setup.signer.public_jwk()]);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("shared".to_owned());
    let key = EncodingKey::from_secret(b"secret");
    let token = encode(&header, &setup.issuer.claims(), &key).unwrap();
    setup.assert_rejects_token(&token, NOT_A_JWT).await;
}

#[tokio::test]
async fn accepts_token_without_key_id_if_the_issuer_has_one_key() {
    let setup = OAuthFixture::new().await;
    let without_key_id = setup.signer.sign_with(&setup.issuer.claims(), |header| header.kid = None);
    assert_eq!(list_tools_with_token(&setup.server, &without_key_id).await.status, 200);
}

#[tokio::test]
async fn rejects_token_without_key_id_if_the_issuer_has_several_keys() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let issuer = TestIssuer::start(&[&one, &two]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let without_key_id = one.sign_with(&issuer.claims(), |header| header.kid = None);
    let message = "the token has no key ID (kid), and its issuer has several keys";
    assert_invalid_token(
        &server,
        &list_tools_with_token(&server, &without_key_id).await,
        &without_key_id,
        message,
    );
    assert_eq!(list_tools_with_token(&server, &one.sign(&issuer.claims())).await.status, 200);
}

#[tokio::test]
async fn rejects_token_signed_by_another_trusted_issuer() {
    let (signer, other_signer) = (Signer::new("one"), Signer::new("other"));
    let (issuer, other) = (TestIssuer::start(&[&signer]), TestIssuer::start(&[&other_signer]));
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.issuers.push(other.settings());
    })
    .await;
    for (signer, issuer) in [(&signer, &issuer), (&other_signer, &other)] {
        assert_eq!(
            list_tools_with_token(&server, &signer.sign(&issuer.claims())).await.status,
            200
        );
    }
    let cross_signed = other_signer.sign(&issuer.claims());
    assert_invalid_token(
        &server,
        &list_tools_with_token(&server, &cross_signed).await,
        &cross_signed,
        UNKNOWN_KEY,
    );
}
