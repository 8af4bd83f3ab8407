//! Server tokens. The settings contain their SHA-256 hashes.

use std::{fmt::Write as _, fs};

use octopus_mcp::{
    auth::{AuthMethod, Authenticators, TokenScope},
    config::{AuthMode, AuthModes, Config, ListSetting, Secret, TokenSettings},
    telemetry::Metrics,
};
use octopus_sample::keys;
use sha2::{Digest, Sha256};

use super::{call_with_token, list_tools, list_tools_with_token};
use crate::{
    cli::{ServerProcess, program},
    support::{Reply, TestServer, client, send},
};

pub const AGENT_TOKEN: &str =
    "omcp_00000000000000000000000000000000000000000000000000000000000agent";
pub const OTHER_TOKEN: &str =
    "omcp_00000000000000000000000000000000000000000000000000000000000other";

pub fn sha256_hex(token: &str) -> String {
    let byte = |mut hash: String, byte: &u8| {
        let _ = write!(hash, "{byte:02x}");
        hash
    };
    Sha256::digest(token).iter().fold(String::new(), byte)
}

fn token_settings(token: &str) -> TokenSettings {
    TokenSettings { sha256: sha256_hex(token), ..TokenSettings::default() }
}

fn enable_tokens(config: &mut Config) {
    config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens]));
    config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    config.auth.tokens.insert("build-agent".to_owned(), token_settings(AGENT_TOKEN));
}

fn assert_rejected(rejected: &Reply, message: &str) {
    assert_eq!((rejected.status, rejected.json()["id"].as_str()), (401, Some("x")));
    assert_eq!(rejected.error_message(), message);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
    assert_eq!(rejected.header("www-authenticate"), challenge);
    assert!(!format!("{rejected:?}").contains("omcp_"), "{rejected:?}");
}

#[tokio::test]
async fn known_token_uses_the_configured_octopus_credential() {
    let server = TestServer::with(enable_tokens).await;
    let called = call_with_token(&server, AGENT_TOKEN, "list_spaces", &serde_json::json!({})).await;
    assert_eq!(called.json()["result"]["structuredContent"]["totalResults"], 2, "{}", called.text);
    let journal = format!("{:?}", server.sample.journal());
    assert!(!journal.contains("omcp_"), "the token was sent to Octopus");
}

#[tokio::test]
async fn unknown_token_is_rejected_and_not_echoed() {
    let server = TestServer::with(enable_tokens).await;
    let short = &AGENT_TOKEN[..AGENT_TOKEN.len() - 1];
    let long = format!("{AGENT_TOKEN}0");
    let hash = sha256_hex(AGENT_TOKEN);
    for token in [OTHER_TOKEN, short, &long, "omcp_", &hash, keys::ADMIN] {
        assert_rejected(
            &list_tools_with_token(&server, token).await,
            "the token is not known to this server",
        );
    }
    let none = list_tools(&server, &[]).await;
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (401, "Bearer realm=\"octopus-mcp\"")
    );
    assert!(none.error_message().contains("Authorization: Bearer"), "{}", none.text);
}

#[tokio::test]
async fn expired_token_is_rejected_with_the_reason() {
    let server = TestServer::with(|config| {
        enable_tokens(config);
        let expires = serde_json::from_str("\"2020-01-31\"").unwrap();
        let other = TokenSettings { expires: Some(expires), ..token_settings(OTHER_TOKEN) };
        config.auth.tokens.insert("old".to_owned(), other);
    })
    .await;
    let message = "the token has expired; ask the server administrator for a new one";
    assert_rejected(&list_tools_with_token(&server, OTHER_TOKEN).await, message);
    assert_eq!(list_tools_with_token(&server, AGENT_TOKEN).await.status, 200);
}

