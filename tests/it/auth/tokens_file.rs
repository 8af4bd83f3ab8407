//! The tokens file: reloading, invalid content, and the stale limit.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use octopus_mcp::{
    app,
    config::{AuthMode, AuthModes, Config, DurationSetting, Secret, TokenSettings},
};
use octopus_sample::keys;

use super::{
    list_tools_with_token,
    tokens::{AGENT_TOKEN, OTHER_TOKEN, sha256_hex},
};
use crate::support::{TestServer, wait_until_some};

fn token_table(name: &str, token: &str) -> String {
    format!("[auth.tokens.{name}]\nsha256 = \"{}\"\n", sha256_hex(token))
}

fn use_tokens_file(config: &mut Config, path: &Path) {
    config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens]));
    config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    config.auth.tokens_file = Some(path.to_owned());
}

/// Starts a server with a tokens file of this content; also returns the file and its folder.
async fn start_with_file(
    text: &str,
    change: impl FnOnce(&mut Config),
) -> (TestServer, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    fs::write(&path, text).unwrap();
    let server = TestServer::with(|config| {
        use_tokens_file(config, &path);
        change(config);
    })
    .await;
    (server, path, folder)
}

/// Returns the statuses of requests with the two tokens.
async fn statuses(server: &TestServer) -> (u16, u16) {
    (
        list_tools_with_token(server, AGENT_TOKEN).await.status,
        list_tools_with_token(server, OTHER_TOKEN).await.status,
    )
}

/// Writes a text, padded to this length, with a fixed modification time.
fn write_with_fixed_mtime(path: &Path, text: &str, length: usize) {
    fs::write(path, format!("{text:<length$}")).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
}

#[tokio::test]
async fn partially_written_file_is_read_again() {
    let (server, path, _folder) = start_with_file(&token_table("first", AGENT_TOKEN), |_| {}).await;
    assert_eq!(statuses(&server).await, (200, 401));
    // The complete content has the same length and modification time as the partial content.
    write_with_fixed_mtime(&path, "[auth.tokens.second]\nsha256 = \"12", 200);
    assert_eq!(statuses(&server).await, (200, 401));
    write_with_fixed_mtime(&path, &token_table("second", OTHER_TOKEN), 200);
    wait_until_some(async || (statuses(&server).await == (401, 200)).then_some(())).await;
}

#[tokio::test]
async fn tokens_of_a_broken_file_expire_after_the_stale_limit() {
    for (stale_for, status) in [(Duration::from_hours(1), 200), (Duration::ZERO, 401)] {
        let change = |config: &mut Config| {
            let settings =
                TokenSettings { sha256: sha256_hex(OTHER_TOKEN), ..TokenSettings::default() };
            config.auth.tokens.insert("settings".to_owned(), settings);
            config.auth.tokens_stale_for = DurationSetting(stale_for);
        };
        let (server, path, _folder) =
            start_with_file(&token_table("first", AGENT_TOKEN), change).await;
        assert_eq!(statuses(&server).await, (200, 200));
        fs::write(&path, "[auth.tokens").unwrap();
        // Invalid content takes effect only at the second read.
        wait_until_some(async || (statuses(&server).await == (status, 200)).then_some(())).await;
        fs::remove_file(&path).unwrap();
        assert_eq!(statuses(&server).await, (status, 200));
        fs::write(&path, token_table("first", AGENT_TOKEN)).unwrap();
        assert_eq!(statuses(&server).await, (200, 200));
        fs::write(&path, "").unwrap();
        assert_eq!(statuses(&server).await, (401, 200), "an empty file is valid");
    }
}

/// Returns invalid files with the expected error.
fn invalid_files() -> [(String, &'static str); 4] {
    [
        (
            format!("{}instances = \"emea\"", token_table("x", OTHER_TOKEN)),
            "instance `emea` not found",
        ),
        (
            format!("{}toolsets = \"project\"", token_table("x", OTHER_TOKEN)),
            "unknown toolset `project`",
        ),
        (token_table("settings", OTHER_TOKEN), "the settings already have a token with this name"),
        (
            format!("{}{}", token_table("x", OTHER_TOKEN), token_table("y", OTHER_TOKEN)),
            "another name already has this token",
        ),
    ]
}

fn add_settings_token(config: &mut Config) {
    let token =
        TokenSettings { sha256: sha256_hex("omcp_of_the_settings"), ..TokenSettings::default() };
    config.auth.tokens.insert("settings".to_owned(), token);
}

#[tokio::test]
async fn invalid_file_is_rejected_and_the_previous_one_kept() {
    let (server, path, _folder) =
        start_with_file(&token_table("first", AGENT_TOKEN), add_settings_token).await;
    for (text, expected) in invalid_files() {
        fs::write(&path, text).unwrap();
        assert_eq!(statuses(&server).await, (200, 401), "{expected}");
    }
    fs::write(
        &path,
        format!(
            "{}toolsets = \"projects\"\ninstances = \"default\"",
            token_table("x", OTHER_TOKEN)
        ),
    )
    .unwrap();
    assert_eq!(statuses(&server).await, (401, 200));
}

#[tokio::test]
async fn invalid_file_prevents_startup_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    for (text, expected) in invalid_files() {
        fs::write(&path, text).unwrap();
        let mut config = Config::default();
        config.sample.enabled = true;
        config.http.listen = "127.0.0.1:0".parse().unwrap();
        use_tokens_file(&mut config, &path);
        add_settings_token(&mut config);
        let error = app::start(config).await.map(drop).unwrap_err().to_string();
        assert!(error.starts_with("auth.tokens_file: ") && error.contains(expected), "{error}");
        assert!(error.contains("tokens.toml: auth.tokens."), "{error}");
    }
}
