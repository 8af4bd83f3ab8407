//! Tokens that this server knows by their hash.

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

fn assert_refused(refused: &Reply, words: &str) {
    assert_eq!((refused.status, refused.json()["id"].as_str()), (401, Some("x")));
    assert_eq!(refused.message(), words);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{words}\"");
    assert_eq!(refused.header("www-authenticate"), challenge);
    assert!(!format!("{refused:?}").contains("omcp_"), "{refused:?}");
}

#[tokio::test]
async fn a_known_token_lets_its_caller_act_with_the_configured_credential() {
    let server = TestServer::with(with_tokens).await;
    let called = calling(&server, AGENT, "list_spaces", &serde_json::json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let heard = format!("{:?}", server.sample.journal());
    assert!(!heard.contains("omcp_"), "the token went to Octopus");
}

#[tokio::test]
async fn an_unknown_token_is_refused_and_not_repeated() {
    let server = TestServer::with(with_tokens).await;
    let short = &AGENT[..AGENT.len() - 1];
    let long = format!("{AGENT}0");
    let hash = hash(AGENT);
    for token in [OTHER, short, &long, "omcp_", &hash, keys::ADMIN] {
        assert_refused(&bearing(&server, token).await, "the token is not known here");
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
    let words = "the token has expired; whoever runs this server can give you a new one";
    assert_refused(&bearing(&server, OTHER).await, words);
    assert_eq!(bearing(&server, AGENT).await.status, 200);
}

#[tokio::test]
async fn a_caller_is_what_the_settings_say_of_the_token() {
    let mut config = Config::default();
    with_tokens(&mut config);
    let list = |words: &[&str]| List(words.iter().map(|word| (*word).to_owned()).collect());
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
    let who = Ways::from_config(&config, |_| Ok(()), &Metrics::default())
        .unwrap()
        .bearer(OTHER, "/mcp")
        .await
        .unwrap();
    assert_eq!((who.way, who.name.as_str()), (Way::Token, "freight-agent"));
    assert_eq!(who.client.as_deref(), Some("Freight team"));
    assert!(who.groups.contains("agents") && who.groups.contains("freight"));
    assert_eq!(who.grants.scope, Scope::Deploy);
    assert!(who.grants.toolsets.as_ref().unwrap().contains("deployments"));
    assert!(who.grants.instances.as_ref().unwrap().contains("default"));
    assert_eq!(who.grants.spaces, None);
    assert_eq!(who.expires.unwrap().to_string(), "2999-02-01T00:00:00Z");
    let plain = Ways::from_config(&config, |_| Ok(()), &Metrics::default())
        .unwrap()
        .bearer(AGENT, "/mcp")
        .await
        .unwrap();
    assert_eq!((plain.grants.scope, plain.expires), (Scope::Read, None));
    assert_ne!(plain.fingerprint(), who.fingerprint());
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
    // A token that is taken out is no longer good.
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
    let said = String::from_utf8(output.stdout).unwrap();
    let token = said.lines().find_map(|line| line.trim().strip_prefix("omcp_")).unwrap();
    let token = format!("omcp_{token}");
    assert_eq!(said.matches(&token).count(), 1, "{said}");
    let table = &said[said.find("[auth.tokens.build-agent]").unwrap()..];
    assert!(table.contains(&hash(&token)) && !table.contains(&token), "{said}");
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
    assert!(!String::from_utf8(again.stdout).unwrap().contains(&token), "each is a new one");
    for wrong in ["", "a b", "a.b", "\"]"] {
        assert!(!program(&["token", "new", wrong]).output().unwrap().status.success(), "{wrong}");
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
    let words = "the token is not known here";
    super::assert_invalid(&server, &bearing(&server, OTHER).await, OTHER, words);
}
