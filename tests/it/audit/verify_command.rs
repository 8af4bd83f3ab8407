//! The command `octopus-mcp audit verify`.

use std::{fs, path::Path, process::Output};

use octopus_sample::keys;
use serde_json::json;

use super::{AuditFixture, read_lines};
use crate::cli::{ServerProcess, program};

pub fn run_verify(arguments: &[&str]) -> (i32, String) {
    let mut command = program(&["audit", "verify"]);
    let Output { status, stdout, stderr } = command.args(arguments).output().unwrap();
    let output = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (status.code().unwrap(), output)
}

async fn four_records() -> (tempfile::TempDir, std::path::PathBuf) {
    let recorded = AuditFixture::start().await;
    for _ in 0..4 {
        recorded.approval.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
    let path = recorded.path();
    (recorded.stop().await, path)
}

fn write_lines(path: &Path, lines: &[&str]) {
    fs::write(path, lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>()).unwrap();
}

#[tokio::test]
async fn reports_each_kind_of_tampering_with_its_line() {
    let (folder, path) = four_records().await;
    let text = fs::read_to_string(&path).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let name = path.to_str().unwrap();
    let (code, output) = run_verify(&[name]);
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("5 records read\nlast record: number 5"), "{output}");
    let last = read_lines(&path)[4]["hash"].as_str().unwrap().to_owned();
    assert_eq!(run_verify(&[name, "--count", "5", "--last", &last]).0, 0);

    let changed = rows[2].replace("\"done\"", "\"asked\"");
    let tampered: [(&str, Vec<&str>, &str); 6] = [
        (
            "changed",
            vec![rows[0], rows[1], &changed, rows[3], rows[4]],
            ":3: the record was changed",
        ),
        (
            "removed",
            vec![rows[0], rows[1], rows[3], rows[4]],
            ":3: 1 records are missing before record 4",
        ),
        (
            "reordered",
            vec![rows[0], rows[2], rows[1], rows[3], rows[4]],
            ":3: record 2 follows record 3",
        ),
        (
            "inserted",
            vec![rows[0], rows[1], rows[1], rows[2], rows[3]],
            ":3: record 2 follows record 2",
        ),
        ("start removed", vec![rows[1], rows[2]], ":1: the beginning of the file is missing"),
        ("truncated", vec![rows[0], &rows[1][..40]], ":2: not a valid record"),
    ];
    for (kind, lines, expected) in tampered {
        write_lines(&path, &lines);
        let (code, output) = run_verify(&[name]);
        assert_eq!(code, 1, "{kind}: {output}");
        assert!(output.contains(&format!("{name}{expected}")), "{kind}: {output}");
        // Reordering breaks the chain at several lines.
        let is_reported_once = output.contains("1 problem found") || kind == "reordered";
        assert!(is_reported_once, "{kind} is reported once: {output}");
    }

    // Truncation at the end is detected only with the expected count or last hash.
    write_lines(&path, &rows[..3]);
    assert_eq!(run_verify(&[name]).0, 0);
    for (option, value, expected) in [
        ("--count", "5", "the last record is 3, expected 5"),
        ("--last", &*last, "which is not the expected one"),
    ] {
        let (code, output) = run_verify(&[name, option, value]);
        assert_eq!(code, 1, "{output}");
        assert!(output.contains(expected), "{output}");
    }
    drop(folder);
    let (code, output) = run_verify(&[name]);
    assert_eq!(code, 1);
    assert!(output.contains("audit.jsonl: "), "{output}");
}

/// Records on standard output are separate lines; the log goes to standard error.
#[tokio::test]
async fn records_are_written_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["--listen=127.0.0.1:0"]);
    command.env("OCTOPUS_SERVER_URL", "http://127.0.0.1:9");
    command.env("OCTOPUS_MCP_AUDIT__STDOUT", "true");
    command.env("OCTOPUS_MCP_AUDIT__FILE__PATH", folder.path().join("audit.jsonl"));
    let serving = ServerProcess::start(command);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let post = crate::support::client().post(&serving.url);
    let post = post.header("content-type", "application/json").body(list);
    assert_eq!(crate::support::send(post).await.status, 401);
    let (code, out, log) = serving.finish();
    assert_eq!(code, 0);
    assert!(!log.contains("unauthenticated"), "{log}");
    let path = folder.path().join("stdout.jsonl");
    fs::write(&path, out).unwrap();
    let records = super::read_records(&path);
    assert_eq!(records[0]["kind"], "unauthenticated");
    assert_eq!(run_verify(&[path.to_str().unwrap()]).0, 0);
    // The file has its own chain with the same record.
    let file = super::read_records(&folder.path().join("audit.jsonl"));
    assert_eq!(file[0]["id"], records[0]["id"]);
}

#[test]
fn stdio_transport_rejects_audit_on_standard_output() {
    let mut command = program(&["stdio", "--sample"]);
    command.env("OCTOPUS_MCP_AUDIT__STDOUT", "true");
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert_eq!((status.code(), stdout), (Some(2), Vec::new()));
    assert!(
        String::from_utf8(stderr)
            .unwrap()
            .contains("audit.stdout: stdio mode uses standard output for MCP")
    );
}

#[test]
fn rejects_invalid_audit_settings() {
    let mut command = program(&["--sample"]);
    command.env("OCTOPUS_MCP_AUDIT__REQUIRED", "true");
    command.env("OCTOPUS_MCP_AUDIT__FIELDS", "confirm");
    command.env("OCTOPUS_MCP_AUDIT__HASH_KEY", "short");
    let Output { status, stderr, .. } = command.output().unwrap();
    assert_eq!(status.code(), Some(2));
    let output = String::from_utf8(stderr).unwrap();
    for expected in
        ["no audit output is configured", "`confirm` contains a code", "at least 32 characters"]
    {
        assert!(output.contains(expected), "{expected}: {output}");
    }
}
