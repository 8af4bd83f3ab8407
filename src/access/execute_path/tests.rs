//! Tests of the parser and the checks of paths.

use serde_json::json;

use super::*;

fn parse_error(path: &str) -> String {
    match ExecutePath::parse(path) {
        Err(ExecutePathError::Malformed(reason)) => reason,
        other => panic!("{path}: {other:?}"),
    }
}

fn is_denied(verb: HttpMethod, path: &str) -> bool {
    let path = ExecutePath::parse(path).unwrap();
    denied::deny_reason(&path.normalized, &path.split_words(), verb, None).is_some()
}

#[test]
fn rejects_ambiguous_paths() {
    for (path, word) in [
        ("", "begins with /api"),
        ("api/spaces", "begins with /api"),
        ("/octopus/api/spaces", "begins with /api"),
        ("/", "empty segment"),
        ("~/api/spaces", "begins with /api"),
        ("https://octopus.example/api/spaces", "begins with /api"),
        ("//octopus.example/api", "begins with /api"),
        ("/apispaces", "begins with /api"),
        ("/api//spaces", "empty"),
        ("/api/spaces//", "empty"),
        ("/api/./spaces", "dot"),
        ("/api/x/../users", "dot"),
        ("/api/x/%2e%2E/users", "dot"),
        ("/api/x/%2e", "dot"),
        ("/api/projects/a%2f..%2fb", "dot"),
        ("/api/projects/a%2f%2fb", "empty"),
        ("/api/users%2FUsers-1", "encoded slash"),
        ("/api/{+x}", "brace"),
        ("/api/%7Bx%7D", "brace"),
        ("/api\\users", "backslash"),
        ("/api/x%5cy", "backslash"),
        ("/api/spaces?take=1", "`query`"),
        ("/api/spaces%3Ftake=1", "`query`"),
        ("/api/spaces#x", "`#`"),
        ("/api/Spaces-1/..;/Spaces-22/projects", "`;`"),
        ("/api/Spaces-1/%2e%2e%3b/Spaces-22/projects", "`;`"),
        ("/api/Spaces-1/projects;x=1/all", "`;`"),
        ("/api/users/Users-1/apikeys;x=1", "`;`"),
        ("/api/%2561pikeys", "encoded twice"),
        ("/api/100%25", "encoded twice"),
        ("/api/%u0061", "without two hex digits"),
        ("/api/x%", "without two hex digits"),
        ("/api/%ff", "UTF-8"),
        ("/api/%c0%ae", "UTF-8"),
        ("/api/a\tb", "invisible"),
        ("/api/a%0d%0ab", "invisible"),
        ("/api/a%00", "invisible"),
        ("/api/a\u{200b}b", "invisible"),
        ("/api/a\u{202e}b", "invisible"),
        ("/api/a%20/b", "a space"),
        ("/api/a./b", "a dot"),
    ] {
        let reason = parse_error(path);
        assert!(reason.contains(word), "{path:?}: {reason}");
    }
    assert!(parse_error(&format!("/api/{}", "x".repeat(2000))).contains("bytes"));
    assert!(parse_error(&format!("/api{}", "/x".repeat(31))).contains("segments"));
}

#[test]
fn checked_path_equals_sent_path() {
    for (given, sent) in [
        ("/api", "/api"),
        ("/API/", "/api"),
        ("/%61pi/Spaces-1/Projects/", "/api/Spaces-1/Projects"),
        ("/api/Spaces-1/projects/my%20project", "/api/Spaces-1/projects/my%20project"),
        (
            "/api/Spaces-1/projects/Projects-1/refs%2fheads%2Fmain/variables",
            "/api/Spaces-1/projects/Projects-1/refs%2Fheads%2Fmain/variables",
        ),
        ("/api/Spaces-1/projects/é", "/api/Spaces-1/projects/%C3%A9"),
    ] {
        assert_eq!(ExecutePath::parse(given).unwrap().to_path().to_string(), sent);
    }
}

