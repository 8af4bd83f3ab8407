//! `octopus-mcp check`, and the same verification after the start of the server.

use std::net::TcpListener;

use octopus_sample::keys;
use serde_json::Value;

use super::{ANY_PORT, ServerProcess, program, run_program};
use crate::support::TestServer;

/// Runs the command with this URL and key, and returns its exit code and report.
fn check(url: &str, key: &str) -> (i32, Value) {
    let mut command = program(&["check", "--json", "--server-url", url]);
    command.env("OCTOPUS_API_KEY", key);
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code().unwrap(), report)
}

/// Returns the address of a sample instance, which runs as long as the server.
fn address(server: &TestServer) -> String {
    server.config.octopus.url.as_ref().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_reports_version_user_rights_and_expiry() {
    let server = TestServer::start().await;
    let (code, report) = check(&address(&server), keys::ADMIN);
    assert_eq!((code, &report["ok"]), (0, &Value::from(true)), "{report:#}");
    let instance = &report["instances"][0];
    assert_eq!(instance["name"], "default");
    assert!(instance["version"].as_str().unwrap().starts_with("20"), "{instance:#}");
    let credential = &instance["credentials"][0];
    assert_eq!(credential["name"], "configured");
    assert_eq!(credential["rights"]["isAdministrator"], true, "{credential:#}");
    assert!(credential["expires"].is_string() && credential["user"].is_string(), "{credential:#}");

    let (_, report) = check(&address(&server), keys::VIEW_ONLY);
    let rights = &report["instances"][0]["credentials"][0]["rights"];
    assert_eq!((&rights["isAdministrator"], &rights["canChange"]), (&false.into(), &false.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_key_is_an_error_with_advice() {
    let server = TestServer::start().await;
    let (code, report) = check(&address(&server), "API-UNKNOWN00000000000000000000000");
    assert_eq!(code, 1, "{report:#}");
    let problem = &report["instances"][0]["credentials"][0]["problems"][0];
    assert_eq!((&problem["severity"], &problem["cause"]), (&"error".into(), &"credential".into()));
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("rejected") && message.contains("under octopus"), "{message}");
    assert!(!report.to_string().contains("API-UNKNOWN"), "{report}");
}

#[test]
fn unreachable_instance_and_untrusted_certificate_have_causes() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = socket.local_addr().unwrap();
    drop(socket);
    let (code, report) = check(&format!("http://{closed}"), keys::ADMIN);
    assert_eq!(code, 1);
    assert_eq!(report["instances"][0]["problems"][0]["cause"], "connection", "{report:#}");

    // A server that answers with something other than Octopus.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in socket.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let page = "<html>Welcome</html>";
            let length = page.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{page}"
            );
        }
    });
    let (code, report) = check(&format!("http://{address}"), keys::ADMIN);
    assert_eq!(code, 1);
    let problem = &report["instances"][0]["problems"][0];
    assert_eq!(problem["cause"], "url", "{report:#}");
    assert!(problem["message"].as_str().unwrap().contains("octopus.url"), "{problem}");
    // The same server does not speak TLS.
    let (_, report) = check(&format!("https://{address}"), keys::ADMIN);
    let cause = report["instances"][0]["problems"][0]["cause"].as_str().unwrap().to_owned();
    assert!(cause == "tls" || cause == "connection", "{report:#}");
}

#[test]
fn check_of_the_sample_prints_text_and_settings_are_checked_first() {
    let (code, text, stderr) = run_program(&["check", "--sample"]);
    assert_eq!(code, 0, "{text}{stderr}");
    assert!(text.contains("ok       default: http://127.0.0.1:"), "{text}");
    assert!(text.contains("credential 'configured': user '"), "{text}");
    let (code, text, stderr) = run_program(&["check"]);
    assert_eq!((code, text.as_str()), (2, ""), "{stderr}");
}

#[test]
fn check_prints_warnings_of_the_settings() {
    let mut command = program(&["check", "--json", "--sample"]);
    command.env("OCTOPUS_API_KEY", "API-OFAREALINSTANCE");
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("octopus.api_key is not used"), "{report:#}");
    assert_eq!(output.status.code(), Some(0), "a warning is not an error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_verifies_its_instances_after_the_start() {
    let server = TestServer::start().await;
    let address = address(&server);
    for (key, expected) in [
        (keys::ADMIN, "instance verified instance=default"),
        ("API-UNKNOWN00000000000000000000000", "instance verification: Octopus rejected"),
    ] {
        let mut command = program(&[ANY_PORT, "--server-url", &address]);
        command.env("OCTOPUS_API_KEY", key);
        let serving = ServerProcess::start(command);
        let log = tokio::task::spawn_blocking(move || {
            std::thread::sleep(std::time::Duration::from_secs(2));
            serving.stop().1
        });
        let log = log.await.unwrap();
        assert!(log.contains(expected), "{expected}: {log}");
        assert!(!log.contains("API-UNKNOWN"), "{log}");
    }
}
