//! Server tokens, which the settings store as SHA-256 hashes.

use std::{fmt::Write as _, fs};

use octopus_mcp::{
    callers::{Scope, Way, Ways},
    config::{self, AuthMode, Config, List, Modes, Secret, Token},
    telemetry::Metrics,
};
use octopus_sample::keys;
use sha2::{Digest, Sha256};

use super::{bearing, calling, list};
use crate::{
    commands::{Serving, program},
    support::{Reply, TestServer, client, reply},
};

pub const AGENT: &str = "omcp_00000000000000000000000000000000000000000000000000000000000agent";
pub const OTHER: &str = "omcp_00000000000000000000000000000000000000000000000000000000000other";

pub fn hash(token: &str) -> String {
    let byte = |mut hash: String, byte: &u8| {
        let _ = write!(hash, "{byte:02x}");
        hash
    };
    Sha256::digest(token).iter().fold(String::new(), byte)
}

fn known(token: &str) -> Token {
    Token { sha256: hash(token), ..Token::default() }
}

fn with_tokens(config: &mut Config) {
    config.auth.mode = Some(Modes(vec![AuthMode::Tokens]));
    config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    config.auth.tokens.insert("build-agent".to_owned(), known(AGENT));
}

fn assert_refused(rejected: &Reply, message: &str) {
    assert_eq!((rejected.status, rejected.json()["id"].as_str()), (401, Some("x")));
    assert_eq!(rejected.message(), message);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
    assert_eq!(rejected.header("www-authenticate"), challenge);
    assert!(!format!("{rejected:?}").contains("omcp_"), "{rejected:?}");
}

#[tokio::test]
async fn a_known_token_lets_its_caller_act_with_the_configured_credential() {
    let server = TestServer::with(with_tokens).await;
    let called = calling(&server, AGENT, "list_spaces", &serde_json::json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let journal = format!("{:?}", server.sample.journal());
    assert!(!journal.contains("omcp_"), "the token was sent to Octopus");
}

#[tokio::test]
async fn an_unknown_token_is_refused_and_not_repeated() {
    let server = TestServer::with(with_tokens).await;
    let short = &AGENT[..AGENT.len() - 1];
    let long = format!("{AGENT}0");
    let hash = hash(AGENT);
    for token in [OTHER, short, &long, "omcp_", &hash, keys::ADMIN] {
        assert_refused(&bearing(&server, token).await, "the token is not known to this server");
    }
    let none = list(&server, &[]).await;
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (401, "Bearer realm=\"octopus-mcp\"")
    );
    assert!(none.message().contains("Authorization: Bearer"), "{}", none.text);
}

#[tokio::test]
async fn an_expired_token_is_refused_and_says_so() {
    let server = TestServer::with(|config| {
        with_tokens(config);
        let expires = serde_json::from_str("\"2020-01-31\"").unwrap();
        let other = Token { expires: Some(expires), ..known(OTHER) };
        config.auth.tokens.insert("old".to_owned(), other);
    })
    .await;
    let message = "the token has expired; ask the server administrator for a new one";
    assert_refused(&bearing(&server, OTHER).await, message);
    assert_eq!(bearing(&server, AGENT).await.status, 200);
}

#[tokio::test]
async fn a_caller_is_what_the_settings_say_of_the_token() {
    let mut config = Config::default();
    with_tokens(&mut config);
    let list = |message: &[&str]| List(message.iter().map(|word| (*word).to_owned()).collect());
    let token = Token {
        owner: Some("Freight team".to_owned()),
        groups: list(&["agents", "freight"]),
        scope: config::Scope::Deploy,
        toolsets: list(&["deployments"]),
        instances: list(&["default"]),
        expires: Some(serde_json::from_str("\"2999-01-31\"").unwrap()),
        ..known(OTHER)
    };
    config.auth.tokens.insert("freight-agent".to_owned(), token);
    let identity = Ways::from_config(&config, |_| Ok(()), &Metrics::default())
        .unwrap()
        .bearer(OTHER, "/mcp")
        .await
        .unwrap();
    assert_eq!((identity.way, identity.name.as_str()), (Way::Token, "freight-agent"));
    assert_eq!(identity.client.as_deref(), Some("Freight team"));
    assert!(identity.groups.contains("agents") && identity.groups.contains("freight"));
    assert_eq!(identity.grants.scope, Scope::Deploy);
    assert!(identity.grants.toolsets.as_ref().unwrap().contains("deployments"));
    assert!(identity.grants.instances.as_ref().unwrap().contains("default"));
    assert_eq!(identity.grants.spaces, None);
    assert_eq!(identity.expires.unwrap().to_string(), "2999-02-01T00:00:00Z");
    let defaults = Ways::from_config(&config, |_| Ok(()), &Metrics::default())
        .unwrap()
        .bearer(AGENT, "/mcp")
        .await
        .unwrap();
    assert_eq!((defaults.grants.scope, defaults.expires), (Scope::Read, None));
    assert_ne!(defaults.fingerprint(), identity.fingerprint());
}

