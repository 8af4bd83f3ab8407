//! Architecture rules: allowed imports between modules and crates per module, import cycles, and
//! the layers of the HTTP server.

mod imports;
mod layers;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The top-level modules from the highest layer down, with the modules that each may use.
#[rustfmt::skip]
const ALLOWED_IMPORTS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["app", "tool", "access", "policy", "audit", "auth", "octopus", "telemetry", "config"]),
    ("app", &[
        "http", "mcp", "toolsets", "tool", "approval", "access", "policy", "audit", "auth",
        "octopus", "store", "telemetry", "config", "grep", "sanitize", "text", "compute",
    ]),
    ("http", &["mcp", "access", "audit", "auth", "octopus", "store", "telemetry", "config"]),
    ("mcp", &[
        "toolsets", "tool", "approval", "access", "policy", "audit", "auth", "octopus", "store",
        "telemetry", "config", "grep", "sanitize", "text",
    ]),
    ("toolsets", &[
        "tool", "approval", "access", "policy", "auth", "octopus", "grep", "sanitize", "text",
        "compute",
    ]),
    ("tool", &[
        "approval", "access", "policy", "audit", "auth", "octopus", "telemetry", "config",
        "sanitize", "text", "compute",
    ]),
    // Approval and access do not import each other.
    ("approval", &["policy", "octopus", "store", "config", "sanitize", "text"]),
    ("access", &["policy", "auth", "octopus", "store", "config", "sanitize", "text"]),
    ("policy", &["config", "grep", "sanitize", "text"]),
    ("audit", &["telemetry", "config", "grep", "sanitize", "text"]),
    ("auth", &["octopus", "telemetry", "config", "grep", "sanitize", "text"]),
    ("octopus", &["telemetry", "config", "grep", "sanitize", "text", "compute"]),
    ("store", &["telemetry", "config"]),
    ("telemetry", &["config", "grep", "sanitize", "text"]),
    ("config", &[]),
    ("grep", &["sanitize", "text"]),
    ("sanitize", &["text"]),
    ("text", &[]),
    ("compute", &[]),
];

/// The crate of the sample instance. Paths of its files are relative to the workspace root.
const SAMPLE: &str = "crates/octopus-sample/";

/// Crates with the only folders that may use them.
const CRATE_BOUNDARIES: &[(&str, &[&str])] = &[
    ("axum", &["http/", SAMPLE]),
    ("hyper", &["http/"]),
    ("hyper_util", &["http/"]),
    ("tokio_rustls", &["http/"]),
    ("socket2", &["http/"]),
    ("tower", &["http/", SAMPLE]),
    ("tower_http", &["http/"]),
    ("rmcp", &["http/", "mcp/", "tool/", "approval/", "app/"]),
    ("reqwest", &["octopus/", "auth/oauth/", "telemetry/"]),
    ("jsonwebtoken", &["auth/oauth/"]),
    ("x509_parser", &["auth/"]),
    ("opentelemetry", &["telemetry/"]),
    ("opentelemetry_otlp", &["telemetry/"]),
    ("opentelemetry_sdk", &["telemetry/"]),
    ("redis", &["store/"]),
    ("governor", &["store/"]),
    ("figment", &["config/"]),
    ("clap", &["cli/", "main.rs"]),
    // Tests compare the documents with the contract.
    ("octopus_sample", &["app/sample.rs", "octopus/model/contract_tests.rs", SAMPLE]),
];

/// The only files in `tool` and `approval` that may use `rmcp`.
const RMCP_FILES: &[&str] = &[
    "approval/call_arguments.rs",
    "approval/seal.rs",
    "tool/arguments/mod.rs",
    "tool/arguments/pinned.rs",
    "tool/catalog.rs",
    "tool/context/scope.rs",
    "tool/definition.rs",
    "tool/erase.rs",
    "tool/invocation.rs",
    "tool/listing.rs",
    "tool/schema.rs",
    "tool/write_call.rs",
];

