//! Configuration reloads: on file changes and on SIGHUP, applied as a whole or not at all.

use std::{fs, path::Path, process::Command};

use octopus_mcp::config::Confirm;
use octopus_sample::keys;
use serde_json::{Value, json};

use crate::{
    callers::certificate::Authority,
    commands::{Serving, program},
    consent::{Desk, Way, changes},
    support::{Era, TestServer, client, reply, soon},
};

/// A server with a configuration file and an admin listener.
pub struct Hosted {
    pub serving: Serving,
    folder: tempfile::TempDir,
    admin: String,
}

impl Hosted {
    pub fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), settings);
        Self::by(folder)
    }

    /// Starts a server with the configuration in this folder.
    fn by(folder: tempfile::TempDir) -> Self {
        // A port that was free a moment ago.
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = socket.local_addr().unwrap();
        drop(socket);
        let path = folder.path().join("settings.toml");
        let mut command =
            program(&["--sample", "--listen=127.0.0.1:0", "--config", path.to_str().unwrap()]);
        command.env("OCTOPUS_MCP_HTTP__ADMIN_LISTEN", admin.to_string());
        Self { serving: Serving::start(command), folder, admin: format!("http://{admin}") }
    }

    pub fn write(&self, settings: &str) {
        put(self.folder.path(), settings);
    }

    async fn tools(&self) -> Vec<String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let request = client().post(&self.serving.url).header("content-type", "application/json");
        let answer = reply(request.body(body.to_string())).await.json();
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn metrics(&self) -> String {
        reply(client().get(format!("{}/metrics", self.admin))).await.text
    }

    pub async fn reloads(&self, result: &str) -> Option<u64> {
        let series = format!("octopus_mcp_config_reloads_total{{result=\"{result}\"}} ");
        self.metrics().await.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok())
    }

    pub fn hang_up(&self) {
        let pid = self.serving.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }
}

/// Replaces the file atomically, like editors and Kubernetes.
fn put(folder: &Path, settings: &str) {
    let next = folder.join("next.toml");
    fs::write(&next, settings).unwrap();
    fs::rename(&next, folder.join("settings.toml")).unwrap();
}

const PROJECTS: &str = "[tools]\ntoolsets = [\"core\", \"projects\"]\n";
const TASKS: &str = "[tools]\ntoolsets = [\"core\", \"tasks\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_in_force_and_one_with_a_mistake_is_not() {
    let hosted = Hosted::start(PROJECTS);
    assert!(hosted.tools().await.contains(&"list_projects".to_owned()));
    hosted.write(TASKS);
    soon(async || hosted.tools().await.contains(&"get_task_by_id".to_owned()).then_some(())).await;
    assert!(!hosted.tools().await.contains(&"list_projects".to_owned()));
    assert_eq!(hosted.reloads("applied").await, Some(1));

    // One error prevents the whole reload.
    hosted.write("[tools]\ntoolsets = [\"core\", \"projects\"]\nnonsense = 1\n");
    soon(async || hosted.reloads("refused").await).await;
    assert!(hosted.tools().await.contains(&"get_task_by_id".to_owned()));

    // Settings that require a restart are reported, and the rest is applied.
    hosted.write(&format!("[http]\nbody_timeout = \"9s\"\nsessions = \"memory\"\n{PROJECTS}"));
    soon(async || hosted.tools().await.contains(&"list_projects".to_owned()).then_some(())).await;
    let (code, log) = hosted.serving.stop();
    assert_eq!(code, 0);
    for words in [
        "config reload failed; the previous settings stay in force",
        "tools.nonsense",
        "some changed settings need a restart settings=\"http.sessions\"",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_while_the_server_starts_is_in_force_soon_after() {
    // A store that does not respond. The server has read its settings when it connects to the
    // store.
    let store = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = format!("[limits]\nstore = \"redis://{}\"\n", store.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    put(&path, &format!("{limits}{PROJECTS}"));
    let starting = tokio::task::spawn_blocking(|| Hosted::by(folder));
    let _asks = store.accept().await.unwrap();
    put(&path, &format!("{limits}{TASKS}"));
    let hosted = starting.await.unwrap();
    soon(async || hosted.tools().await.contains(&"get_task_by_id".to_owned()).then_some(())).await;
    assert_eq!(hosted.serving.stop().0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_name_a_file_which_comes_after_them_are_in_force_once_it_is_there() {
    let hosted = Hosted::start(PROJECTS);
    let authority = hosted.folder.path().join("ca.pem");
    hosted.write(&format!("[octopus]\nca_file = \"{}\"\n{TASKS}", authority.display()));
    soon(async || hosted.reloads("refused").await).await;
    fs::write(&authority, Authority::new().pem()).unwrap();
    soon(async || hosted.tools().await.contains(&"get_task_by_id".to_owned()).then_some(())).await;
    // Repeated attempts are logged once.
    assert_eq!(hosted.reloads("refused").await, Some(1));
    let (code, log) = hosted.serving.stop();
    assert_eq!((code, log.matches("config reload failed").count()), (0, 1), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_reads_the_settings_again() {
    let hosted = Hosted::start(PROJECTS);
    for times in 1..=2 {
        hosted.hang_up();
        let all = async || (hosted.reloads("applied").await == Some(times)).then_some(());
        soon(all).await;
    }
    assert_eq!(hosted.serving.stop().0, 0);
}

#[tokio::test]
async fn a_question_from_before_is_good_after_and_what_was_closed_meanwhile_is_closed() {
    let desk = Desk::with(|_| {}).await;
    let way = Way::Code(Era::Modern);
    let (tool, arguments, ..) = changes().remove(0);
    let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
    let mut config = desk.server.config.clone();
    config.limits.caller_burst = 7;
    let live = &desk.server.running.as_ref().unwrap().live;
    assert_eq!(live.apply(config.clone()).unwrap(), [""; 0]);
    desk.agree(way, tool, &arguments, &sealed).await.answered();
    assert_eq!(desk.changes().len(), 1);
    // The same approval again refers to the same change.
    desk.agree(way, tool, &arguments, &sealed).await.answered();
    assert_eq!(desk.changes().len(), 1);

    let (tool, arguments, ..) = changes().remove(1);
    let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
    config.policy.rules = serde_json::from_value(json!([
        { "name": "closed now", "effect": "deny", "tiers": ["write"] },
    ]))
    .unwrap();
    live.apply(config).unwrap();
    desk.agree(way, tool, &arguments, &sealed).await.refused("closed now");
    assert_eq!(desk.changes().len(), 1);
}

#[tokio::test]
async fn settings_that_cannot_be_built_change_nothing() {
    let server = TestServer::start().await;
    let mut config = server.config.clone();
    config.octopus.ca_file = Some(Path::new("/nowhere/ca.pem").to_owned());
    config.tools.confirm = Confirm::Never;
    let live = &server.running.as_ref().unwrap().live;
    let error = live.apply(config).unwrap_err();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
    let spaces: Value = server.answer("list_spaces", json!({})).await;
    assert_eq!(spaces["totalResults"], 2);
    assert_eq!(server.ask_as(Era::Legacy, keys::ADMIN, "tools/list", json!({})).await.status, 200);
}
