//! The tokens file: reloading, invalid content, and the stale limit.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use octopus_mcp::{
    app,
    config::{AuthMode, Config, Modes, Period, Secret, Token},
};
use octopus_sample::keys;

use super::{
    bearing,
    tokens::{AGENT, OTHER, hash},
};
use crate::support::{TestServer, soon};

fn table(name: &str, token: &str) -> String {
    format!("[auth.tokens.{name}]\nsha256 = \"{}\"\n", hash(token))
}

fn taking(config: &mut Config, path: &Path) {
    config.auth.mode = Some(Modes(vec![AuthMode::Tokens]));
    config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    config.auth.tokens_file = Some(path.to_owned());
}

/// Starts a server with a tokens file of this content; also returns the file and its folder.
async fn serving(
    text: &str,
    change: impl FnOnce(&mut Config),
) -> (TestServer, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    fs::write(&path, text).unwrap();
    let server = TestServer::with(|config| {
        taking(config, &path);
        change(config);
    })
    .await;
    (server, path, folder)
}

/// Returns the statuses of requests with the two tokens.
async fn statuses(server: &TestServer) -> (u16, u16) {
    (bearing(server, AGENT).await.status, bearing(server, OTHER).await.status)
}

/// Writes a text, padded to this length, with a fixed modification time.
fn write_as(path: &Path, text: &str, length: usize) {
    fs::write(path, format!("{text:<length$}")).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
}

#[tokio::test]
async fn a_file_that_was_half_written_at_the_first_look_is_looked_at_again() {
    let (server, path, _folder) = serving(&table("first", AGENT), |_| {}).await;
    assert_eq!(statuses(&server).await, (200, 401));
    // The complete content has the same length and modification time as the partial content.
    write_as(&path, "[auth.tokens.second]\nsha256 = \"12", 200);
    assert_eq!(statuses(&server).await, (200, 401));
    write_as(&path, &table("second", OTHER), 200);
    soon(async || (statuses(&server).await == (401, 200)).then_some(())).await;
}

#[tokio::test]
async fn tokens_of_a_file_that_is_broken_or_away_are_not_good_for_ever() {
    for (stale_for, status) in [(Duration::from_hours(1), 200), (Duration::ZERO, 401)] {
        let change = |config: &mut Config| {
            let settings = Token { sha256: hash(OTHER), ..Token::default() };
            config.auth.tokens.insert("settings".to_owned(), settings);
            config.auth.tokens_stale_for = Period(stale_for);
        };
        let (server, path, _folder) = serving(&table("first", AGENT), change).await;
        assert_eq!(statuses(&server).await, (200, 200));
        fs::write(&path, "[auth.tokens").unwrap();
        // Invalid content takes effect only at the second read.
        soon(async || (statuses(&server).await == (status, 200)).then_some(())).await;
        fs::remove_file(&path).unwrap();
        assert_eq!(statuses(&server).await, (status, 200));
        fs::write(&path, table("first", AGENT)).unwrap();
        assert_eq!(statuses(&server).await, (200, 200));
        fs::write(&path, "").unwrap();
        assert_eq!(statuses(&server).await, (401, 200), "an empty file is valid");
    }
}

/// Returns invalid files with the expected error.
fn mistakes() -> [(String, &'static str); 4] {
    [
        (format!("{}instances = \"emea\"", table("x", OTHER)), "instance `emea` not found"),
        (format!("{}toolsets = \"project\"", table("x", OTHER)), "unknown toolset `project`"),
        (table("settings", OTHER), "the settings already have a token with this name"),
        (
            format!("{}{}", table("x", OTHER), table("y", OTHER)),
            "another name already has this token",
        ),
    ]
}

fn with_settings(config: &mut Config) {
    let token = Token { sha256: hash("omcp_of_the_settings"), ..Token::default() };
    config.auth.tokens.insert("settings".to_owned(), token);
}

#[tokio::test]
async fn a_file_with_a_mistake_is_refused_whole_and_the_last_good_one_stays() {
    let (server, path, _folder) = serving(&table("first", AGENT), with_settings).await;
    for (text, expected) in mistakes() {
        fs::write(&path, text).unwrap();
        assert_eq!(statuses(&server).await, (200, 401), "{expected}");
    }
    fs::write(
        &path,
        format!("{}toolsets = \"projects\"\ninstances = \"default\"", table("x", OTHER)),
    )
    .unwrap();
    assert_eq!(statuses(&server).await, (401, 200));
}

#[tokio::test]
async fn the_server_does_not_start_with_a_mistake_in_the_file_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    for (text, expected) in mistakes() {
        fs::write(&path, text).unwrap();
        let mut config = Config::default();
        config.sample.enabled = true;
        config.http.listen = "127.0.0.1:0".parse().unwrap();
        taking(&mut config, &path);
        with_settings(&mut config);
        let error = app::start(config).await.map(drop).unwrap_err();
        assert!(error.starts_with("auth.tokens_file: ") && error.contains(expected), "{error}");
        assert!(error.contains("tokens.toml: auth.tokens."), "{error}");
    }
}
