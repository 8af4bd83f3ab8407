//! Rules in configuration files: validation errors, and the results of `policy test`.

use std::io::Write as _;

use crate::cli::program;

const FILE: &str = r#"
[instances.emea]
url = "https://emea.example.com"
default = true

[instances.apac]
url = "https://apac.example.com"

[auth]
mode = "octopus"

[[policy.rules]]
name = "night"
effect = "deny"
environments = ["prod*"]
groups = ["agents"]
message = "agents sleep at night"
times = [{ days = "mon-fri", from = "22:00", to = "06:00", zone = "Europe/Berlin" }]

[[policy.rules]]
name = "prod"
effect = "confirm"
type = "environment"
risks = ["high"]

[[policy.rules]]
name = "dev"
effect = "allow"
environments = ["dev*"]
"#;

fn run(text: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let config = format!("--config={}", file.path().display());
    let output = program(&[&[config.as_str()], arguments].concat()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn policy_test(arguments: &[&str]) -> (i32, String) {
    let (code, out, err) =
        run(FILE, &[&["policy", "test", "--tool=deploy_release"], arguments].concat());
    assert_eq!(err, "", "{out}");
    (code, out)
}

#[test]
fn policy_test_explains_the_deciding_rule() {
    let night = "--time=2026-11-05T23:00:00+01:00";
    let (code, out) = policy_test(&["--environment=Production", "--group=agents", night]);
    assert_eq!(code, 4, "{out}");
    for line in
        ["rule:    night", "effect:  deny", "risk:    high", "message: agents sleep at night"]
    {
        assert!(out.contains(line), "{out}");
    }
    let (code, out) =
        policy_test(&["--environment=Production", "--group=agents", "--time=2026-11-05T12:00:00Z"]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("effect:  confirm (the user must type 'Production')"), "{out}");
    assert!(out.contains("  night (deny): `times` does not match"), "{out}");
    assert!(out.contains("  prod (confirm): matches"), "{out}");
    let (code, out) = policy_test(&["--environment=Production", "--group=people", night]);
    assert_eq!(code, 3);
    assert!(out.contains("  night (deny): `groups` does not match"), "{out}");
    let (code, out) = policy_test(&["--environment=Development", night]);
    assert_eq!(code, 0);
    assert!(out.contains("rule:    dev") && out.contains("risk:    medium"), "{out}");
    let (code, out) = policy_test(&["--environment=Staging", night]);
    assert_eq!(code, 0);
    assert!(out.contains("no rule matches; policy.otherwise decides"), "{out}");
    let (code, out) = policy_test(&["--environment=?", "--group=agents", night]);
    assert_eq!(code, 4);
    assert!(out.contains("`environments` is unknown, so the rule applies"), "{out}");
}

#[test]
fn policy_test_exit_code_reports_expectation() {
    for (expect, environment, code) in
        [("confirm", "Production", 0), ("deny", "Production", 1), ("allow", "Development", 0)]
    {
        let (expect, environment) =
            (format!("--expect={expect}"), format!("--environment={environment}"));
        assert_eq!(policy_test(&[&expect, &environment]).0, code, "{expect} {environment}");
    }
    let (code, _, err) = run(FILE, &["policy", "test", "--tool=deploy"]);
    assert_eq!(code, 1);
    assert!(err.contains("tool 'deploy' not found"), "{err}");
}

#[test]
fn invalid_rules_report_all_errors_with_suggestions() {
    for (rule, expected) in [
        ("effect = \"deny\"", "rule 1 has no name"),
        ("name = \"a\"\n[[policy.rules]]\nname = \"A\"", "two rules are named 'A'"),
        ("name = \"a\"\neffect = \"forbid\"", "`forbid` is not one of"),
        ("name = \"a\"\nenvironment = [\"x\"]", "environment"),
        ("name = \"a\"\nenvironments = []", "`environments` is empty"),
        ("name = \"a\"\ntiers = []", "`tiers` is empty"),
        ("name = \"a\"\nrisks = [\"huge\"]", "`huge` is not one of"),
        ("name = \"a\"\ntype = \"x\"", "`type` requires effect = \"confirm\""),
        ("name = \"a\"\nmessage = \"a\\nb\"", "`message` must be one line"),
        (
            "name = \"a\"\ntools = [\"deploy_relase\"]",
            "unknown tool `deploy_relase`; did you mean `deploy_release`?",
        ),
        (
            "name = \"a\"\ntoolsets = [\"project\"]",
            "unknown toolset `project`; did you mean `projects`?",
        ),
        (
            "name = \"a\"\ninstances = [\"eu\"]",
            "instance 'eu' not found; configured instances: default",
        ),
        ("name = \"a\"\ntimes = [{ zone = \"Berlin\" }]", "time zone `Berlin` not found"),
        ("name = \"a\"\ntimes = [{ days = \"weekend\" }]", "expected days such as"),
        ("name = \"a\"\ntimes = [{ from = \"noon\" }]", "expected a time of day"),
    ] {
        let text = format!("[sample]\nenabled = true\n[[policy.rules]]\n{rule}\n");
        let (code, _, err) = run(&text, &["policy", "test", "--tool=list_spaces"]);
        assert_eq!(code, 2, "{rule}: {err}");
        assert!(err.contains("policy.rules") && err.contains(expected), "{rule}: {err}");
    }
}
