//! Hash chain with a key (HMAC): tampering that only the key reveals, and adding a key to a chain.

use std::{
    fs,
    path::{Path, PathBuf},
};

use octopus_mcp::{
    app,
    config::{Config, Secret},
};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{
    AuditFixture,
    forger::{Forger, tampering_edits},
    read_lines,
    verify_command::run_verify,
};
use crate::{
    cli::{ServerProcess, program},
    support::{client, send},
};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210";

fn with_chain_key(key: Option<&str>) -> impl FnOnce(&mut Config) {
    let key = key.map(|key| Secret::from(key.to_owned()));
    move |config| config.audit.chain_key = key
}

async fn after_four_calls(recorded: AuditFixture) -> (tempfile::TempDir, PathBuf) {
    for _ in 0..4 {
        recorded.approval.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
    let path = recorded.path();
    (recorded.stop().await, path)
}

/// Writes a key to a file in another folder than the records.
fn write_key_file(folder: &Path, key: &str) -> String {
    let name = &key[..4];
    let path = folder.join("keys").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("{key}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn recomputed_hashes_are_detected_only_with_the_key() {
    let (folder, path) = after_four_calls(AuditFixture::start().await).await;
    let name = path.to_str().unwrap();
    let plain = read_lines(&path);
    for (kind, edit) in tampering_edits() {
        fs::write(&path, Forger::WithoutKey.rewrite(&plain, edit)).unwrap();
        let (code, output) = run_verify(&[name]);
        // Documented limit of a chain without a key.
        assert_eq!(code, 0, "without a key, {kind} is not detected: {output}");
        assert!(output.contains("records 1 to") && output.contains("have no key"), "{output}");
    }
    drop(folder);

    let (folder, path) =
        after_four_calls(AuditFixture::with(with_chain_key(Some(KEY))).await).await;
    let name = path.to_str().unwrap();
    let (key, other) = (write_key_file(folder.path(), KEY), write_key_file(folder.path(), OTHER));
    let intact = fs::read(&path).unwrap();
    let keyed = read_lines(&path);
    let (code, output) = run_verify(&[name, "--key-file", &key]);
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("records 1 to 5 were checked with key"), "{output}");
    assert!(!fs::read_to_string(&path).unwrap().contains(KEY));

    for (kind, edit) in tampering_edits() {
        for forger in [Forger::WithoutKey, Forger::KeepsKeyId] {
            fs::write(&path, forger.rewrite(&keyed, edit)).unwrap();
            let (code, output) = run_verify(&[name, "--key-file", &key]);
            assert_eq!(code, 1, "{kind}, {forger:?}: {output}");
            let expected = match forger {
                Forger::WithoutKey => "have no key, so their integrity cannot be verified",
                Forger::KeepsKeyId => "the record was changed",
            };
            assert!(output.contains(expected), "{kind}, {forger:?}: {output}");
        }
        // The option --keyed requires a key without providing it.
        fs::write(&path, Forger::WithoutKey.rewrite(&keyed, edit)).unwrap();
        let (code, output) = run_verify(&[name, "--keyed"]);
        assert_eq!(code, 1, "{kind}: {output}");
        assert!(output.contains("have no key, so their integrity cannot be verified"), "{output}");
    }

    fs::write(&path, intact).unwrap();
    for (arguments, expected) in [
        (&[name][..], "NOT VERIFIED: records 1 to 5 were written with the key"),
        (&[name, "--key-file", &other], "NOT VERIFIED: records 1 to 5 were written with the key"),
        (&[name, "--key-file", "/nowhere"], "--key-file: /nowhere"),
    ] {
        let (code, output) = run_verify(arguments);
        assert_eq!(code, 1, "{arguments:?}: {output}");
        assert!(output.contains(expected), "{arguments:?}: {output}");
    }
    // The key can also be in the settings.
    let mut command = program(&["audit", "verify", name]);
    let output = command.env("OCTOPUS_MCP_AUDIT__CHAIN_KEY_FILE", &key).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test]
async fn chain_can_change_its_key_but_not_drop_it() {
    let (folder, path) = after_four_calls(AuditFixture::start().await).await;
    let recorded = AuditFixture::in_folder(folder, with_chain_key(Some(KEY))).await;
    let (folder, _) = after_four_calls(recorded).await;
    let recorded = AuditFixture::in_folder(folder, with_chain_key(Some(OTHER))).await;
    let (folder, _) = after_four_calls(recorded).await;
    let all = read_lines(&path);
    assert_eq!((all.len(), &all[5]["begin"]["rekeyed"]["from"]), (15, &Value::Null));
    assert_eq!(all[5]["begin"]["rekeyed"]["to"], all[5]["key"]);
    assert_eq!(all[10]["begin"]["rekeyed"]["from"], all[9]["key"]);
    assert_eq!((&all[0]["v"], &all[5]["v"]), (&json!(1), &json!(2)));

    let name = path.to_str().unwrap();
    let (key, other) = (write_key_file(folder.path(), KEY), write_key_file(folder.path(), OTHER));
    let both = ["--key-file", &key, "--key-file", &other];
    let (code, output) = run_verify(&[&[name, "--unkeyed-until", "5"], &both[..]].concat());
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("note: the key changes here from no key to"), "{output}");
    let (code, output) = run_verify(&[&[name], &both[..]].concat());
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("pass --unkeyed-until 5"), "{output}");
    // The head is signed with the configured key, not with an earlier key.
    let head = |arguments: &[&str]| {
        let mut command = program(&["audit", "head", name, "--key-file", &key]);
        command.args(arguments).env("OCTOPUS_MCP_AUDIT__CHAIN_KEY_FILE", &other);
        command.output().unwrap()
    };
    let rejected = head(&[]);
    assert_eq!(rejected.status.code(), Some(1));
    assert!(String::from_utf8(rejected.stdout).unwrap().contains("pass --unkeyed-until 5"));
    let printed = head(&["--unkeyed-until", "5"]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let last = all[14]["key"].as_str().unwrap();
    assert!(printed.starts_with("audit-head:1:15:") && printed.contains(last), "{printed}");
    let (code, output) = run_verify(&[name, "--unkeyed-until", "5", "--key-file", &key]);
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("NOT VERIFIED: records 11 to 15"), "{output}");

    let mut config = Config::default();
    config.octopus.url = Some("http://127.0.0.1:9".parse().unwrap());
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.audit.file.path = Some(path.clone());
    let rejected = app::start(config).await.unwrap_err().to_string();
    assert!(rejected.contains("set audit.chain_key"), "{rejected}");
}

