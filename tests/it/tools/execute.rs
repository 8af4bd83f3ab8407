//! `execute`: what it reads, what it refuses, and that changes wait for a yes.

use octopus_mcp::{
    app,
    config::{Config, List},
    sample::{Fault, Sample, keys},
    tool::{ApiPath, Verb},
};
use serde_json::{Value, json};

use super::held::Held;
use crate::support::{Called, ERAS, Era, TestServer};

fn get(path: &str) -> Value {
    json!({ "method": "GET", "path": path })
}

/// A server that lets everything be changed.
async fn open() -> TestServer {
    TestServer::with(|config| {
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
    })
    .await
}

async fn only(toolsets: &[&str]) -> TestServer {
    let toolsets = toolsets.iter().map(|name| (*name).to_owned()).collect();
    TestServer::with(|config| config.tools.toolsets = List(toolsets)).await
}

async fn refuses(server: &TestServer, arguments: Value, words: &[&str]) {
    let said = server.failure("execute", arguments.clone()).await;
    for word in words {
        assert!(said.contains(word), "{arguments}: no {word:?} in {said:?}");
    }
}

/// The preview and the code that a call came to.
fn asked(called: &Called) -> (String, String) {
    assert!(called.is_error, "{called:?}");
    assert_eq!(called.structured["confirmationRequired"], true, "{called:?}");
    let text = |key: &str| called.structured[key].as_str().unwrap().to_owned();
    (text("preview"), text("confirm"))
}

fn with(arguments: &Value, code: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["confirm"] = json!(code);
    arguments
}

#[tokio::test]
async fn it_reads_where_nothing_may_be_changed() {
    let server = Held::start().await;
    let mut arguments = get("/API/Spaces-1/Environments/");
    arguments["query"] = json!({ "skip": 1, "take": "2", "partialName": "a&b=c d" });
    let answer = server.answer("execute", arguments).await;
    let sent = "/api/Spaces-1/Environments?partialName=a%26b%3Dc+d&skip=1&take=2";
    assert_eq!(
        (&answer["success"], &answer["method"], &answer["tier"], &answer["path"]),
        (&json!(true), &json!("GET"), &json!("read"), &json!(sent))
    );
    assert_eq!(server.requests(), [sent, sent], "what is said to be sent is sent");
    let answer = server.answer("execute", get("/api/Spaces-1/environments/Environments-3")).await;
    assert_eq!(answer["response"]["Name"], "Production");
    assert!(answer["response"].get("Links").is_none() && answer.get("skip").is_none());
    let root = server.answer("execute", get("/api")).await;
    assert_eq!(root["response"]["Application"], "Octopus Deploy");
    let log = server.answer("execute", get("/api/tasks/ServerTasks-90004/raw")).await;
    assert!(log["response"].as_str().unwrap().contains("ServerTasks-90004"));
}

#[tokio::test]
async fn the_method_alone_says_what_may_be_done() {
    let reading = TestServer::start().await;
    let writing = TestServer::with(|config| config.tools.read_only = false).await;
    let path = "/api/Spaces-1/tenants/Tenants-1";
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let arguments = json!({ "method": method, "path": path });
        let words = if method == "DELETE" { "delete things" } else { "change things" };
        refuses(&reading, arguments, &["does not allow", words]).await;
    }
    let arguments = json!({ "method": "DELETE", "path": path });
    refuses(&writing, arguments, &["delete things", "allow_deletes"]).await;
    let arguments = json!({ "method": "HEAD", "path": path });
    refuses(&writing, arguments, &["method: ", "PATCH"]).await;
    assert!(reading.sample.journal().is_empty() && writing.sample.journal().is_empty());
}

