//! Access tokens: what is accepted, and every way in which one is refused.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use octopus_mcp::{callers::Ways, config::Config, telemetry::Metrics};
use serde_json::{Value, json};

use super::{
    assert_invalid, bearing,
    issuer::{Signer, TestIssuer, now, unsigned},
};
use crate::support::TestServer;

const NO_JWT: &str = "the token is no JWT, or is signed in a way that is not accepted here";
const UNKNOWN_ISSUER: &str = "the token is of an issuer that this server does not trust";
const UNKNOWN_KEY: &str = "the token is signed with a key that its issuer does not have";
const BAD_SIGNATURE: &str = "the signature of the token is not right";
const ELSEWHERE: &str = "the token was made for another resource";

struct Setup {
    signer: Signer,
    issuer: TestIssuer,
    server: TestServer,
}

impl Setup {
    async fn new() -> Self {
        Self::signing(Signer::new("one")).await
    }

    async fn signing(signer: Signer) -> Self {
        let issuer = TestIssuer::with(&[&signer]);
        let server = TestServer::with(|config| issuer.trusted(config)).await;
        Self { signer, issuer, server }
    }

    /// A token is good, and is refused with these words once its claims are changed.
    async fn refuses(&self, change: &Value, words: &str) {
        let good = bearing(&self.server, &self.signer.sign(&self.issuer.claims())).await;
        assert_eq!(good.status, 200, "{}", good.text);
        self.refuses_token(&self.signer.sign(&self.issuer.claims_with(change)), words).await;
    }

    async fn refuses_token(&self, token: &str, words: &str) {
        let refused = bearing(&self.server, token).await;
        assert_invalid(&self.server, &refused, token, words);
    }
}