#[tokio::test]
async fn key_continues_across_rotation() {
    let recorded = AuditFixture::with(|config| {
        config.audit.file.rotate_bytes = octopus_mcp::config::ByteSize(4096);
        with_chain_key(Some(KEY))(config);
    })
    .await;
    for _ in 0..20 {
        recorded.approval.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
    let folder = recorded.stop().await;
    let key = write_key_file(folder.path(), KEY);
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    files.sort_by_key(|path| (path.rsplit('.').next() == Some("jsonl"), path.clone()));
    assert!(files.len() > 2, "{files:?}");
    let all: Vec<&str> = files.iter().map(String::as_str).chain(["--key-file", &key]).collect();
    let (code, output) = run_verify(&all);
    assert_eq!(code, 0, "{output}");
    // A rewritten file in the middle is detected.
    let forged = Forger::KeepsKeyId.rewrite(&read_lines(Path::new(&files[1])), |_| {});
    fs::write(&files[1], forged).unwrap();
    let (code, output) = run_verify(&all);
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("the record was changed"), "{output}");
}

/// The log and standard output contain the chain head, which reveals a truncated file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_in_the_log_reveals_a_truncated_file() {
    let folder = tempfile::tempdir().unwrap();
    let (key, path) = (write_key_file(folder.path(), KEY), folder.path().join("audit.jsonl"));
    let name = path.to_str().unwrap();
    let mut command = program(&["--listen=127.0.0.1:0"]);
    command
        .env("OCTOPUS_SERVER_URL", "http://127.0.0.1:9")
        .env("OCTOPUS_MCP_AUDIT__STDOUT", "true")
        .env("OCTOPUS_MCP_AUDIT__CHAIN_KEY_FILE", &key)
        .env("OCTOPUS_MCP_AUDIT__FILE__PATH", &path);
    let serving = ServerProcess::start(command);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    for _ in 0..3 {
        let post = client().post(&serving.url).header("content-type", "application/json");
        assert_eq!(send(post.body(list.clone())).await.status, 401);
    }
    let (code, out, log) = serving.finish();
    assert_eq!(code, 0);
    assert_eq!(log.matches("audit-head:1:4:").count(), 1, "{log}");
    let (log_file, stdout) = (folder.path().join("log"), folder.path().join("stdout.jsonl"));
    fs::write(&log_file, &log).unwrap();
    fs::write(&stdout, &out).unwrap();
    let stdout_name = stdout.to_str().unwrap();
    let (code, output) = run_verify(&[stdout_name, "--key-file", &key, "--output", "stdout"]);
    assert_eq!(code, 0, "{output}");
    // The chain of standard output is not accepted as the chain of another output.
    for output in ["file", "collector"] {
        let (code, output) = run_verify(&[stdout_name, "--key-file", &key, "--output", output]);
        assert_eq!(code, 1, "{output}: {output}");
        assert!(output.contains("and --output if these are not records of the file"), "{output}");
    }
    let printed = program(&["audit", "head", name, "--key-file", &key]).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    let heads = [log_file.to_str().unwrap(), stdout.to_str().unwrap(), &printed];
    for head in heads {
        let (code, output) = run_verify(&[name, "--key-file", &key, "--head", head]);
        assert_eq!(code, 0, "{head}: {output}");
        assert!(output.contains("1 heads compared"), "{output}");
    }

    let text = fs::read_to_string(&path).unwrap();
    let cut: String = text.lines().take(3).flat_map(|line| [line, "\n"]).collect();
    fs::write(&path, cut).unwrap();
    // Documented limit: without a head, the key does not reveal a truncated file.
    assert_eq!(run_verify(&[name, "--key-file", &key]).0, 0);
    for head in heads {
        let (code, output) = run_verify(&[name, "--key-file", &key, "--head", head]);
        assert_eq!(code, 1, "{head}: {output}");
        assert!(output.contains("the end is missing: a head refers to record 4"), "{output}");
    }
    let (code, output) = run_verify(&[name, "--key-file", &key, "--head", "/nowhere"]);
    assert_eq!(code, 1);
    assert!(output.contains("/nowhere is neither a head nor a readable file"), "{output}");
}