#[tokio::test]
async fn no_way_of_writing_a_path_opens_what_is_closed() {
    let server = open().await;
    let key = |path: &str| get(&format!("/api/{path}"));
    let mut template = key("{+x}");
    template["query"] = json!({ "x": "users/Users-1/apikeys?z=1" });
    for arguments in [
        template,
        key("users/Users-1/apikeys"),
        key("users/Users-1/ApiKeys"),
        key("users/./Users-1/apikeys"),
        key("users/x/%2e%2e/Users-1/apikeys"),
        key("users/x/%2E./Users-1/apikeys"),
        key("users/Users-1/api\tkeys"),
        key("users/Users-1/%61pikeys"),
        key("users/Users-1/%2561pikeys"),
        key("users/Users-1/apikeys/"),
        key("users/Users-1//apikeys"),
        key("users/Users-1%2fapikeys"),
        key("Spaces-1/users/Users-1/apikeys"),
        get("https://octopus.example/api/spaces"),
        get("~/api/spaces"),
        get("/octopus/api/spaces"),
        get("/api/spaces?take=1"),
        get("/api/../app"),
        key("users/invitations"),
        key("licenses/licenses-current"),
        key("Spaces-1/certificates/Certificates-1/export"),
        json!({ "method": "DELETE", "path": "/api/spaces/Spaces-22/" }),
        json!({ "method": "DELETE", "path": "/api/Spaces-1/projects/Projects-1" }),
        json!({ "method": "DELETE", "path": "/api/environments/Environments-1" }),
        json!({ "method": "POST", "path": "/api/users", "body": { "Username": "x" } }),
        json!({ "method": "PUT", "path": "/api/teams/Teams-1", "body": {} }),
        json!({ "method": "POST", "path": "/api/Spaces-1/tasks", "body": { "Name": "AdHocScript" } }),
    ] {
        server.failure("execute", arguments).await;
    }
    assert!(server.sample.journal().is_empty(), "{:?}", server.sample.journal());
    let words = ["/api/users/Users-1/apikeys", "API keys", "portal"];
    refuses(&server, key("users/Users-1/apikeys"), &words).await;
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused() {
    let server = open().await;
    let path = "/api/Spaces-1/environments";
    for (arguments, word) in [
        (json!({ "method": "GET", "path": path, "body": {} }), "take no body"),
        (json!({ "method": "DELETE", "path": format!("{path}/x"), "body": 1 }), "take no body"),
        (json!({ "method": "POST", "path": path, "asCsv": true }), "only a GET"),
        (
            json!({ "method": "POST", "path": path, "body": { "a": ["x [redacted:y]"] } }),
            "redacted",
        ),
        (
            json!({ "method": "GET", "path": path, "query": { "ApiKey": "API-X" } }),
            "own credential",
        ),
        (json!({ "method": "GET", "path": path, "query": { " ": "x" } }), "no name"),
        (
            json!({ "method": "GET", "path": path, "asCsv": true, "query": { "format": "x" } }),
            "one of the two",
        ),
        (json!({ "method": "GET", "path": path, "query": { "a": [1] } }), "query"),
        (json!({ "method": "GET" }), "path: "),
    ] {
        refuses(&server, arguments, &[word]).await;
    }
    assert!(server.sample.journal().is_empty());
}

#[tokio::test]
async fn a_toolset_that_is_off_is_off_this_way_too() {
    let server = only(&["releases"]).await;
    refuses(&server, get("/api/Spaces-1/certificates"), &["`certificates`", "off"]).await;
    refuses(&server, get("/api/projects/Projects-1"), &["`projects`"]).await;
    refuses(&server, get("/api/spaces/default/unheard"), &["no toolset"]).await;
    assert!(server.sample.journal().is_empty());
    server.answer("execute", get("/api/Spaces-1/projects/Projects-1/releases")).await;
    server.answer("execute", get("/api/spaces/Spaces-1")).await;
    // All by name is all.
    let catalog = app::catalog();
    let names: Vec<&str> = catalog.toolsets().iter().map(|toolset| toolset.name).collect();
    let said = only(&names).await.failure("execute", get("/api/Spaces-1/unheard")).await;
    assert!(said.contains("there is no resource '/api/Spaces-1/unheard'"), "{said}");
}

#[test]
fn paths_belong_to_the_toolset_that_names_them_most_exactly() {
    for (path, toolset) in [
        ("projects/Projects-1", "projects"),
        ("projects/Projects-1/triggers", "projects"),
        ("projects/Projects-1/releases/1.0.0", "releases"),
        ("projects/Projects-1/channels", "releases"),
        ("projects/Projects-1/variables", "projects"),
        ("projects/Projects-1/runbooks/all", "runbooks"),
        ("projects/Projects-1/refs%2Fheads%2Fmain/runbooks", "runbooks"),
        ("projects/Projects-1/progression", "deployments"),
        ("projects/Projects-1/git/branches", "context"),
        ("projects/Projects-1/featuretoggles/x", "featureToggles"),
        ("projects/P/environments/E/untenanted/livestatus", "kubernetes"),
        ("runbook-runs/create/v1", "runbooks"),
        ("runbookRuns/RunbookRuns-1", "runbooks"),
        ("feeds/all", "releases"),
        ("libraryvariablesets", "projects"),
        ("tagsets", "tenants"),
        ("tasks/ServerTasks-1/details", "tasks"),
        ("artifacts", "tasks"),
        ("events", "events"),
        ("environments/Environments-1/machines", "machines"),
        ("machines/all", "machines"),
        ("certificates/Certificates-1", "certificates"),
        ("accounts", "accounts"),
        ("interruptions", "interruptions"),
        ("tenantvariables/all", "tenants"),
    ] {
        for form in ["/api/", "/api/Spaces-1/", "/API/SPACES/default/"] {
            let path = ApiPath::parse(&format!("{form}{path}")).unwrap();
            let mut config = Config::default();
            let all = app::policy(&config).unwrap();
            let on: Vec<&str> = all.toolsets().filter(|name| *name != toolset).collect();
            config.tools.toolsets = List(on.into_iter().map(str::to_owned).collect());
            let others = app::policy(&config).unwrap();
            let said = path.allow(Verb::Get, None, &others).unwrap_err().to_string();
            assert!(said.contains(&format!("`{toolset}`")), "{said}");
            config.tools.toolsets = List(vec![toolset.to_owned()]);
            path.allow(Verb::Get, None, &app::policy(&config).unwrap()).unwrap();
        }
    }
    let mut config = Config::default();
    config.tools.toolsets = List(vec!["core".to_owned()]);
    let core = app::policy(&config).unwrap();
    let reads = |path: &str| ApiPath::parse(path).unwrap().allow(Verb::Get, None, &core).is_ok();
    for path in ["/api", "/api/Spaces-1", "/api/spaces", "/api/spaces/default", "/api/users/me"] {
        assert!(reads(path), "{path}");
    }
    for path in ["/api/users", "/api/Spaces-1/x", "/api/spaces/Spaces-1/x", "/api/experimental/x"] {
        assert!(!reads(path), "{path}");
    }
}

#[tokio::test]
async fn a_fixed_space_is_not_left() {
    let server = TestServer::with(|config| {
        config.octopus.space = Some("Warehouse Systems".to_owned());
        config.tools.read_only = false;
    })
    .await;
    for path in ["/api/Spaces-22/projects", "/api/spaces/spaces-22/environments", "/api/users/me"] {
        server.answer("execute", get(path)).await;
    }
    server.sample.clear_journal();
    for path in [
        "/api/Spaces-1/projects",
        "/api/spaces/default/projects",
        "/api/projects",
        "/api/tasks",
        "/api/events",
        "/api/spaces",
        "/api/spaces/warehouse-systems/projects",
    ] {
        refuses(&server, get(path), &["one space alone", "/api/Spaces-22/"]).await;
    }
    let mut wide = get("/api/Spaces-22/tasks");
    wide["query"] = json!({ "Spaces": "Spaces-1" });
    refuses(&server, wide, &["`spaces`"]).await;
    let path = "/api/Spaces-22/releases/create/v1";
    let arguments = json!({ "method": "POST", "path": path, "body": { "spaceId": "Spaces-1" } });
    refuses(&server, arguments, &["SpaceId is Spaces-22"]).await;
    assert!(server.sample.journal().is_empty());
}

#[tokio::test]
async fn what_octopus_refuses_is_said_with_what_was_asked() {
    let server = Held::start().await;
    let words = ["no resource '/api/Spaces-1/environments/Environments-99'"];
    let path = "/api/Spaces-1/environments/Environments-99";
    server.refuses("execute", get(path), &words).await;
    let called = server.server.call_as(keys::WITHOUT_TASK_VIEW, "execute", get("/api/tasks")).await;
    assert!(called.is_error && called.text.contains("TaskView"), "{}", called.text);
    let trouble = server.server.sample.trouble();
    trouble.add(Fault::on("/tenants").status(400).body(r#"{"ErrorMessage":"No.","Errors":["a"]}"#));
    server.refuses("execute", get("/api/Spaces-1/tenants"), &["(400): No. a"]).await;
}

#[tokio::test]
async fn text_is_given_as_text_and_what_is_none_is_refused() {
    let server = Held::start().await;
    let says = |kind: &str, body: &str| {
        let trouble = server.server.sample.trouble();
        trouble.clear();
        trouble.add(Fault::on("/artifacts").header("Content-Type", kind).body(body));
    };
    let arguments = get("/api/Spaces-1/artifacts/Artifacts-1/content");
    says("text/csv; charset=utf-8", "Id,Name\n1,x\n");
    let mut csv = arguments.clone();
    csv["asCsv"] = json!(true);
    assert_eq!(server.answer("execute", csv).await["response"], "Id,Name\n1,x\n");
    assert!(server.requests().iter().all(|sent| sent.ends_with("?format=csv")));
    for (kind, body) in [("text/plain", "x"), ("application/xml", "<x/>"), ("text/plain", "")] {
        says(kind, body);
        assert_eq!(server.answer("execute", arguments.clone()).await["response"], body);
    }
    says("application/octet-stream", "PK\u{3}\u{4}");
    let words = ["4 bytes", "application/octet-stream", "portal"];
    server.refuses("execute", arguments.clone(), &words).await;
    says("text/html", "<html>Sign in</html>");
    server.refuses("execute", arguments.clone(), &["text/html", "sign-in page"]).await;
    says("application/json", "{\"a\":");
    server.refuses("execute", arguments, &["does not look like"]).await;
}

#[tokio::test]
async fn a_password_beside_its_name_is_not_shown() {
    let server = Held::start().await;
    let body = json!({ "Variables": [{ "Name": "DbPassword", "Value": "hunter2hunter2" }] });
    server.says("/variables/", &body);
    let shown =
        server.answer("execute", get("/api/Spaces-1/variables/variableset-Projects-1")).await;
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_large_page_is_cut_between_items_and_goes_on() {
    let server = Held::start().await;
    let (mut seen, mut skip, mut cuts) = (Vec::new(), json!(0), 0);
    loop {
        let mut arguments = get("/api/Spaces-1/deployments");
        arguments["query"] = json!({ "skip": skip, "take": 100, "projects": "Projects-1" });
        arguments["maxBytes"] = json!(10_000);
        let answer = server.answer("execute", arguments).await;
        let items = answer["response"]["Items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["Id"].as_str().unwrap().to_owned()));
        assert_eq!(answer["skip"], skip);
        let Some(next) = answer.get("nextSkip") else { break };
        let how = answer["truncated"]["how"].as_str().unwrap();
        assert!(how.contains(&format!("skip {next} in `query`")), "{how}");
        skip = next.clone();
        cuts += 1;
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert!(cuts > 1 && all > 20 && seen.len() == all, "{cuts} {all} {}", seen.len());
}

#[tokio::test]
async fn nothing_is_sent_before_a_yes_and_then_once() {
    for era in ERAS {
        let server = open().await;
        let body = json!({ "Name": "Canary", "Description": "a\u{202e}b\nc" });
        let path = "/api/Spaces-1/environments";
        let arguments =
            json!({ "method": "POST", "path": path, "query": { "x": 1 }, "body": body });
        let called = server.call_in(era, keys::ADMIN, "execute", arguments.clone()).await;
        let (preview, code) = asked(&called);
        for line in [
            "Send this to Octopus?",
            "Method: POST",
            "Path: /api/Spaces-1/environments",
            "Query: x=1",
            r#"Body: {"Name":"Canary","Description":"a\u202eb\nc"}"#,
        ] {
            assert!(preview.lines().any(|shown| shown == line), "no {line:?} in {preview:?}");
        }
        assert!(server.sample.changes().is_empty());
        let sent = with(&arguments, &code);
        let done = server.call_in(era, keys::ADMIN, "execute", sent.clone()).await;
        assert!(!done.is_error, "{}", done.text);
        assert_eq!(done.structured["response"]["Name"], "Canary");
        assert_eq!(done.structured["tier"], "write");
        let again = server.call_in(era, keys::ADMIN, "execute", sent).await;
        assert_eq!(again.structured["repeated"], true, "{}", again.text);
        let changes = server.sample.changes();
        assert_eq!(changes.len(), 1);
        assert_eq!((&changes[0].query, &changes[0].body), (&Some("x=1".to_owned()), &Some(body)));
    }
}

#[tokio::test]
async fn what_was_edited_meanwhile_is_not_overwritten_and_what_is_removed_is_named() {
    let server = open().await;
    let path = "/api/Spaces-1/tenants/Tenants-9";
    let read = server.call_as(keys::ADMIN, "execute", get(path)).await.structured;
    let mut document = read["response"].clone();
    let name = document["Name"].as_str().unwrap().to_owned();
    document["Description"] = json!("Mine");
    let put = |document: &Value| json!({ "method": "PUT", "path": path, "body": document });
    let mine = put(&document);
    let (preview, code) = asked(&server.call_as(keys::ADMIN, "execute", mine.clone()).await);
    assert!(preview.contains(&format!("Changes: {name} (Tenants-9)")), "{preview}");
    let remove = json!({ "method": "DELETE", "path": path });
    let (preview, removal) = asked(&server.call_as(keys::ADMIN, "execute", remove.clone()).await);
    assert!(preview.contains("cannot be undone"), "{preview}");
    assert!(preview.contains(&format!("Deletes: {name} (Tenants-9)")), "{preview}");
    // Somebody else is faster.
    document["Description"] = json!("Theirs");
    let theirs = put(&document);
    let (_, theirs_code) = asked(&server.call_as(keys::ADMIN, "execute", theirs.clone()).await);
    let done = server.call_as(keys::ADMIN, "execute", with(&theirs, &theirs_code)).await;
    assert!(!done.is_error, "{}", done.text);
    for (arguments, code) in [(&mine, code), (&remove, removal)] {
        let late = server.call_as(keys::ADMIN, "execute", with(arguments, &code)).await;
        assert!(late.is_error && late.text.contains("something else has changed"), "{}", late.text);
    }
    assert_eq!(server.sample.changes().len(), 1);
    let (_, code) = asked(&server.call_as(keys::ADMIN, "execute", remove.clone()).await);
    let gone = server.call_as(keys::ADMIN, "execute", with(&remove, &code)).await;
    assert_eq!(gone.structured["response"], "", "{}", gone.text);
    assert_eq!(gone.structured["tier"], "delete");
    let again = server.call_as(keys::ADMIN, "execute", remove).await;
    assert!(again.text.contains("there is no resource"), "{}", again.text);
    assert_eq!(server.sample.changes().len(), 2);
}

#[tokio::test]
async fn a_text_goes_out_as_json_and_an_answer_that_is_none_hides_nothing() {
    let sample = Sample::new();
    let server = TestServer::on(sample, |config| config.tools.read_only = false).await;
    let kind = ("Content-Type", "application/octet-stream");
    let fault = Fault::on("/tasks/").method("POST").header(kind.0, kind.1).body("\u{1}\u{2}");
    server.sample.trouble().add(fault);
    let path = "/api/tasks/ServerTasks-90203/prioritize";
    let arguments = json!({ "method": "POST", "path": path, "body": "plain" });
    let (preview, code) = asked(&server.call_as(keys::ADMIN, "execute", arguments.clone()).await);
    assert!(preview.contains("(ServerTasks-90203)"), "{preview}");
    assert!(preview.contains("Body: \"plain\""), "{preview}");
    let done = server.call_in(Era::Modern, keys::ADMIN, "execute", with(&arguments, &code)).await;
    let said = done.structured["response"].as_str().unwrap_or_else(|| panic!("{}", done.text));
    assert!(said.contains("2 bytes (application/octet-stream)"), "{said}");
    assert_eq!(server.sample.changes()[0].body, Some(json!("plain")));
}
