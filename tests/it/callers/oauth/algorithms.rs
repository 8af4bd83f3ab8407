//! Signatures: accepted algorithms, and detection of changed tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use octopus_mcp::{callers::Ways, config::Config, telemetry::Metrics};
use serde_json::json;

use super::{BAD_SIGNATURE, NO_JWT, Setup, UNKNOWN_KEY};
use crate::{
    callers::{
        assert_invalid, bearing,
        issuer::{Signer, TestIssuer, unsigned},
    },
    support::TestServer,
};

#[tokio::test]
async fn every_algorithm_with_a_public_key_is_accepted() {
    for signer in [
        Signer::new("es256"),
        Signer::es384("es384"),
        Signer::ed25519("ed"),
        Signer::rsa("rs256", Algorithm::RS256),
        Signer::rsa("ps512", Algorithm::PS512),
    ] {
        let issuer = TestIssuer::with(&[&signer]);
        let mut config = Config::default();
        issuer.trusted(&mut config);
        let authenticators = Ways::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
        let token = signer.sign(&issuer.claims());
        let authenticators = authenticators.bearer(&token, "/mcp").await.unwrap();
        assert_eq!(
            (authenticators.name.as_str(), authenticators.issuer.as_deref()),
            ("maria.gomez", Some(&*issuer.url))
        );
    }
}

#[tokio::test]
async fn an_algorithm_that_the_settings_do_not_name_is_refused() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.auth.oauth.issuers[0].algorithms =
            vec![octopus_mcp::config::SigningAlgorithm::RS256];
    })
    .await;
    let token = signer.sign(&issuer.claims());
    assert_invalid(&server, &bearing(&server, &token).await, &token, NO_JWT);
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let setup = Setup::new().await;
    for algorithm in ["none", "None", "NONE", ""] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
        for signature in ["", "AAAA"] {
            let token = unsigned(&header, &setup.issuer.claims(), signature);
            setup.refuses_token(&token, NO_JWT).await;
        }
    }
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "one" });
    let token = unsigned(&header, &setup.issuer.claims(), "");
    setup.refuses_token(&token, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_whose_content_was_changed_is_refused() {
    let setup = Setup::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let parts: Vec<&str> = token.split('.').collect();
    let claims = setup.issuer.claims_with(&json!({ "scope": "octopus:admin" }));
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    setup.refuses_token(&format!("{}.{claims}.{}", parts[0], parts[2]), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_whose_signature_was_changed_is_refused() {
    let setup = Setup::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[10] ^= 1;
    let changed = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    setup.refuses_token(&format!("{rest}.{changed}"), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_whose_algorithm_was_changed_is_refused() {
    let setup = Setup::signing(Signer::rsa("one", Algorithm::RS256)).await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let (_, rest) = token.split_once('.').unwrap();
    for algorithm in ["PS256", "RS512"] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
        let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
        // The JWK names its algorithm, so no key matches another algorithm.
        setup.refuses_token(&format!("{header}.{rest}"), UNKNOWN_KEY).await;
    }
}
