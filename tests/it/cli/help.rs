//! Help and the changed settings.

use super::run_program;

#[test]
fn each_command_lists_the_flags_that_it_uses() {
    let flags = |arguments: &[&str]| {
        let (code, text, _) = run_program(arguments);
        assert_eq!(code, 0, "{text}");
        let unformatted =
            text.lines().filter_map(|line| line.split_whitespace().find(|w| w.starts_with("--")));
        unformatted
            .map(|word| word.split(['[', '=']).next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(flags(&["token", "new", "--help"]), ["--help"]);
    assert_eq!(flags(&["healthcheck", "--help"]), ["--listen", "--config", "--help"]);
    assert_eq!(
        flags(&["audit", "new-key", "--help"]).first().map(String::as_str),
        Some("--config")
    );
    assert_eq!(flags(&["--help"]).len(), 10);
    let (_, text, _) = run_program(&["--help"]);
    let column = |flag: &str| {
        text.lines()
            .find(|line| line.contains(flag))
            .and_then(|line| line.find("  Octopus API key"))
    };
    assert!(column("--api-key").is_some(), "descriptions stand beside their flags: {text}");
}

#[test]
fn every_command_accepts_all_settings_flags() {
    let (code, _, stderr) =
        run_program(&["token", "new", "ci", "--log-format", "json", "--sample"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, text, _) = run_program(&["--toolsets", "core", "tools"]);
    let (_, after, _) = run_program(&["tools", "--toolsets", "core"]);
    assert_eq!((code, &text), (0, &after));
    assert!(!text.contains("list_projects"), "{text}");
}

#[test]
fn changed_settings_are_those_that_differ_from_the_defaults() {
    let (code, text, _) =
        run_program(&["config", "--changed", "--sample", "--listen", "127.0.0.1:8080"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(text, "sample.enabled = true # flag --sample\n");
}
