//! `octopus-mcp audit verify`, as whoever types it sees it.

use std::{fs, path::Path, process::Output};

use octopus_sample::keys;
use serde_json::json;

use super::{Recorded, lines};
use crate::commands::{Serving, program};

pub fn verify(arguments: &[&str]) -> (i32, String) {
    let mut command = program(&["audit", "verify"]);
    let Output { status, stdout, stderr } = command.args(arguments).output().unwrap();
    let said = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (status.code().unwrap(), said)
}

async fn four_records() -> (tempfile::TempDir, std::path::PathBuf) {
    let recorded = Recorded::start().await;
    for _ in 0..4 {
        recorded.desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
    let path = recorded.path();
    (recorded.stop().await, path)
}

fn write(path: &Path, lines: &[&str]) {
    fs::write(path, lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>()).unwrap();
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_and_its_place_is_told() {
    let (folder, path) = four_records().await;
    let text = fs::read_to_string(&path).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let name = path.to_str().unwrap();
    let (code, said) = verify(&[name]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("5 records read\nthe last one is number 5"), "{said}");
    let last = lines(&path)[4]["hash"].as_str().unwrap().to_owned();
    assert_eq!(verify(&[name, "--count", "5", "--last", &last]).0, 0);

    let changed = all[2].replace("\"done\"", "\"asked\"");
    let tampered: [(&str, Vec<&str>, &str); 6] = [
        ("changed", vec![all[0], all[1], &changed, all[3], all[4]], ":3: the record was changed"),
        ("removed", vec![all[0], all[1], all[3], all[4]], ":3: 1 records are missing"),
        ("reordered", vec![all[0], all[2], all[1], all[3], all[4]], ":3: number 2 stands after"),
        ("inserted", vec![all[0], all[1], all[1], all[2], all[3]], ":3: number 2 stands after"),
        ("beheaded", vec![all[1], all[2]], ":1: the beginning of the file is missing"),
        ("cut", vec![all[0], &all[1][..40]], ":2: this is no record"),
    ];
    for (kind, lines, words) in tampered {
        write(&path, &lines);
        let (code, said) = verify(&[name]);
        assert_eq!(code, 1, "{kind}: {said}");
        assert!(said.contains(&format!("{name}{words}")), "{kind}: {said}");
        // Another order breaks the chain at several places.
        let is_once = said.contains("1 thing is wrong") || kind == "reordered";
        assert!(is_once, "{kind} is told once: {said}");
    }

    // What is missing at the end shows only to whoever knows the end.
    write(&path, &all[..3]);
    assert_eq!(verify(&[name]).0, 0);
    for known in [["--count", "5"], ["--last", &last]] {
        let (code, said) = verify(&[name, known[0], known[1]]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("the last record"), "{said}");
    }
    drop(folder);
    let (code, said) = verify(&[name]);
    assert_eq!(code, 1);
    assert!(said.contains("audit.jsonl: "), "{said}");
}

/// Records on standard output are lines of their own, and the log is elsewhere.
#[tokio::test]
async fn standard_output_takes_records_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["--listen=127.0.0.1:0"]);
    command.env("OCTOPUS_SERVER_URL", "http://127.0.0.1:9");
    command.env("OCTOPUS_MCP_AUDIT__STDOUT", "true");
    command.env("OCTOPUS_MCP_AUDIT__FILE__PATH", folder.path().join("audit.jsonl"));
    let serving = Serving::start(command);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let post = crate::support::client().post(&serving.url);
    let post = post.header("content-type", "application/json").body(list);
    assert_eq!(crate::support::reply(post).await.status, 401);
    let (code, out, log) = serving.finish();
    assert_eq!(code, 0);
    assert!(!log.contains("unauthenticated"), "{log}");
    let path = folder.path().join("stdout.jsonl");
    fs::write(&path, out).unwrap();
    let records = super::records(&path);
    assert_eq!(records[0]["kind"], "unauthenticated");
    assert_eq!(verify(&[path.to_str().unwrap()]).0, 0);
    // The file has a chain of its own, of the same record.
    let file = super::records(&folder.path().join("audit.jsonl"));
    assert_eq!(file[0]["id"], records[0]["id"]);
}

#[test]
fn a_local_client_has_standard_output_for_itself() {
    let mut command = program(&["stdio", "--sample"]);
    command.env("OCTOPUS_MCP_AUDIT__STDOUT", "true");
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert_eq!((status.code(), stdout), (Some(1), Vec::new()));
    assert!(String::from_utf8(stderr).unwrap().contains("audit.stdout"));
}

#[test]
fn settings_that_cannot_stand_together_are_refused() {
    let mut command = program(&["--sample"]);
    command.env("OCTOPUS_MCP_AUDIT__REQUIRED", "true");
    command.env("OCTOPUS_MCP_AUDIT__FIELDS", "confirm");
    command.env("OCTOPUS_MCP_AUDIT__HASH_KEY", "short");
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    for words in ["say where records go", "`confirm` holds a code", "at least 32 characters"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