#[test]
fn new_key_file_is_private_and_kept_apart_from_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let make = || program(&["audit", "new-key", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(make().status.code(), Some(0));
    let key = fs::read_to_string(&path).unwrap();
    assert_eq!(key.trim().len(), 64, "{key}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(make().status.code(), Some(1), "an existing key file is not overwritten");
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    let printed = program(&["audit", "new-key"]).output().unwrap().stdout;
    assert_eq!(printed.len(), 65);

    let rejected = |variables: &[(&str, &str)]| {
        let mut command = program(&["--sample"]);
        for (name, value) in variables {
            command.env(format!("OCTOPUS_MCP_AUDIT__{name}"), value);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{variables:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let (path, beside) = (path.to_str().unwrap(), folder.path().join("audit.jsonl"));
    for (variables, expected) in [
        (
            &[("CHAIN_KEY", "short")][..],
            "use at least 32 characters, e.g. from `octopus-mcp audit new-key`",
        ),
        (&[("CHAIN_KEY_FILE", "/nowhere")], "cannot read the file /nowhere"),
        (
            &[("CHAIN_KEY", KEY), ("CHAIN_KEY_FILE", path)],
            "audit.chain_key is set as well; remove one of the two",
        ),
        (
            &[("CHAIN_KEY_FILE", path), ("FILE__PATH", beside.to_str().unwrap())],
            "the key is in the folder of audit.file.path",
        ),
    ] {
        let output = rejected(variables);
        assert!(output.contains(expected) && !output.contains(KEY), "{expected}: {output}");
    }
}
