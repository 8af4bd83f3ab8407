//! `octopus-mcp config` reports what would prevent the start of the server.

use std::fs;

use super::{program, run_program};

/// Runs a command with these settings, and returns its exit code and standard error.
fn run_with(command: &[&str], settings: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, settings.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
    let arguments = [command, &["--config", path.to_str().unwrap()]].concat();
    let (code, _, stderr) = run_program(&arguments);
    (code, stderr)
}

/// Checks that `config` and `serve` report the same mistakes, with exit code 2.
fn assert_reported(settings: &str, expected: &[&str]) {
    for command in [&["config"][..], &["serve", "--listen=127.0.0.1:0"], &["check"]] {
        let (code, stderr) = run_with(command, settings);
        assert_eq!(code, 2, "{command:?}: {stderr}");
        for expected in expected {
            assert!(stderr.contains(expected), "{command:?}: {expected}: {stderr}");
        }
    }
}

const OCTOPUS: &str = "[octopus]\nurl = \"https://octopus.example.com\"\n";

#[test]
fn malformed_keys_are_reported_without_their_value() {
    let settings = format!("{OCTOPUS}api_key = \"hunter2\"\n");
    assert_reported(&settings, &["octopus.api_key = \"********\"", "not an Octopus API key"]);
    let (_, stderr) = run_with(&["config"], &settings);
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn missing_key_files_of_all_groups_are_reported_at_once() {
    let settings = format!(
        "{OCTOPUS}[auth]\nmode = \"tokens\"\n[auth.tokens.ci]\nsha256 = \"{}\"\n\
         [[octopus.groups]]\ngroup = \"a\"\napi_key_file = \"FOLDER/a.key\"\n\
         [[octopus.groups]]\ngroup = \"b\"\napi_key_file = \"FOLDER/b.key\"\n",
        "0".repeat(64)
    );
    assert_reported(&settings, &["a.key", "b.key", "2 mistakes in the settings"]);
}

#[test]
fn unwritable_audit_path_is_reported() {
    let settings = format!("{OCTOPUS}[audit.file]\npath = \"FOLDER/missing/audit.jsonl\"\n");
    assert_reported(&settings, &["audit.file.path", "its folder must exist"]);
}

#[test]
fn config_changes_nothing_in_the_folder_of_the_audit_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut command = program(&["config", "--sample"]);
    command.env("OCTOPUS_MCP_AUDIT__FILE__PATH", &path);
    assert!(command.status().unwrap().success());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn unreadable_values_of_rules_are_reported_with_their_number() {
    let settings = format!(
        "{OCTOPUS}[[policy.rules]]\nname = \"a\"\n\
         [[policy.rules]]\nname = \"b\"\neffect = \"maybe\"\nrisks = [\"huge\"]\n"
    );
    assert_reported(&settings, &["rule 2 ('b'): `effect`", "rule 2 ('b'): `risks`"]);
}

#[test]
fn invalid_log_filter_and_certificates_are_reported() {
    let settings = format!(
        "{OCTOPUS}ca_file = \"FOLDER/settings.toml\"\n[telemetry]\nlog_filter = \"a=b=c\"\n\
         [http.tls]\ncertificate = \"FOLDER/settings.toml\"\nkey = \"FOLDER/settings.toml\"\n"
    );
    let expected = ["octopus.ca_file", "telemetry.log_filter", "http.tls.certificate"];
    assert_reported(&settings, &expected);
}

#[test]
fn broken_file_ends_every_command_with_one_mistake() {
    for command in [
        &["config"][..],
        &["serve"],
        &["check"],
        &["stdio"],
        &["tools"],
        &["healthcheck"],
        &["policy", "test", "--tool", "list_spaces"],
        &["audit", "head", "audit.jsonl"],
    ] {
        let (code, stderr) = run_with(command, "[octopus\n");
        assert_eq!(code, 2, "{command:?}: {stderr}");
        assert!(stderr.contains("1 mistake in the settings"), "{command:?}: {stderr}");
        assert!(!stderr.contains("octopus.url"), "{command:?}: {stderr}");
    }
}

#[test]
fn machine_without_ca_certificates_is_named() {
    let run = |url: &str| {
        let mut command = program(&["config", "--server-url", url]);
        command.env("SSL_CERT_FILE", "/nowhere/ca.pem").env("SSL_CERT_DIR", "/nowhere");
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run("https://octopus.example.com");
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("octopus.ca_file = "), "{stderr}");
    assert!(stderr.contains("this machine has no CA certificates"), "{stderr}");
    // Without TLS, no certificates are needed.
    assert_eq!(run("http://127.0.0.1:9"), (0, String::new()));
}

#[test]
fn url_with_credentials_is_never_printed() {
    let url = "https://me:hunter2@octopus.example.com";
    let output = program(&["config", "--server-url", url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let printed = format!("{output:?}");
    assert!(!printed.contains("hunter2") && printed.contains("********@octopus"), "{printed}");
}
