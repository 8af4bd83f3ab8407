//! Configuration reloads: on file changes and on SIGHUP, applied as a whole or not at all.

use std::{fs, path::Path, process::Command};

use octopus_mcp::config::ApprovalMode;
use octopus_sample::keys;
use serde_json::{Value, json};

use crate::{
    approval::{ApprovalFixture, ApprovalFlow, write_calls},
    auth::certificates::TestCa,
    cli::{ServerProcess, program},
    support::{Era, TestServer, client, send, wait_until_some},
};

/// A server with a configuration file and an admin listener.
pub struct FileConfiguredServer {
    pub serving: ServerProcess,
    folder: tempfile::TempDir,
    admin: String,
}

impl FileConfiguredServer {
    pub fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        replace_file(folder.path(), settings);
        Self::start_in(folder)
    }

    /// Starts a server with the configuration in this folder.
    fn start_in(folder: tempfile::TempDir) -> Self {
        // Uses a port that was just released.
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = socket.local_addr().unwrap();
        drop(socket);
        let path = folder.path().join("settings.toml");
        let mut command =
            program(&["--sample", "--listen=127.0.0.1:0", "--config", path.to_str().unwrap()]);
        command.env("OCTOPUS_MCP_HTTP__ADMIN_LISTEN", admin.to_string());
        Self { serving: ServerProcess::start(command), folder, admin: format!("http://{admin}") }
    }

    pub fn write(&self, settings: &str) {
        replace_file(self.folder.path(), settings);
    }

    async fn tools(&self) -> Vec<String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let request = client().post(&self.serving.url).header("content-type", "application/json");
        let answer = send(request.body(body.to_string())).await.json();
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn metrics(&self) -> String {
        send(client().get(format!("{}/metrics", self.admin))).await.text
    }

    pub async fn reloads(&self, result: &str) -> Option<u64> {
        let series = format!("octopus_mcp_config_reloads_total{{result=\"{result}\"}} ");
        self.metrics().await.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok())
    }

    pub fn send_sighup(&self) {
        let pid = self.serving.pid().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }
}

/// Replaces the file atomically, like editors and Kubernetes.
fn replace_file(folder: &Path, settings: &str) {
    let next = folder.join("next.toml");
    fs::write(&next, settings).unwrap();
    fs::rename(&next, folder.join("settings.toml")).unwrap();
}

