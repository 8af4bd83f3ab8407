//! Checks `docs/security.md` and `docs/migrating.md`: the tests and files that they name exist, and
//! the settings that they show load.

use std::{collections::BTreeSet, fs};

use crate::{
    cli::program,
    docs::{root, write_secrets},
};

/// Number of threats of each actor, by the actor's letter.
const ROWS_PER_ACTOR: [(char, usize); 12] = [
    ('K', 7),
    ('G', 11),
    ('T', 5),
    ('O', 9),
    ('N', 5),
    ('W', 7),
    ('H', 5),
    ('C', 9),
    ('M', 6),
    ('I', 5),
    ('R', 8),
    ('A', 29),
];

fn read_page(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Returns the inline code of a Markdown text.
fn inline_code(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut names = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            names.extend(line.split('`').skip(1).step_by(2));
        }
    }
    names
}

/// Returns the code blocks of a language.
fn code_blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let pieces = text.split(begin.as_str()).skip(1);
    pieces.map(|piece| piece.split("```").next().unwrap()).collect()
}

/// Returns whether a word looks like a test name, of this binary or of the browser tests.
fn names_test(word: &str) -> bool {
    word.contains(".rs::") || word.contains(".test.mjs::")
}

/// Returns whether the code defines a test of this name: a function with a test attribute, or a
/// browser test.
fn has_test(code: &str, name: &str) -> bool {
    if code.contains(&format!("\ntest('{name}', ")) {
        return true;
    }
    let Some((before, _)) = code.split_once(&format!("fn {name}(")) else { return false };
    let near: Vec<&str> = before.lines().rev().take(8).collect();
    near.iter().any(|line| {
        let line = line.trim();
        line == "#[test]" || line.starts_with("#[tokio::test")
    })
}

/// Every threat row is in order and names at least one test, and every named test exists.
#[test]
fn every_threat_names_existing_tests() {
    let text = read_page("docs/security.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.len() == 5 && cells[0].ends_with(char::is_numeric))
        .collect();
    let expected: Vec<String> = ROWS_PER_ACTOR
        .iter()
        .flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}")))
        .collect();
    let found: Vec<&str> = rows.iter().map(|cells| cells[0]).collect();
    assert_eq!(found, expected);
    for cells in rows {
        let proofs = inline_code(cells[4]);
        assert!(!proofs.is_empty(), "{} has no proof", cells[0]);
        for proof in proofs {
            assert!(names_test(proof), "{}: {proof} is no test", cells[0]);
        }
    }
    for word in inline_code(&text).into_iter().filter(|word| names_test(word)) {
        let (place, name) = word.split_once("::").unwrap();
        let code =
            fs::read_to_string(root().join(place)).unwrap_or_else(|e| panic!("{place}: {e}"));
        assert!(has_test(&code, name), "test {name} not found in {place}");
    }
}

/// Every source file that the page names exists.
#[test]
fn every_named_source_file_exists() {
    let text = read_page("docs/security.md");
    let files: BTreeSet<&str> = inline_code(&text)
        .into_iter()
        .filter(|word| word.starts_with("src/") && !word.contains("::"))
        .collect();
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        assert!(root().join(file).is_file(), "file {file} not found");
    }
}

/// The settings of the checklist are valid in combination.
#[test]
fn checklist_settings_load() {
    let text = read_page("docs/security.md");
    let settings = code_blocks(&text, "toml");
    let [settings] = settings.as_slice() else { panic!("the page has exactly one settings block") };
    let folder = tempfile::tempdir().unwrap();
    let path = write_secrets(folder.path(), settings).join("settings.toml");
    fs::write(&path, settings).unwrap();
    let mut command = program(&["config", "--config", path.to_str().unwrap()]);
    // This machine does not have the folder of the audit file.
    command.env("OCTOPUS_MCP_AUDIT__FILE__PATH", folder.path().join("audit.jsonl"));
    let output = command.current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
}

/// The client configurations are valid JSON, and the settings of the page load.
#[test]
fn migration_examples_parse() {
    let text = read_page("docs/migrating.md");
    let clients = code_blocks(&text, "json");
    assert!(clients.len() >= 3, "{}", clients.len());
    for client in clients {
        let read: Result<serde_json::Value, _> = serde_json::from_str(client);
        assert!(read.is_ok(), "{client}: {read:?}");
    }
    let all = code_blocks(&text, "toml");
    assert!(!all.is_empty());
    for settings in all {
        let folder = tempfile::tempdir().unwrap();
        let path = write_secrets(folder.path(), settings).join("settings.toml");
        fs::write(&path, settings).unwrap();
        let mut command = program(&["config", "--config", path.to_str().unwrap()]);
        let output = command.current_dir(folder.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{settings}: {stderr}");
    }
}
