//! Errors in flags, settings and files, and rejection of unsafe settings.

use std::path::PathBuf;

use octopus_sample::keys;

use super::{ANY_PORT, ServerProcess, program, run_program};

#[test]
fn unknown_flag_exits_with_2() {
    let (code, _, stderr) = run_program(&["--lisen", "x"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("unexpected argument '--lisen' found"), "{stderr}");
    assert!(stderr.contains("a similar argument exists: '--listen'"), "{stderr}");
}

#[test]
fn reports_all_settings_errors_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "[http]\nlisten = \"nowhere\"\nbody_limt = 7\n[tols]\nread_only = 1\n")
        .unwrap();
    let file = file.to_str().unwrap();
    let (code, _, stderr) =
        run_program(&["--config", file, "--toolsets", "core,projcts", "--server-url", "ftp://x"]);
    assert_eq!(code, 2, "{stderr}");
    for expected in [
        "5 mistakes in the settings",
        "http.listen = \"nowhere\" (file ",
        "http.body_limt = 7",
        "unknown setting; did you mean `http.body_limit`?",
        "tols.read_only",
        "unknown setting; did you mean `tools.read_only`?",
        "octopus.url",
        "flag --server-url",
        "unknown toolset `projcts`; did you mean `projects`?",
    ] {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
    assert!(!stderr.contains("panicked") && !stderr.contains("stack backtrace"), "{stderr}");
}

#[test]
fn missing_instance_error_lists_the_options() {
    let (code, _, stderr) = run_program(&[]);
    assert_eq!(code, 2);
    for expected in ["--server-url", "OCTOPUS_SERVER_URL", "--sample"] {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
}

#[test]
fn rejects_configured_key_on_a_public_address() {
    let open = ["--listen", "0.0.0.0:0", "--server-url", "https://octopus.example.com"];
    let (code, _, stderr) = run_program(&[open.as_slice(), &["--api-key", keys::ADMIN]].concat());
    assert_eq!(code, 2);
    for expected in ["127.0.0.1", "auth.mode = \"octopus\"", "auth.allow_anonymous = true"] {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
    assert!(!stderr.contains(keys::ADMIN), "{stderr}");
    let (code, _, stderr) = run_program(&["--server-url", "http://octopus.example.com"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("octopus.allow_http"), "{stderr}");
}

#[test]
fn api_key_flag_works_with_a_warning() {
    let command =
        program(&[ANY_PORT, "--server-url=https://octopus.example.com", "--api-key=API-ABC"]);
    let (code, log) = ServerProcess::start(command).stop();
    assert_eq!(code, 0);
    assert!(log.contains("visible in the process list"), "{log}");
    assert!(log.contains("OCTOPUS_API_KEY_FILE") && !log.contains("API-ABC"), "{log}");
}

#[test]
fn used_port_error_suggests_another_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (code, _, stderr) = run_program(&["--sample", "--listen", &address]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&address) && stderr.contains("choose another"), "{stderr}");
}

#[test]
fn missing_or_invalid_settings_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing: PathBuf = folder.path().join("missing.toml");
    let (code, _, stderr) = run_program(&["--sample", "--config", missing.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(stderr.contains("missing.toml") && stderr.contains("cannot read the file"), "{stderr}");
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "[http\n").unwrap();
    let (code, _, stderr) = run_program(&["--sample", "--config", broken.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(stderr.contains("is not valid TOML") && stderr.contains("line 1"), "{stderr}");
}

#[test]
fn rejects_zero_timeouts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "[http]\nheader_timeout = \"0s\"\nidle_timeout = \"0s\"\n").unwrap();
    let file = file.to_str().unwrap();
    let (code, _, stderr) =
        run_program(&["--config", file, "--server-url", "https://octopus.example.com"]);
    assert_eq!(code, 2, "{stderr}");
    for key in ["http.header_timeout", "http.idle_timeout"] {
        assert!(stderr.contains(key), "{stderr}");
    }
}
