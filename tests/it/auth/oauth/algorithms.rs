//! Signatures: accepted algorithms, and detection of changed tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use octopus_mcp::{auth::Authenticators, config::Config, telemetry::Metrics};
use serde_json::json;

use super::{BAD_SIGNATURE, NOT_A_JWT, OAuthFixture, UNKNOWN_KEY};
use crate::{
    auth::{
        assert_invalid_token, list_tools_with_token,
        test_issuer::{Signer, TestIssuer, encode_token},
    },
    support::TestServer,
};

#[tokio::test]
async fn accepts_all_asymmetric_algorithms() {
    for signer in [
        Signer::new("es256"),
        Signer::es384("es384"),
        Signer::ed25519("ed"),
        Signer::rsa("rs256", Algorithm::RS256),
        Signer::rsa("ps512", Algorithm::PS512),
    ] {
        let issuer = TestIssuer::start(&[&signer]);
        let mut config = Config::default();
        issuer.configure(&mut config);
        let authenticators =
            Authenticators::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
        let token = signer.sign(&issuer.claims());
        let authenticators = authenticators.authenticate_bearer(&token, "/mcp").await.unwrap();
        assert_eq!(
            (authenticators.name.as_str(), authenticators.issuer.as_deref()),
            ("maria.gomez", Some(&*issuer.url))
        );
    }
}

#[tokio::test]
async fn rejects_unconfigured_algorithm() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.issuers[0].algorithms =
            vec![octopus_mcp::config::SigningAlgorithm::RS256];
    })
    .await;
    let token = signer.sign(&issuer.claims());
    assert_invalid_token(&server, &list_tools_with_token(&server, &token).await, &token, NOT_A_JWT);
}

#[tokio::test]
async fn rejects_unsigned_token() {
    let setup = OAuthFixture::new().await;
    for algorithm in ["none", "None", "NONE", ""] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
        for signature in ["", "AAAA"] {
            let token = encode_token(&header, &setup.issuer.claims(), signature);
            setup.assert_rejects_token(&token, NOT_A_JWT).await;
        }
    }
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "one" });
    let token = encode_token(&header, &setup.issuer.claims(), "");
    setup.assert_rejects_token(&token, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn rejects_token_with_changed_claims() {
    let setup = OAuthFixture::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let parts: Vec<&str> = token.split('.').collect();
    let claims = setup.issuer.claims_with(&json!({ "scope": "octopus:admin" }));
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    setup.assert_rejects_token(&format!("{}.{claims}.{}", parts[0], parts[2]), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn rejects_token_with_changed_signature() {
    let setup = OAuthFixture::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[10] ^= 1;
    let changed = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    setup.assert_rejects_token(&format!("{rest}.{changed}"), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn rejects_token_with_changed_algorithm() {
    let setup = OAuthFixture::with_signer(Signer::rsa("one", Algorithm::RS256)).await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let (_, rest) = token.split_once('.').unwrap();
    for algorithm in ["PS256", "RS512"] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
        let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
        // The JWK names its algorithm, so no key matches another algorithm.
        setup.assert_rejects_token(&format!("{header}.{rest}"), UNKNOWN_KEY).await;
    }
}
