//! Printed output: effective settings with their origin, and the tools.

use serde_json::Value;

use super::{program, run_program};

#[test]
fn config_prints_effective_settings_with_their_origin() {
    let mut command = program(&["config", "--server-url", "https://octopus.example.com"]);
    let output = command.env("OCTOPUS_API_KEY", "API-TOPSECRET").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("{key} in {text}")).to_owned()
    };
    assert!(line("octopus.url").ends_with("# flag --server-url"));
    assert!(line("octopus.api_key").contains("********"));
    assert!(line("octopus.api_key").ends_with("# environment variable OCTOPUS_API_KEY"));
    assert!(line("http.listen").contains("127.0.0.1:8080"));
    assert!(line("http.listen").ends_with("# default"));
    assert!(!text.contains("TOPSECRET"));
    let (code, printed, stderr) = run_program(&["config"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(printed.contains("http.listen"), "the settings are printed before the error");
}

#[test]
fn tools_prints_lines_json_and_versions() {
    let (code, text, _) = run_program(&["tools"]);
    assert_eq!(code, 0);
    assert!(text.lines().count() >= 16, "{text}");
    let live = text.lines().find(|line| line.contains("get_kubernetes_live_status")).unwrap();
    assert!(live.contains("  2025.3  "), "{live}");
    let columns: Vec<_> = text.lines().map(|line| line.find("  read  ")).skip(1).collect();
    assert!(columns.iter().flatten().all(|column| columns[0] == Some(*column)), "{text}");
    let (_, text, _) = run_program(&["tools", "--json", "--toolsets", "core,projects"]);
    let tools: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<_> =
        tools.as_array().unwrap().iter().map(|t| t["tool"]["name"].as_str().unwrap()).collect();
    assert_eq!(
        names[..6],
        [
            "list_spaces",
            "list_environments",
            "grep_llms_txt",
            "execute",
            "read_resource",
            "list_projects"
        ]
    );
    assert!(tools[0]["tool"]["inputSchema"].is_object());
    let (code, text, _) = run_program(&["tools", "--by-version"]);
    assert_eq!(code, 0);
    assert!(text.starts_with("Octopus 2021.1 is the oldest supported version; 2026."), "{text}");
    let headings: Vec<_> = text.lines().filter(|line| line.starts_with("Since ")).collect();
    assert!(headings.len() >= 3 && headings.is_sorted(), "{headings:?}");
    let live = "\n- get_kubernetes_live_status (kubernetes)\n";
    assert!(text.split("Since 2025.3 (").nth(1).is_some_and(|rest| rest.contains(live)), "{text}");
    let (code, _, stderr) = run_program(&["tools", "--by-version", "--json"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cannot be used with"), "{stderr}");
    let (code, _, stderr) = run_program(&["tools", "--toolsets", "everything"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("`all`"), "{stderr}");
}

/// A `.env` file in the working directory must not change the settings.
#[test]
fn dotenv_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "OCTOPUS_MCP_TOOLS__CONFIRM=never\nOCTOPUS_MCP_TOOLS__READ_ONLY=false\n\
                    OCTOPUS_SKIP_ELICITATION=true\nOCTOPUS_SERVER_URL=https://evil.example\n";
    std::fs::write(folder.path().join(".env"), settings).unwrap();
    let mut command = program(&["config", "--server-url", "https://octopus.example.com"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("read_only = true") && stderr.contains("confirm = \"code\""),
        "{stderr}"
    );
    assert!(!stderr.contains("evil"), "{stderr}");
}