const PROJECTS: &str = "[tools]\ntoolsets = [\"core\", \"projects\"]\n";
const TASKS: &str = "[tools]\ntoolsets = [\"core\", \"tasks\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn valid_file_is_applied_and_invalid_file_is_not() {
    let hosted = FileConfiguredServer::start(PROJECTS);
    assert!(hosted.tools().await.contains(&"list_projects".to_owned()));
    hosted.write(TASKS);
    wait_until_some(async || {
        hosted.tools().await.contains(&"get_task_by_id".to_owned()).then_some(())
    })
    .await;
    assert!(!hosted.tools().await.contains(&"list_projects".to_owned()));
    assert_eq!(hosted.reloads("applied").await, Some(1));

    // One error prevents the whole reload.
    hosted.write("[tools]\ntoolsets = [\"core\", \"projects\"]\nnonsense = 1\n");
    wait_until_some(async || hosted.reloads("refused").await).await;
    assert!(hosted.tools().await.contains(&"get_task_by_id".to_owned()));

    // Settings that require a restart are reported, and the rest is applied.
    hosted.write(&format!("[http]\nbody_timeout = \"9s\"\nsessions = \"memory\"\n{PROJECTS}"));
    wait_until_some(async || {
        hosted.tools().await.contains(&"list_projects".to_owned()).then_some(())
    })
    .await;
    let (code, log) = hosted.serving.stop();
    assert_eq!(code, 0);
    for expected in [
        "config reload failed; the previous settings stay in force",
        "tools.nonsense",
        "config reloaded changed=tools.toolsets",
        "some changed settings need a restart settings=http.sessions",
        "changed=\"http.body_timeout, tools.toolsets\"",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_during_startup_is_applied() {
    // A store that does not respond. The server has read its settings when it connects to the
    // store.
    let store = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = format!("[limits]\nstore = \"redis://{}\"\n", store.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    replace_file(&path, &format!("{limits}{PROJECTS}"));
    let starting = tokio::task::spawn_blocking(|| FileConfiguredServer::start_in(folder));
    let _asks = store.accept().await.unwrap();
    replace_file(&path, &format!("{limits}{TASKS}"));
    let hosted = starting.await.unwrap();
    wait_until_some(async || {
        hosted.tools().await.contains(&"get_task_by_id".to_owned()).then_some(())
    })
    .await;
    assert_eq!(hosted.serving.stop().0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_apply_once_a_missing_file_appears() {
    let hosted = FileConfiguredServer::start(PROJECTS);
    let authority = hosted.folder.path().join("ca.pem");
    hosted.write(&format!("[octopus]\nca_file = \"{}\"\n{TASKS}", authority.display()));
    wait_until_some(async || hosted.reloads("refused").await).await;
    fs::write(&authority, TestCa::new().pem()).unwrap();
    wait_until_some(async || {
        hosted.tools().await.contains(&"get_task_by_id".to_owned()).then_some(())
    })
    .await;
    // Repeated attempts are logged once.
    assert_eq!(hosted.reloads("refused").await, Some(1));
    let (code, log) = hosted.serving.stop();
    assert_eq!((code, log.matches("config reload failed").count()), (0, 1), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_reloads_the_settings() {
    let hosted = FileConfiguredServer::start(PROJECTS);
    for times in 1..=2 {
        hosted.send_sighup();
        let all = async || (hosted.reloads("applied").await == Some(times)).then_some(());
        wait_until_some(all).await;
    }
    assert_eq!(hosted.serving.stop().0, 0);
}

#[tokio::test]
async fn approval_survives_a_reload_but_new_rules_apply() {
    let fixture = ApprovalFixture::with(|_| {}).await;
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (tool, arguments, ..) = write_calls().remove(0);
    let (_, sealed) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
    let mut config = fixture.server.config.clone();
    config.limits.caller_burst = 7;
    let live = &fixture.server.running.as_ref().unwrap().live;
    let applied = live.apply(config.clone()).unwrap();
    assert_eq!(
        (applied.changed.as_slice(), applied.need_restart.len()),
        (&["limits.caller_burst".to_owned()][..], 0)
    );
    fixture.approve(flow, tool, &arguments, &sealed).await.expect_result();
    assert_eq!(fixture.sent_changes().len(), 1);
    // The same approval again refers to the same change.
    fixture.approve(flow, tool, &arguments, &sealed).await.expect_result();
    assert_eq!(fixture.sent_changes().len(), 1);

    let (tool, arguments, ..) = write_calls().remove(1);
    let (_, sealed) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
    config.policy.rules = serde_json::from_value(json!([
        { "name": "closed now", "effect": "deny", "tiers": ["write"] },
    ]))
    .unwrap();
    live.apply(config).unwrap();
    fixture.approve(flow, tool, &arguments, &sealed).await.expect_error("closed now");
    assert_eq!(fixture.sent_changes().len(), 1);
}

#[tokio::test]
async fn settings_that_fail_to_build_change_nothing() {
    let server = TestServer::start().await;
    let mut config = server.config.clone();
    config.octopus.ca_file = Some(Path::new("/nowhere/ca.pem").to_owned());
    config.tools.confirm = ApprovalMode::Never;
    let live = &server.running.as_ref().unwrap().live;
    let error = live.apply(config).unwrap_err().to_string();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
    let spaces: Value = server.call_ok("list_spaces", json!({})).await;
    assert_eq!(spaces["totalResults"], 2);
    assert_eq!(server.rpc_as(Era::Legacy, keys::ADMIN, "tools/list", json!({})).await.status, 200);
}
