//! A chain with a key: what a forger who has not got it cannot hide, and how a chain gets one.

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
    Recorded,
    forger::{Forger, edits},
    lines,
    verify::verify,
};
use crate::{
    commands::{Serving, program},
    support::{client, reply},
};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210";

fn with(key: Option<&str>) -> impl FnOnce(&mut Config) {
    let key = key.map(|key| Secret::from(key.to_owned()));
    move |config| config.audit.chain_key = key
}

async fn four_calls(recorded: Recorded) -> (tempfile::TempDir, PathBuf) {
    for _ in 0..4 {
        recorded.desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
    let path = recorded.path();
    (recorded.stop().await, path)
}

/// Writes a key into a file apart from the records.
fn key_file(folder: &Path, key: &str) -> String {
    let name = &key[..4];
    let path = folder.join("keys").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("{key}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn recomputed_hashes_are_found_with_the_key_and_not_without_one() {
    let (folder, path) = four_calls(Recorded::start().await).await;
    let name = path.to_str().unwrap();
    let plain = lines(&path);
    for (kind, edit) in edits() {
        fs::write(&path, Forger::WithoutKey.rewrite(&plain, edit)).unwrap();
        let (code, said) = verify(&[name]);
        // The limit that the documentation names.
        assert_eq!(code, 0, "without a key, {kind} is not found: {said}");
        assert!(said.contains("records 1 to") && said.contains("have no key"), "{said}");
    }
    drop(folder);

    let (folder, path) = four_calls(Recorded::with(with(Some(KEY))).await).await;
    let name = path.to_str().unwrap();
    let (key, other) = (key_file(folder.path(), KEY), key_file(folder.path(), OTHER));
    let intact = fs::read(&path).unwrap();
    let keyed = lines(&path);
    let (code, said) = verify(&[name, "--key-file", &key]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("records 1 to 5 were compared with the key"), "{said}");
    assert!(!fs::read_to_string(&path).unwrap().contains(KEY));

    for (kind, edit) in edits() {
        for forger in [Forger::WithoutKey, Forger::KeepsKeyId] {
            fs::write(&path, forger.rewrite(&keyed, edit)).unwrap();
            let (code, said) = verify(&[name, "--key-file", &key]);
            assert_eq!(code, 1, "{kind}, {forger:?}: {said}");
        }
        // Without the key, but with the option that expects one.
        fs::write(&path, Forger::WithoutKey.rewrite(&keyed, edit)).unwrap();
        let (code, said) = verify(&[name, "--keyed"]);
        assert_eq!(code, 1, "{kind}: {said}");
        assert!(said.contains("have no key, so their integrity cannot be verified"), "{said}");
    }

    fs::write(&path, intact).unwrap();
    for (arguments, words) in [
        (&[name][..], "NOT VERIFIED: records 1 to 5 were written with the key"),
        (&[name, "--key-file", &other], "NOT VERIFIED"),
        (&[name, "--key-file", "/nowhere"], "--key-file: /nowhere"),
    ] {
        let (code, said) = verify(arguments);
        assert_eq!(code, 1, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    // The settings have the key too.
    let mut command = program(&["audit", "verify", name]);
    let output = command.env("OCTOPUS_MCP_AUDIT__CHAIN_KEY_FILE", &key).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test]
async fn a_chain_gets_a_key_and_another_one_and_never_goes_on_without() {
    let (folder, path) = four_calls(Recorded::start().await).await;
    let recorded = Recorded::within(folder, with(Some(KEY))).await;
    let (folder, _) = four_calls(recorded).await;
    let recorded = Recorded::within(folder, with(Some(OTHER))).await;
    let (folder, _) = four_calls(recorded).await;
    let all = lines(&path);
    assert_eq!((all.len(), &all[5]["begin"]["rekeyed"]["from"]), (15, &Value::Null));
    assert_eq!(all[5]["begin"]["rekeyed"]["to"], all[5]["key"]);
    assert_eq!(all[10]["begin"]["rekeyed"]["from"], all[9]["key"]);
    assert_eq!((&all[0]["v"], &all[5]["v"]), (&json!(1), &json!(2)));

    let name = path.to_str().unwrap();
    let (key, other) = (key_file(folder.path(), KEY), key_file(folder.path(), OTHER));
    let both = ["--key-file", &key, "--key-file", &other];
    let (code, said) = verify(&[&[name, "--unkeyed-until", "5"], &both[..]].concat());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("note: the key changes here from no key to"), "{said}");
    let (code, said) = verify(&[&[name], &both[..]].concat());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("give --unkeyed-until 5"), "{said}");
    // A head of this chain, signed with the configured key and not with an earlier one.
    let head = |arguments: &[&str]| {
        let mut command = program(&["audit", "head", name, "--key-file", &key]);
        command.args(arguments).env("OCTOPUS_MCP_AUDIT__CHAIN_KEY_FILE", &other);
        command.output().unwrap()
    };
    let refused = head(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stdout).unwrap().contains("give --unkeyed-until 5"));
    let printed = head(&["--unkeyed-until", "5"]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let last = all[14]["key"].as_str().unwrap();
    assert!(printed.starts_with("audit-head:1:15:") && printed.contains(last), "{printed}");
    let (code, said) = verify(&[name, "--unkeyed-until", "5", "--key-file", &key]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("NOT VERIFIED: records 11 to 15"), "{said}");

    let mut config = Config::default();
    config.octopus.url = Some("http://127.0.0.1:9".parse().unwrap());
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.audit.file.path = Some(path.clone());
    let refused = app::start(config).await.unwrap_err();
    assert!(refused.contains("set audit.chain_key"), "{refused}");
}

#[tokio::test]
async fn the_key_goes_on_over_rotation() {
    let recorded = Recorded::with(|config| {
        config.audit.file.rotate_bytes = octopus_mcp::config::ByteSize(4096);
        with(Some(KEY))(config);
    })
    .await;
    for _ in 0..20 {
        recorded.desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
    let folder = recorded.stop().await;
    let key = key_file(folder.path(), KEY);
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    files.sort_by_key(|path| (path.rsplit('.').next() == Some("jsonl"), path.clone()));
    assert!(files.len() > 2, "{files:?}");
    let all: Vec<&str> = files.iter().map(String::as_str).chain(["--key-file", &key]).collect();
    let (code, said) = verify(&all);
    assert_eq!(code, 0, "{said}");
    // One file that was replaced does not fit between the others.
    let forged = Forger::KeepsKeyId.rewrite(&lines(Path::new(&files[1])), |_| {});
    fs::write(&files[1], forged).unwrap();
    assert_eq!(verify(&all).0, 1);
}

/// The log and standard output have the head; the end of the file is missed there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_in_the_log_shows_that_the_end_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (key, path) = (key_file(folder.path(), KEY), folder.path().join("audit.jsonl"));
    let name = path.to_str().unwrap();
    let mut command = program(&["--listen=127.0.0.1:0"]);
    command
        .env("OCTOPUS_SERVER_URL", "http://127.0.0.1:9")
        .env("OCTOPUS_MCP_AUDIT__STDOUT", "true")
        .env("OCTOPUS_MCP_AUDIT__CHAIN_KEY_FILE", &key)
        .env("OCTOPUS_MCP_AUDIT__FILE__PATH", &path);
    let serving = Serving::start(command);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    for _ in 0..3 {
        let post = client().post(&serving.url).header("content-type", "application/json");
        assert_eq!(reply(post.body(list.clone())).await.status, 401);
    }
    let (code, out, log) = serving.finish();
    assert_eq!(code, 0);
    assert_eq!(log.matches("audit-head:1:4:").count(), 1, "{log}");
    let (log_file, stdout) = (folder.path().join("log"), folder.path().join("stdout.jsonl"));
    fs::write(&log_file, &log).unwrap();
    fs::write(&stdout, &out).unwrap();
    let stdout_name = stdout.to_str().unwrap();
    let (code, said) = verify(&[stdout_name, "--key-file", &key, "--output", "stdout"]);
    assert_eq!(code, 0, "{said}");
    // The chain of standard output does not pass for that of the file.
    for output in ["file", "collector"] {
        let (code, said) = verify(&[stdout_name, "--key-file", &key, "--output", output]);
        assert_eq!(code, 1, "{output}: {said}");
        assert!(said.contains("and --output if these are not records of the file"), "{said}");
    }
    let printed = program(&["audit", "head", name, "--key-file", &key]).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    let heads = [log_file.to_str().unwrap(), stdout.to_str().unwrap(), &printed];
    for head in heads {
        let (code, said) = verify(&[name, "--key-file", &key, "--head", head]);
        assert_eq!(code, 0, "{head}: {said}");
        assert!(said.contains("1 heads compared"), "{said}");
    }

    let text = fs::read_to_string(&path).unwrap();
    let cut: String = text.lines().take(3).flat_map(|line| [line, "\n"]).collect();
    fs::write(&path, cut).unwrap();
    // The limit of a key.
    assert_eq!(verify(&[name, "--key-file", &key]).0, 0);
    for head in heads {
        let (code, said) = verify(&[name, "--key-file", &key, "--head", head]);
        assert_eq!(code, 1, "{head}: {said}");
        assert!(said.contains("the end is missing: a head names record 4"), "{said}");
    }
    let (code, said) = verify(&[name, "--key-file", &key, "--head", "/nowhere"]);
    assert_eq!(code, 1);
    assert!(said.contains("/nowhere is no head"), "{said}");
}

#[test]
fn a_new_key_is_for_its_owner_alone_and_settings_keep_it_apart() {
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
    assert_eq!(make().status.code(), Some(1), "one that is there stays");
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    let printed = program(&["audit", "new-key"]).output().unwrap().stdout;
    assert_eq!(printed.len(), 65);

    let refused = |variables: &[(&str, &str)]| {
        let mut command = program(&["--sample"]);
        for (name, value) in variables {
            command.env(format!("OCTOPUS_MCP_AUDIT__{name}"), value);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{variables:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let (path, beside) = (path.to_str().unwrap(), folder.path().join("audit.jsonl"));
    for (variables, words) in [
        (
            &[("CHAIN_KEY", "short")][..],
            "give at least 32 characters, as `octopus-mcp audit new-key`",
        ),
        (&[("CHAIN_KEY_FILE", "/nowhere")], "/nowhere cannot be read"),
        (&[("CHAIN_KEY", KEY), ("CHAIN_KEY_FILE", path)], "not both"),
        (
            &[("CHAIN_KEY_FILE", path), ("FILE__PATH", beside.to_str().unwrap())],
            "keep the key in another folder",
        ),
    ] {
        let said = refused(variables);
        assert!(said.contains(words) && !said.contains(KEY), "{words}: {said}");
    }
}
