//! The hostile answers of Octopus, and the calls that meet them.

use std::fmt::Write as _;

use octopus_mcp::sample::Fault;
use serde_json::{Value, json};

/// One case: what Octopus answers, and what the hostile caller sends.
pub struct Case {
    pub name: &'static str,
    /// Whether the short form runs it.
    pub is_short: bool,
    pub faults: Vec<Fault>,
    /// The calls, in turn.
    pub calls: Vec<Value>,
}

const TASK: &str = "ServerTasks-90004";
/// Bytes of a large document: below the default `response_limit`.
const LARGE: usize = 18_000_000;

fn call(tool: &str, arguments: Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

fn get() -> Value {
    let path = "/api/Spaces-1/workerpools/hostile";
    call("execute", json!({ "method": "GET", "path": path }))
}

fn on_task(tool: &str, more: &Value) -> Value {
    let mut arguments = json!({ "space": "Default", "taskId": TASK });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(tool, arguments)
}

fn searches(patterns: &[&str]) -> Vec<Value> {
    let search = |pattern: &&str| on_task("grep_task_log", &json!({ "pattern": pattern }));
    patterns.iter().map(search).collect()
}

/// A document that `execute` reads.
fn document(name: &'static str, is_short: bool, body: &str) -> Case {
    let faults = vec![Fault::on("/workerpools/hostile").body(body)];
    Case { name, is_short, faults, calls: vec![get()] }
}

/// A log with this text, and these calls that read it.
fn log(name: &'static str, is_short: bool, text: &str, calls: Vec<Value>) -> Case {
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").body(text);
    Case { name, is_short, faults: vec![fault], calls }
}

/// A call with hostile arguments; Octopus answers as usual.
fn arguments(name: &'static str, is_short: bool, calls: Vec<Value>) -> Case {
    Case { name, is_short, faults: Vec::new(), calls }
}

/// Every case. The large answers are this many times smaller.
pub fn all(divisor: usize) -> Vec<Case> {
    let large = LARGE / divisor;
    let mut cases = documents(large, divisor);
    cases.extend(logs(large));
    cases.extend(calls());
    cases
}

fn documents(large: usize, divisor: usize) -> Vec<Case> {
    let item = r#"{"Id":"Things-1","Name":"A thing","Links":{},"Value":12345}"#;
    let wide = format!("[{}]", vec![item; large / item.len()].join(","));
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let deep = format!("[{}]", vec![deep.as_str(); large / 4 / deep.len()].join(","));
    let deepest = format!("{}{}", "[".repeat(large / 2), "]".repeat(large / 2));
    let number = |n: usize| 4_000_000_000 + n;
    // Keys that are equal once their secrets are redacted.
    let colliding: Vec<String> = (0..8_000 / divisor.min(2))
        .map(|n| format!(r#""API-ABCDEFGHIJKLMNOP{}":{n}"#, number(n)))
        .collect();
    let texts: Vec<String> =
        (0..8_000).map(|n| format!("\"{n} {}\"", "lorem ipsum ".repeat(25))).collect();
    let keys: Vec<String> = (0..30_000).map(|n| format!(r#""key number {n}":"{n}""#)).collect();
    let secrets: Vec<String> = (0..large / 300)
        .map(|n| format!(r#"{{"password":"hunter{n}","n":"x=a pwd=b{n}"}}"#))
        .collect();
    let digits =
        format!("[{}]", vec!["123456789012345678901234567890.5e-300"; large / 60].join(","));
    let one = format!("{{\"Text\":\"{}\"}}", "a=b; ".repeat(large / 5));
    let mut activity = json!({ "Name": "Step", "Status": "Failed", "Children": [],
        "LogElements": [{ "Category": "Error", "MessageText": "x".repeat(20_000) }] });
    for _ in 0..40 {
        let inner = activity.take();
        activity = json!({ "Name": "Step", "Status": "Failed", "Children": [inner],
            "LogElements": (0..200 / divisor).map(|n| json!({
                "Category": "Error", "MessageText": format!("{n} password=hunter{n} {}", "y ".repeat(900)),
            })).collect::<Vec<_>>() });
    }
    let details = json!({ "Task": { "Id": TASK, "SpaceId": "Spaces-1", "State": "Failed" },
        "ActivityLogs": [activity] });
    let details = Case {
        name: "activities: nested, long, with secrets",
        is_short: true,
        faults: vec![Fault::on("/details").body(&details.to_string())],
        calls: vec![on_task("get_task_details", &json!({ "allMessages": true }))],
    };
    let projects: Vec<Value> = (0..20_000 / divisor)
        .map(|n| json!({ "Id": format!("Projects-{n}"), "Name": format!("Project {n} {}", "z".repeat(150)),
            "SpaceId": "Spaces-1" }))
        .collect();
    let projects =
        json!({ "Items": projects, "TotalResults": projects.len(), "ItemsPerPage": 20_000 });
    let names = Case {
        name: "names: 20,000 projects, none of them meant",
        is_short: true,
        faults: vec![Fault::on("/projects").body(&projects.to_string())],
        calls: vec![
            call(
                "list_releases_for_project",
                json!({ "space": "Default", "project": "z".repeat(150) }),
            ),
            call("list_projects", json!({ "space": "Default", "take": 100 })),
        ],
    };
    vec![
        document("json: wide", true, &wide),
        document("json: 120 deep, many", false, &deep),
        document("json: as deep as it is long", false, &deepest),
        document("json: colliding keys", true, &format!("{{{}}}", colliding.join(","))),
        document("json: 8,000 texts of 300 bytes", true, &format!("[{}]", texts.join(","))),
        document("json: 30,000 keys", true, &format!("{{{}}}", keys.join(","))),
        document("json: secrets everywhere", false, &format!("[{}]", secrets.join(","))),
        document("json: long numbers", false, &digits),
        document("json: one text", false, &one),
        details,
        names,
    ]
}

fn logs(large: usize) -> Vec<Case> {
    let costly = [
        r"[a-z0-9][\t-~]{1000}[^\t-~]",
        r"[a-z0-9][\t-~]{9000}[^\t-~]",
        r"(?i)\b\w+\W+\w+@",
        r"(?:a?){900}!",
        r"(x+x+)+y",
    ];
    let both = || {
        let mut calls = searches(&costly);
        calls.push(on_task("get_task_raw", &json!({})));
        calls.push(on_task("get_task_raw", &json!({ "fromLine": 1, "onlyProblems": true })));
        calls
    };
    let mut lines = String::new();
    let mut secrets = String::new();
    for number in 0..large / 100 {
        let _ = writeln!(lines, "08:10:02   Info     | {number} {}", "abc xyz ".repeat(9));
        let _ = writeln!(
            secrets,
            "{number} password=hunter{number} --token=abcdef{number} user=a pass=b"
        );
    }
    vec![
        log("log: costly patterns", true, &lines, searches(&costly)),
        log("log: one line", true, &"abcdefgh 123 ".repeat(large / 13), both()),
        log("log: secrets in every line", false, &secrets, both()),
        log("log: empty lines", false, &"\n".repeat(large), both()),
        log("log: invisible characters", false, &"a\u{200b}b\u{202e} ".repeat(large / 9), both()),
    ]
}

fn calls() -> Vec<Case> {
    let long = "x".repeat(70_000);
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let wide: Vec<Value> = (0..100_000).map(Value::from).collect();
    let path = |path: &str| call("execute", json!({ "method": "GET", "path": path }));
    let classes = r"\pL".repeat(330);
    vec![
        arguments(
            "arguments: long texts",
            true,
            vec![
                call("list_projects", json!({ "space": long })),
                call("list_projects", json!({ "space": "Default", "partialName": long })),
                on_task("grep_task_log", &json!({ "pattern": long })),
                call("find_events", json!({ "space": "Default", "projects": [long] })),
                call("read_resource", json!({ "uri": format!("octopus://{long}") })),
                call("no_such_tool", json!({ "x": long })),
            ],
        ),
        arguments(
            "arguments: deep and wide JSON",
            true,
            vec![
                call(
                    "execute",
                    json!({ "method": "POST", "path": "/api/Spaces-1/projects", "body": deep }),
                ),
                call(
                    "execute",
                    json!({ "method": "POST", "path": "/api/Spaces-1/projects", "body": wide }),
                ),
                call("list_projects", json!({ "space": deep })),
                call("find_events", json!({ "space": "Default", "projects": wide })),
            ],
        ),
        arguments(
            "arguments: hostile paths",
            true,
            vec![
                path(&"/api/a".repeat(10_000)),
                path(&format!("/api/{}", "%2e%2f".repeat(10_000))),
                path(&format!("/api/{}", "..;/".repeat(10_000))),
                path(&"{".repeat(50_000)),
            ],
        ),
        arguments(
            "arguments: patterns that are hard to compile",
            true,
            vec![
                call("grep_llms_txt", json!({ "pattern": classes, "caseInsensitive": true })),
                call(
                    "grep_llms_txt",
                    json!({ "pattern": "(?:(?:(?:(?:a{100}){100}){100}){100}){100}" }),
                ),
                call("grep_llms_txt", json!({ "pattern": r"[\w--[^\d&&\pL]]".repeat(60) })),
                call("grep_llms_txt", json!({ "pattern": "(".repeat(1_000) })),
            ],
        ),
    ]
}