/// Folders with installed or generated files.
const GENERATED_FOLDERS: [&str; 3] = ["node_modules", ".venv", "target"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all Rust files below a folder, without generated folders.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|entry| {
        if entry.is_dir() {
            let is_source = !GENERATED_FOLDERS.iter().any(|name| entry.ends_with(name));
            if is_source { rust_files(&entry) } else { Vec::new() }
        } else {
            let is_rust = entry.extension().is_some_and(|extension| extension == "rs");
            if is_rust { vec![entry] } else { Vec::new() }
        }
    });
    found.collect()
}

/// Returns the path below `src` and the code of all Rust files, without inline tests and comments.
fn source_files() -> Vec<(String, String)> {
    files_in("src", "src")
}

/// Returns every Rust file in `folder`: its path below `base` and its text without tests and
/// comments.
fn files_in(folder: &str, base: &str) -> Vec<(String, String)> {
    let base = root().join(base);
    let files = rust_files(&root().join(folder)).into_iter().map(|file| {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let path = file.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
        (path, code.join("\n"))
    });
    let files: Vec<_> = files.collect();
    assert!(files.len() > 50);
    files
}

fn module(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Returns the top-level modules that code uses, in `use` declarations, grouped imports and paths
/// such as `crate::octopus::Id`.
fn imported_modules(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (place, _) in code.match_indices("crate::").chain(code.match_indices("octopus_mcp::")) {
        let rest = &code[place..];
        let rest = &rest[rest.find("::").unwrap() + 2..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ if depth > 0 => {}
                    ',' => word.clear(),
                    ':' if !word.is_empty() => {
                        names.insert(std::mem::take(&mut word));
                    }
                    letter if letter.is_whitespace() || letter == ':' => {}
                    letter => word.push(letter),
                }
                if depth == 0 && letter == '}' {
                    word.clear();
                }
            }
        } else {
            names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

fn forbidden_imports(path: &str, code: &str) -> Vec<String> {
    let module = module(path);
    if module == "lib" {
        return Vec::new();
    }
    let (_, allowed) = ALLOWED_IMPORTS
        .iter()
        .find(|(name, _)| *name == module)
        .unwrap_or_else(|| panic!("{path} is in no layer; add it to ALLOWED_IMPORTS"));
    let known: BTreeSet<&str> = ALLOWED_IMPORTS.iter().map(|(name, _)| *name).collect();
    imported_modules(code)
        .into_iter()
        .filter(|used| known.contains(used.as_str()) && used != module)
        .filter(|used| !allowed.contains(&used.as_str()))
        .map(|used| format!("{path} may not use `{used}`"))
        .collect()
}

fn forbidden_crates(path: &str, code: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, folders) in CRATE_BOUNDARIES {
        let is_named = code
            .match_indices(&format!("{name}::"))
            // A name after a comma without a space is a log filter directive.
            .any(|(place, _)| {
                !code[..place].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ','))
            });
        if is_named && !folders.iter().any(|folder| path.starts_with(folder)) {
            wrong.push(format!("{path} may not name `{name}`"));
        }
        if is_named
            && *name == "rmcp"
            && (path.starts_with("tool/") || path.starts_with("approval/"))
            && !RMCP_FILES.contains(&path)
        {
            wrong.push(format!("{path} may not name `rmcp`"));
        }
    }
    if (code.contains("std::env::") || code.contains("env::var")) && !path.starts_with("config/") {
        wrong.push(format!("{path} may not read the environment"));
    }
    wrong
}

#[test]
fn allowed_imports_point_down() {
    let order: Vec<&str> = ALLOWED_IMPORTS.iter().map(|(name, _)| *name).collect();
    for (place, (name, allowed)) in ALLOWED_IMPORTS.iter().enumerate() {
        for used in *allowed {
            let below = order.iter().position(|other| other == used).unwrap();
            assert!(below > place, "{name} uses {used}, which is in a higher layer");
        }
    }
}

