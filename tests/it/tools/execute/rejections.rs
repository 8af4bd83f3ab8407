//! Requests that `execute` rejects before it sends anything: methods, path spellings and arguments.

use serde_json::json;

use super::{assert_error_contains, get, writable_server};
use crate::support::TestServer;

#[tokio::test]
async fn http_method_determines_required_access() {
    let reading = TestServer::start().await;
    let writing = TestServer::with(|config| config.tools.read_only = false).await;
    let path = "/api/Spaces-1/tenants/Tenants-1";
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let arguments = json!({ "method": method, "path": path });
        let expected = if method == "DELETE" { "delete things" } else { "change things" };
        assert_error_contains(&reading, arguments, &["does not allow", expected]).await;
    }
    let arguments = json!({ "method": "DELETE", "path": path });
    assert_error_contains(&writing, arguments, &["delete things", "allow_deletes"]).await;
    let arguments = json!({ "method": "HEAD", "path": path });
    assert_error_contains(&writing, arguments, &["method: ", "PATCH"]).await;
    assert!(reading.sample.journal().is_empty() && writing.sample.journal().is_empty());
}

#[tokio::test]
async fn no_path_spelling_reaches_a_forbidden_path() {
    let server = writable_server().await;
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
        server.call_error("execute", arguments).await;
    }
    assert!(server.sample.journal().is_empty(), "{:?}", server.sample.journal());
    let expected = ["/api/users/Users-1/apikeys", "API keys", "portal"];
    assert_error_contains(&server, key("users/Users-1/apikeys"), &expected).await;
}

#[tokio::test]
async fn rejects_contradictory_arguments() {
    let server = writable_server().await;
    let path = "/api/Spaces-1/environments";
    for (arguments, word) in [
        (json!({ "method": "GET", "path": path, "body": {} }), "have no body"),
        (json!({ "method": "DELETE", "path": format!("{path}/x"), "body": 1 }), "have no body"),
        (json!({ "method": "POST", "path": path, "asCsv": true }), "only GET supports asCsv"),
        (
            json!({ "method": "POST", "path": path, "body": { "a": ["x [redacted:y]"] } }),
            "redacted",
        ),
        (
            json!({ "method": "GET", "path": path, "query": { "ApiKey": "API-X" } }),
            "requests use the caller's credential",
        ),
        (
            json!({ "method": "GET", "path": path, "query": { " ": "x" } }),
            "a parameter name is blank",
        ),
        (
            json!({ "method": "GET", "path": path, "asCsv": true, "query": { "format": "x" } }),
            "one of the two",
        ),
        (json!({ "method": "GET", "path": path, "query": { "a": [1] } }), "query"),
        (json!({ "method": "GET" }), "path: "),
    ] {
        assert_error_contains(&server, arguments, &[word]).await;
    }
    assert!(server.sample.journal().is_empty());
}