#[tokio::test]
async fn the_file_of_tokens_is_read_again_when_it_changes_and_kept_when_it_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let table =
        |name: &str, token: &str| format!("[auth.tokens.{name}]\nsha256 = \"{}\"\n", hash(token));
    fs::write(&path, table("first", AGENT)).unwrap();
    let server = TestServer::with(|config| {
        with_tokens(config);
        config.auth.tokens.clear();
        config.auth.tokens_file = Some(path.clone());
    })
    .await;
    let statuses =
        async || (bearing(&server, AGENT).await.status, bearing(&server, OTHER).await.status);
    assert_eq!(statuses().await, (200, 401));
    fs::write(&path, format!("{}{}", table("first", AGENT), table("second", OTHER))).unwrap();
    assert_eq!(statuses().await, (200, 200));
    // A removed token is rejected.
    fs::write(&path, format!("# only one is left\n{}", table("second", OTHER))).unwrap();
    assert_eq!(statuses().await, (401, 200));
    for broken in ["[auth.tokens.x]\nsha256 = \"12\"", "not TOML at all"] {
        fs::write(&path, broken).unwrap();
        assert_eq!(statuses().await, (401, 200), "{broken}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(statuses().await, (401, 200));
    fs::write(&path, "").unwrap();
    assert_eq!(statuses().await, (401, 401));
}

#[tokio::test]
async fn a_token_that_the_command_makes_is_good_once_its_table_is_in_the_settings() {
    let output = program(&["token", "new", "build-agent"]).output().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let token = printed.lines().find_map(|line| line.trim().strip_prefix("omcp_")).unwrap();
    let token = format!("omcp_{token}");
    assert_eq!(printed.matches(&token).count(), 1, "{printed}");
    let table = &printed[printed.find("[auth.tokens.build-agent]").unwrap()..];
    assert!(table.contains(&hash(&token)) && !table.contains(&token), "{printed}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, format!("[sample]\nenabled = true\n[auth]\nmode = \"tokens\"\n{table}"))
        .unwrap();
    let config = path.to_str().unwrap();
    let serving =
        Serving::start(program(&["--listen=127.0.0.1:0", "--sample", "--config", config]));
    let ask = async |token: &str| {
        let request = client().post(&serving.url).body(super::LIST);
        let request = request.header("content-type", "application/json");
        let request = request.header("x-octopus-apikey", keys::ADMIN);
        reply(request.header("authorization", format!("Bearer {token}"))).await
    };
    assert_eq!(ask(&token).await.status, 200);
    assert_eq!(ask(OTHER).await.status, 401);
    let again = program(&["token", "new", "build-agent"]).output().unwrap();
    assert!(
        !String::from_utf8(again.stdout).unwrap().contains(&token),
        "each run generates a new token"
    );
    for invalid in ["", "a b", "a.b", "\"]"] {
        let output = program(&["token", "new", invalid]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{invalid}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("expected 1 to 64 letters, digits, hyphens"), "{invalid}: {error}");
    }
}

#[tokio::test]
async fn tokens_and_access_tokens_are_told_apart() {
    let signer = super::issuer::Signer::new("one");
    let issuer = super::issuer::TestIssuer::with(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        with_tokens(config);
        config.auth.mode = Some(Modes(vec![AuthMode::Tokens, AuthMode::Oauth]));
    })
    .await;
    assert_eq!(bearing(&server, AGENT).await.status, 200);
    assert_eq!(bearing(&server, &signer.sign(&issuer.claims())).await.status, 200);
    let message = "the token is not known to this server";
    super::assert_invalid(&server, &bearing(&server, OTHER).await, OTHER, message);
}