#[tokio::test]
async fn caller_has_the_attributes_of_its_token_settings() {
    let mut config = Config::default();
    enable_tokens(&mut config);
    let list =
        |message: &[&str]| ListSetting(message.iter().map(|word| (*word).to_owned()).collect());
    let token = TokenSettings {
        owner: Some("Freight team".to_owned()),
        groups: list(&["agents", "freight"]),
        scope: TokenScope::Deploy,
        toolsets: list(&["deployments"]),
        instances: list(&["default"]),
        expires: Some(serde_json::from_str("\"2999-01-31\"").unwrap()),
        ..token_settings(OTHER_TOKEN)
    };
    config.auth.tokens.insert("freight-agent".to_owned(), token);
    let identity = Authenticators::from_config(&config, |_| Ok(()), &Metrics::default())
        .unwrap()
        .authenticate_bearer(OTHER_TOKEN, "/mcp")
        .await
        .unwrap();
    assert_eq!((identity.method, identity.name.as_str()), (AuthMethod::Token, "freight-agent"));
    assert_eq!(
        (identity.client.as_deref(), identity.owner.as_deref()),
        (None, Some("Freight team"))
    );
    assert!(identity.groups.contains("agents") && identity.groups.contains("freight"));
    assert_eq!(identity.grants.scope, TokenScope::Deploy);
    assert!(identity.grants.toolsets.as_ref().unwrap().contains("deployments"));
    assert!(identity.grants.instances.as_ref().unwrap().contains("default"));
    assert_eq!(identity.grants.spaces, None);
    assert_eq!(identity.expires.unwrap().to_string(), "2999-02-01T00:00:00Z");
    let defaults = Authenticators::from_config(&config, |_| Ok(()), &Metrics::default())
        .unwrap()
        .authenticate_bearer(AGENT_TOKEN, "/mcp")
        .await
        .unwrap();
    assert_eq!((defaults.grants.scope, defaults.expires), (TokenScope::Read, None));
    assert_ne!(defaults.fingerprint(), identity.fingerprint());
}

#[tokio::test]
async fn tokens_file_is_reloaded_and_invalid_content_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let table = |name: &str, token: &str| {
        format!("[auth.tokens.{name}]\nsha256 = \"{}\"\n", sha256_hex(token))
    };
    fs::write(&path, table("first", AGENT_TOKEN)).unwrap();
    let server = TestServer::with(|config| {
        enable_tokens(config);
        config.auth.tokens.clear();
        config.auth.tokens_file = Some(path.clone());
    })
    .await;
    let statuses = async || {
        (
            list_tools_with_token(&server, AGENT_TOKEN).await.status,
            list_tools_with_token(&server, OTHER_TOKEN).await.status,
        )
    };
    assert_eq!(statuses().await, (200, 401));
    fs::write(&path, format!("{}{}", table("first", AGENT_TOKEN), table("second", OTHER_TOKEN)))
        .unwrap();
    assert_eq!(statuses().await, (200, 200));
    // A removed token is rejected.
    fs::write(&path, format!("# only one is left\n{}", table("second", OTHER_TOKEN))).unwrap();
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
async fn generated_token_works_with_its_settings_table() {
    let output = program(&["token", "new", "build-agent"]).output().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let token = printed.lines().find_map(|line| line.trim().strip_prefix("omcp_")).unwrap();
    let token = format!("omcp_{token}");
    assert_eq!(printed.matches(&token).count(), 1, "{printed}");
    let table = &printed[printed.find("[auth.tokens.build-agent]").unwrap()..];
    assert!(table.contains(&sha256_hex(&token)) && !table.contains(&token), "{printed}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, format!("[sample]\nenabled = true\n[auth]\nmode = \"tokens\"\n{table}"))
        .unwrap();
    let config = path.to_str().unwrap();
    let serving =
        ServerProcess::start(program(&["--listen=127.0.0.1:0", "--sample", "--config", config]));
    let ask = async |token: &str| {
        let request = client().post(&serving.url).body(crate::auth::LIST_TOOLS);
        let request = request.header("content-type", "application/json");
        send(request.header("authorization", format!("Bearer {token}"))).await
    };
    assert_eq!(ask(&token).await.status, 200);
    assert_eq!(ask(OTHER_TOKEN).await.status, 401);
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
async fn server_tokens_and_access_tokens_work_together() {
    let signer = crate::auth::test_issuer::Signer::new("one");
    let issuer = crate::auth::test_issuer::TestIssuer::start(&[&signer]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        enable_tokens(config);
        config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens, AuthMode::Oauth]));
    })
    .await;
    assert_eq!(list_tools_with_token(&server, AGENT_TOKEN).await.status, 200);
    assert_eq!(list_tools_with_token(&server, &signer.sign(&issuer.claims())).await.status, 200);
    let message = "the token is not known to this server";
    crate::auth::assert_invalid_token(
        &server,
        &list_tools_with_token(&server, OTHER_TOKEN).await,
        OTHER_TOKEN,
        message,
    );
}
