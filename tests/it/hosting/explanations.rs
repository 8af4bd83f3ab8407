//! Output of `explain_access` and `policy test` for the example, as `docs/hosting.md` shows it.

use std::fmt::Write as _;

use serde_json::json;

use super::{
    FRIDAY_EVENING, SETTINGS_FILE, TUESDAY,
    fixture::{HostingFixture, load_settings, write_keys},
    result_field,
};
use crate::{cli::program, docs::root, support::Reply};

const EXPLANATION_FIELDS: &[&str] = &["/caller", "/decision"];

/// Runs `octopus-mcp policy test` with the example file and returns the command and its output.
fn policy_test_output(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    write_keys(folder.path(), &mut load_settings());
    let file = root().join(SETTINGS_FILE);
    let mut command =
        program(&[&["policy", "test", "--config", file.to_str().unwrap()], arguments].concat());
    let output = command.current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let quoted: Vec<String> = arguments
        .iter()
        .map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() })
        .collect();
    format!(
        "```console\n$ octopus-mcp policy test --config {SETTINGS_FILE} {}\n{}\n```\n\n",
        quoted.join(" "),
        text.trim_end()
    )
}

pub async fn render_explanations() -> String {
    let company = Box::pin(HostingFixture::start_at(FRIDAY_EVENING)).await;
    let mut text = String::new();
    let mut add = |title: &str, reply: &Reply, pointers: &[&str]| {
        let _ = writeln!(text, "**{title}.** Excerpt of the `explain_access` result:\n\n```json");
        for pointer in pointers {
            let key = pointer.rsplit('/').next().unwrap();
            let _ = writeln!(text, "\"{key}\": {}", result_field(reply, pointer));
        }
        text.push_str("```\n\n");
    };
    let arguments = |tool: &str, environment: &str| {
        json!({
            "tool": tool, "space": "Default", "project": "Parcel Tracking API",
            "environment": environment,
        })
    };
    let production = arguments("deploy_release", "Production");
    let engineer = company.call("", &company.engineer_token(), "explain_access", &production).await;
    add("Engineer on Friday evening", &engineer, EXPLANATION_FIELDS);
    let agent = company.call("", &company.night_agent_token, "explain_access", &production).await;
    add("Night agent", &agent, EXPLANATION_FIELDS);
    let manager =
        company.call("", &company.release_manager_token(), "explain_access", &production).await;
    add("Release manager", &manager, EXPLANATION_FIELDS);
    let lab = json!({ "tool": "deploy_release" });
    let lab = company.call("/i/lab", &company.engineer_token(), "explain_access", &lab).await;
    add("Engineer on the instance `lab`", &lab, &["/tool/hidden"]);
    let reader = json!({ "tool": "deploy_release" });
    let reader = company.call("", &company.notes_agent_token, "explain_access", &reader).await;
    add("Notes agent", &reader, &["/tool/hidden"]);

    text.push_str(
        "Administrators can evaluate the policy of a settings file before they deploy it:\n\n",
    );
    let common_arguments =
        ["--instance", "europe", "--tool", "deploy_release", "--environment", "Production"];
    for (group, time) in
        [("engineers", FRIDAY_EVENING), ("release-managers", FRIDAY_EVENING), ("agents", TUESDAY)]
    {
        text.push_str(&policy_test_output(
            &[common_arguments.as_slice(), &["--group", group, "--time", time]].concat(),
        ));
    }
    text
}