#[test]
fn denies_paths_in_every_spelling() {
    use HttpMethod::{Delete, Get, Patch, Post, Put};
    let rows: &[(&[HttpMethod], &str, bool)] = &[
        (&[Get, Post, Delete], "users/Users-1/apikeys", true),
        (&[Get, Post, Delete], "Users/Users-1/ApiKeys/", true),
        (&[Get], "users/Users-1/api-keys", true),
        (&[Get], "users/Users-1/apikeys.json", true),
        (&[Get], "users/Users-1/api%4Beys", true),
        (&[Get], "users/Users-1/api\u{212a}ey\u{17f}", true),
        (&[Get], "projects/x%2Fapikeys/variables", true),
        (&[Post, Put, Delete, Get], "users/invitations", true),
        (&[Post], "users", true),
        (&[Put, Delete], "users/Users-1", true),
        (&[Get], "users/access-token", true),
        (&[Get], "users/external-search", true),
        (&[Get], "users/Users-1/anything", true),
        (&[Get], "users", false),
        (&[Get], "users/me", false),
        (&[Get], "users/Users-1", false),
        (&[Get], "users/users-system/teams", false),
        (&[Get], "users/me/permissions/configuration", false),
        (&[Get], "teams/Teams-1", false),
        (&[Post, Put, Patch, Delete], "teams/Teams-1", true),
        (&[Get], "userroles", false),
        (&[Post, Put], "userroles/userroles-projectdeployer", true),
        (&[Post, Put, Delete], "scopeduserroles/ScopedUserRoles-1", true),
        (&[Get, Put], "configuration/authentication-guest/values", true),
        (&[Get], "configuration/certificates/certificate-global", true),
        (&[Get], "configuration/feature-toggles", false),
        (&[Put], "configuration/feature-toggles", true),
        (&[Get, Put], "serverconfiguration/settings", true),
        (&[Get, Put], "smtpconfiguration", true),
        (&[Get], "featuresconfiguration", false),
        (&[Put], "featuresconfiguration", true),
        (&[Put], "maintenanceconfiguration", true),
        (&[Put, Post], "octopusservernodes/OctopusServerNodes-a", true),
        (&[Get], "octopusservernodes", false),
        (&[Get, Post], "licenses/licenses-current", true),
        (&[Get], "licenses/licenses-current-status", false),
        (&[Get, Post], "migrations/import", true),
        (&[Post], "projects/import-export/export", true),
        (&[Get], "certificates/Certificates-1/export", true),
        (&[Get], "certificates/Certificates-1", false),
        (&[Get], "scheduler/start", true),
        (&[Get], "scheduler/Health/logs", false),
        (&[Get], "machines/discover", true),
        (&[Delete], "projects/Projects-1", true),
        (&[Put, Get], "projects/Projects-1", false),
        (&[Delete], "projects/Projects-1/runbooks/Runbooks-1", false),
        (&[Delete], "environments/Environments-1", true),
        (&[Delete], "environments/ephemeral/Environments-1", true),
        (&[Delete], "machines/Machines-1", false),
        (&[Delete], "machines", true),
        (&[Delete], "packages/bulk", true),
        (&[Delete, Post], "events/archives/a", true),
        (&[Post], "tasks", true),
        (&[Post], "tasks/ServerTasks-1/cancel", false),
        (&[Post], "observability/kubernetes-monitors", true),
        (&[Post], "observability/logs/sessions", false),
    ];
    for (verbs, path, expected) in rows {
        for verb in *verbs {
            for form in ["/api/", "/API/Spaces-1/", "/api/spaces/default/", "/api/anything/"] {
                let path = format!("{form}{path}");
                // Below an unknown first word, a single object can be a collection.
                if form == "/api/anything/" && !expected {
                    continue;
                }
                // A collection is only recognized below a known space.
                if form == "/api/anything/" && *path == *"/api/anything/machines" {
                    continue;
                }
                assert_eq!(is_denied(*verb, &path), *expected, "{verb:?} {path}");
            }
        }
    }
    for path in ["spaces/Spaces-1", "Spaces/Spaces-1/", "spaces", "Spaces-1"] {
        for verb in [Post, Put, Patch, Delete] {
            assert!(is_denied(verb, &format!("/api/{path}")), "{verb:?} {path}");
        }
        assert!(!is_denied(Get, &format!("/api/{path}")), "{path}");
    }
}

#[test]
fn allows_only_listed_task_types() {
    let path = ExecutePath::parse("/api/Spaces-1/tasks").unwrap();
    for (body, harmless) in [
        (json!({ "Name": "Health" }), true),
        (json!({ "name": "updatecalamari" }), true),
        (json!({ "Name": "AdHocScript" }), false),
        (json!({ "Name": "Health", "name": "AdHocScript" }), false),
        (json!({ "Name": ["Health"] }), false),
        (json!({ "Description": "x" }), false),
        (json!("Health"), false),
    ] {
        let reason = denied::deny_reason(
            &path.normalized,
            &path.split_words(),
            HttpMethod::Post,
            Some(&body),
        );
        assert_eq!(reason.is_none(), harmless, "{body}");
    }
}

#[test]
fn rejects_every_spelling_of_another_space() {
    let within = |query: &[&str], body: Option<Value>| {
        let path = ExecutePath::parse("/api/Spaces-1/tasks").unwrap();
        path.ensure_in_space("Spaces-1", HttpMethod::Post, query.iter(), body.as_ref()).is_ok()
    };
    for name in [
        "spaces",
        "Spaces",
        "Spaces[0]",
        "spaces[]",
        "spaces[0][1]",
        "spaces.0",
        "spaceId",
        "SpaceIds",
        "includeSystem",
        "IncludeSystem[0]",
    ] {
        assert!(!within(&[name], None), "{name}");
    }
    assert!(within(&["take", "states[0]"], None));
    for (body, expected) in [
        (json!({ "SpaceId": "spaces-1" }), true),
        (json!({ "SpaceId": "Spaces-22" }), false),
        (json!({ "Inner": [{ "SpaceIdOrName": "Depots" }] }), false),
        (json!([{ "space_id": "Spaces-22" }]), false),
        (json!({ "SpaceIds": ["Spaces-1", "Spaces-22"] }), false),
        (json!({ "SpaceIds": ["Spaces-1"], "Name": "x" }), true),
    ] {
        assert_eq!(within(&[], Some(body.clone())), expected, "{body}");
    }
}