#[tokio::test]
async fn a_good_token_lets_its_caller_act_with_the_configured_credential() {
    let setup = Setup::new().await;
    let token = setup.signer.sign(&setup.issuer.claims());
    let called = super::calling(&setup.server, &token, "list_spaces", &json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let heard = format!("{:?}", setup.server.sample.journal());
    assert!(!heard.contains(&token), "the token went to Octopus");
}

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
        let who = Ways::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
        let token = signer.sign(&issuer.claims());
        let who = who.bearer(&token, "/mcp").await.unwrap();
        assert_eq!((who.name.as_str(), who.issuer.as_deref()), ("maria.gomez", Some(&*issuer.url)));
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
async fn an_expired_token_is_refused() {
    let setup = Setup::new().await;
    setup.refuses(&json!({ "exp": now() - 60 }), "the token has expired").await;
}

#[tokio::test]
async fn clocks_may_be_a_little_off() {
    let setup = Setup::new().await;
    for change in [json!({ "exp": now() - 10 }), json!({ "nbf": now() + 10 })] {
        let token = setup.signer.sign(&setup.issuer.claims_with(&change));
        assert_eq!(bearing(&setup.server, &token).await.status, 200, "{change}");
    }
}

#[tokio::test]
async fn a_token_without_an_expiry_is_refused() {
    let setup = Setup::new().await;
    setup.refuses(&json!({ "exp": null }), "the token does not say when it expires").await;
    setup.refuses(&json!({ "exp": "never" }), "the token does not say when it expires").await;
}

#[tokio::test]
async fn a_token_that_is_not_good_yet_is_refused() {
    let setup = Setup::new().await;
    setup.refuses(&json!({ "nbf": now() + 300 }), "the token is not good yet").await;
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let setup = Setup::new().await;
    for audience in [json!("api://other"), json!(["api://other"]), json!(null), json!([])] {
        setup.refuses(&json!({ "aud": audience }), ELSEWHERE).await;
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let setup = Setup::new().await;
    let slash = format!("{}/", setup.issuer.url);
    for issuer in [json!("https://evil.example.com"), json!(slash), json!(null), json!(7)] {
        setup.refuses(&json!({ "iss": issuer }), UNKNOWN_ISSUER).await;
    }
    let both = json!([setup.issuer.url, "https://evil.example.com"]);
    setup.refuses(&json!({ "iss": both }), UNKNOWN_ISSUER).await;
}

#[tokio::test]
async fn a_token_with_a_key_that_the_issuer_does_not_have_is_refused() {
    let setup = Setup::new().await;
    let stranger = Signer::new("stranger");
    setup.refuses_token(&stranger.sign(&setup.issuer.claims()), UNKNOWN_KEY).await;
}

#[tokio::test]
async fn a_token_with_a_strangers_key_under_a_known_name_is_refused() {
    let setup = Setup::new().await;
    let stranger = Signer::new("one");
    setup.refuses_token(&stranger.sign(&setup.issuer.claims()), BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_that_brings_its_own_key_is_refused() {
    let setup = Setup::new().await;
    let stranger = Signer::new("one");
    let own = serde_json::from_value(stranger.public()).unwrap();
    let token = stranger.sign_with(&setup.issuer.claims(), |header| {
        header.jwk = Some(own);
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
    let shared = json!({ "kty": "oct", "k": secret, "kid": "shared", "alg": "HS256" });
    setup.issuer.shows_all(vec![shared, setup.signer.public()]);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("shared".to_owned());
    let key = EncodingKey::from_secret(b"secret");
    let token = encode(&header, &setup.issuer.claims(), &key).unwrap();
    setup.refuses_token(&token, NO_JWT).await;
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
    let more = setup.issuer.claims_with(&json!({ "scope": "octopus:admin" }));
    let more = BASE64_URL_SAFE_NO_PAD.encode(more.to_string());
    setup.refuses_token(&format!("{}.{more}.{}", parts[0], parts[2]), BAD_SIGNATURE).await;
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
        // The key says what it signs with, so under another algorithm it is another key.
        setup.refuses_token(&format!("{header}.{rest}"), UNKNOWN_KEY).await;
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_is_accepted_where_the_issuer_has_one_alone() {
    let setup = Setup::new().await;
    let nameless = setup.signer.sign_with(&setup.issuer.claims(), |header| header.kid = None);
    assert_eq!(bearing(&setup.server, &nameless).await.status, 200);
}

#[tokio::test]
async fn a_token_that_names_no_key_is_refused_where_the_issuer_has_several() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let issuer = TestIssuer::with(&[&one, &two]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let nameless = one.sign_with(&issuer.claims(), |header| header.kid = None);
    let words = "the token does not say which key signed it, and its issuer has several";
    assert_invalid(&server, &bearing(&server, &nameless).await, &nameless, words);
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
    let crossed = other_signer.sign(&issuer.claims());
    assert_invalid(&server, &bearing(&server, &crossed).await, &crossed, UNKNOWN_KEY);
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
    setup.refuses_token(&long, "the token is too long").await;
    assert_eq!(setup.issuer.asked(), (0, 0), "nobody was asked about them");
}

#[tokio::test]
async fn a_token_for_one_instance_is_not_accepted_at_another() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let mut config = Config::default();
    issuer.trusted(&mut config);
    config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    config.auth.oauth.issuers[0].audiences.0.clear();
    let ways = Ways::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
    let audience = json!({ "aud": "https://mcp.example.com/mcp/i/test" });
    let token = signer.sign(&issuer.claims_with(&audience));
    for (path, is_accepted) in [
        ("/mcp/i/test", true),
        ("/mcp/i/test/Default", true),
        ("/mcp/i/production", false),
        ("/mcp/i/test2", false),
        ("/mcp", false),
    ] {
        assert_eq!(ways.bearer(&token, path).await.is_ok(), is_accepted, "{path}");
    }
    let elsewhere = json!({ "aud": "https://other.example.com/mcp" });
    let replayed = signer.sign(&issuer.claims_with(&elsewhere));
    assert!(ways.bearer(&replayed, "/mcp").await.is_err(), "a token for another server");
}