#[test]
fn imports_point_down() {
    let wrong: Vec<String> =
        source_files().iter().flat_map(|(path, code)| forbidden_imports(path, code)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn crates_are_used_only_in_their_modules() {
    let wrong: Vec<String> =
        source_files().iter().flat_map(|(path, code)| forbidden_crates(path, code)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The client and the sample instance are independent implementations of the Octopus API.
#[test]
fn sample_instance_imports_no_other_module() {
    let files = files_in("crates/octopus-sample/src", "");
    let wrong: Vec<String> =
        files.iter().flat_map(|(path, code)| forbidden_crates(path, code)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let manifest = fs::read_to_string(root().join(SAMPLE).join("Cargo.toml")).unwrap();
    let depends = manifest.split("dependencies]").skip(1).collect::<String>();
    assert!(depends.contains("axum.workspace"), "{manifest}");
    assert!(!depends.contains("path =") && !depends.contains("octopus-"), "{manifest}");
}

/// Checks that the rules above detect violations.
#[test]
fn checks_detect_forbidden_imports() {
    let tool = "toolsets/core/list_spaces.rs";
    for (used, wrong) in [
        ("http", "use crate::http::Gate;"),
        ("mcp", "use crate::{\n    octopus::Id,\n    mcp::{Caller, Protocol},\n};"),
        ("app", "fn f() { crate::app::start(); }"),
    ] {
        assert_eq!(
            forbidden_imports(tool, wrong),
            [format!("{tool} may not use `{used}`")],
            "{wrong}"
        );
    }
    assert!(
        forbidden_imports(tool, "use crate::{octopus::{Id, Page}, tool::{Context, Error}};")
            .is_empty()
    );
    for (message, wrong) in [
        ("name `rmcp`", "use rmcp::model;"),
        ("name `reqwest`", "fn f(c: reqwest::Client) {}"),
        ("read the environment", "std::env::var(\"X\")"),
    ] {
        assert_eq!(forbidden_crates(tool, wrong), [format!("{tool} may not {message}")], "{wrong}");
    }
    let wrong = forbidden_crates("tool/answer/list.rs", "use rmcp::model;");
    assert_eq!(wrong, ["tool/answer/list.rs may not name `rmcp`"]);
    let wrong = forbidden_imports("config/mod.rs", "use crate::octopus::Id;");
    assert_eq!(wrong, ["config/mod.rs may not use `octopus`"]);
    let sample = "crates/octopus-sample/src/serve.rs";
    for wrong in ["use reqwest::Client;", "std::env::var(\"X\")"] {
        assert_eq!(forbidden_crates(sample, wrong).len(), 1, "{wrong}");
    }
    assert!(forbidden_crates(sample, "use axum::Router;").is_empty());
    let wrong = forbidden_crates("http/mod.rs", "use octopus_sample::Sample;");
    assert_eq!(wrong, ["http/mod.rs may not name `octopus_sample`"]);
}

/// Change requests need a `WritePermit`, which only the approval gate creates.
#[test]
fn write_permits_are_created_in_one_place() {
    let files = source_files();
    let places: Vec<(&str, usize)> = files
        .iter()
        .filter(|(path, _)| path != "octopus/client/change_request.rs")
        .map(|(path, code)| (path.as_str(), code.matches("WritePermit::").count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(places, [("tool/write_call.rs", 1)]);
    let mut sends: Vec<&str> = files
        .iter()
        .filter(|(_, code)| code.contains(".write_client"))
        .map(|(path, _)| path.as_str())
        .collect();
    sends.sort_unstable();
    // The token exchange also uses this client, because it must not follow redirects.
    assert_eq!(sends, ["octopus/client/session/requests.rs", "octopus/client/token_exchange.rs"]);
}
