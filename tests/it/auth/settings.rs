//! Validation of authentication settings: errors, and warnings about risks.

use std::fs;

use crate::cli::program;

/// Returns the errors that `octopus-mcp config` reports for settings that follow `[octopus]` with a
/// URL.
fn errors_of(settings: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, format!("[octopus]\nurl = \"https://octopus.example.com\"\n{settings}"))
        .unwrap();
    let output = program(&["config", "--config", path.to_str().unwrap()]).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// Checks for each row of settings that `key` is reported with an error that contains `message`.
fn assert_reported<'a>(rows: impl IntoIterator<Item = (String, &'a str, &'a str)>) {
    for (settings, key, message) in rows {
        let report = errors_of(&settings);
        // A line with the setting is followed by a line with the error.
        let lines: Vec<&str> = report.lines().collect();
        let prefix = format!("  {key} = ");
        let mut errors = lines.windows(2).filter(|pair| pair[0].starts_with(&prefix));
        assert!(errors.any(|pair| pair[1].contains(message)), "{settings}\n{message}: {report}");
    }
}

#[test]
fn invalid_modes_and_tokens_are_reported_with_a_fix() {
    let hash = "0".repeat(64);
    let tokens = "[auth]\nmode = \"tokens\"\n[auth.tokens.a]\n";
    assert_reported([
        ("[auth]\nmode = \"none,tokens\"\n".to_owned(), "auth.mode", "remove it or use it alone"),
        ("[auth]\nmode = \"octopus,oauth\"\n".to_owned(), "auth.mode", "remove it or use it alone"),
        ("[auth]\nmode = \"proxy,proxy\"\n".to_owned(), "auth.mode", "a mode is listed twice"),
        ("[auth]\nmode = \"tokens\"\n".to_owned(), "auth.tokens", "octopus-mcp token new"),
        (format!("{tokens}sha256 = \"12\"\n"), "auth.tokens.a.sha256", "64 hexadecimal"),
        (
            format!("{tokens}sha256 = \"{hash}\"\n[auth.tokens.b]\nsha256 = \"{hash}\"\n"),
            "auth.tokens.b.sha256",
            "another name already has this token",
        ),
        (
            format!("{tokens}sha256 = \"{hash}\"\ninstances = [\"x\"]\n"),
            "auth.tokens.a.instances",
            "instance `x` not found; configured instances: default",
        ),
        (
            format!("{tokens}sha256 = \"{hash}\"\ntoolsets = [\"x\"]\n"),
            "auth.tokens.a.toolsets",
            "unknown toolset `x`; available: core",
        ),
        (
            format!("{tokens}sha256 = \"{hash}\"\nexpires = \"soon\"\n"),
            "auth.tokens.a.expires",
            "expected a date such as 2027-01-31",
        ),
        (
            format!("{tokens}sha256 = \"{hash}\"\nscope = \"all\"\n"),
            "auth.tokens.a.scope",
            "`all` is not one of",
        ),
    ]);
}

#[test]
fn invalid_token_endpoint_origins_are_reported_with_a_fix() {
    let key = "octopus.exchange.token_endpoint_origin";
    let origin = |origin: &str| {
        format!("[octopus.exchange]\naudience = \"a\"\ntoken_endpoint_origin = \"{origin}\"\n")
    };
    let without_audience =
        "[octopus.exchange]\ntoken_endpoint_origin = \"https://octopus.example.com\"\n".to_owned();
    assert_reported([
        (origin("https://octopus.example.com/app"), key, "expected an origin"),
        (origin("https://octopus.example.com?x=1"), key, "expected an origin"),
        (origin("https://me@octopus.example.com"), key, "expected an origin"),
        (origin("http://octopus.example.com"), key, "octopus.allow_http = true"),
        (origin("ftp://octopus.example.com"), key, "must begin with https://"),
        (without_audience, key, "set octopus.exchange.audience"),
    ]);
    let valid = errors_of(&origin("https://octopus.example.com:8443"));
    assert!(!valid.contains("token_endpoint_origin ="), "{valid}");
}

#[test]
fn invalid_issuers_are_reported_with_a_fix() {
    let issuer =
        "[[auth.oauth.issuers]]\nissuer = \"https://id.example.com\"\naudiences = [\"x\"]\n";
    assert_reported([
        ("[auth]\nmode = \"oauth\"\n".to_owned(), "auth.oauth.issuers", "[[auth.oauth.issuers]]"),
        (issuer.replace("https", "http"), "auth.oauth.issuers", "use https"),
        (
            format!("{issuer}jwks_uri = \"http://id.example.com/keys\"\n"),
            "auth.oauth.issuers",
            "use https",
        ),
        (
            issuer.replace("https://id.example.com", "id"),
            "auth.oauth.issuers",
            "must be a URL as in its tokens",
        ),
        (issuer.replace("audiences = [\"x\"]\n", ""), "auth.oauth.issuers", "http.public_url"),
        (
            format!("{issuer}algorithms = [\"HS256\"]\n"),
            "auth.oauth.issuers",
            "`HS256` is not one of",
        ),
        (
            format!("{issuer}algorithms = [\"none\"]\n"),
            "auth.oauth.issuers",
            "`none` is not one of",
        ),
        (format!("{issuer}{issuer}"), "auth.oauth.issuers", "is listed twice"),
        (format!("{issuer}advertised = false\n"), "auth.oauth.issuers", "advertised = true"),
        (
            "[auth.oauth]\nclock_skew = \"1h\"\n".to_owned(),
            "auth.oauth.clock_skew",
            "the maximum is 5m",
        ),
        ("[auth.oauth]\ntimeout = \"5m\"\n".to_owned(), "auth.oauth.timeout", "at most 30s"),
        (
            "[auth.oauth.scope_names]\nadmin = [\"octopus:read\"]\n".to_owned(),
            "auth.oauth.scope_names.admin",
            "used more than once",
        ),
        (
            "[auth.oauth.scope_names]\nread = [\"a b\"]\n".to_owned(),
            "auth.oauth.scope_names.read",
            "visible ASCII characters",
        ),
    ]);
}

#[test]
fn invalid_proxies_and_certificates_are_reported_with_a_fix() {
    assert_reported([
        (
            "[auth]\nmode = \"proxy\"\n".to_owned(),
            "http.trusted_proxies",
            "no trusted proxies are configured",
        ),
        (
            "[http]\ntrusted_proxies = [\"0.0.0.0/0\"]\n".to_owned(),
            "http.trusted_proxies",
            "contains all addresses",
        ),
        (
            "[http]\ntrusted_proxies = [\"proxy.example.com\"]\n".to_owned(),
            "http.trusted_proxies",
            "expected addresses and networks such as",
        ),
        (
            "[auth.proxy]\nuser_header = \"Authorization\"\n".to_owned(),
            "auth.proxy.user_header",
            "cannot be an identity header",
        ),
        (
            "[auth.proxy]\ngroups_header = \"x-forwarded-user\"\n".to_owned(),
            "auth.proxy.groups_header",
            "another setting already uses this header",
        ),
        (
            "[auth]\nmode = \"certificate\"\n".to_owned(),
            "http.tls.client_ca",
            "certificate authorities",
        ),
        (
            "[http]\npublic_url = \"https://a@b.example.com\"\n".to_owned(),
            "http.public_url",
            "without query, fragment, user name and password",
        ),
    ]);
}

#[test]
fn accepts_valid_auth_settings() {
    let hash = "0".repeat(64);
    for settings in [
        format!(
            "[http]\npublic_url = \"https://mcp.example.com\"\ntrusted_proxies = \"10.0.0.0/8\"\n\
             [auth]\nmode = \"tokens, oauth, proxy\"\n\
             group_scopes = [{{ group = \"deployers\", scope = \"deploy\" }}]\n\
             [auth.tokens.agent]\nsha256 = \"{hash}\"\nexpires = 2999-01-31\nscope = \"deploy\"\n\
             instances = [\"default\"]\n[[auth.oauth.issuers]]\nissuer = \"https://id.example.com\"\n"
        ),
        "[auth]\nmode = \"oauth\"\n[[auth.oauth.issuers]]\nissuer = \"https://id.example.com/\"\n\
         audiences = \"a,b\"\nalgorithms = [\"ES256\", \"EdDSA\"]\ndefault_scope = \"read\"\n"
            .to_owned(),
    ] {
        assert_eq!(errors_of(&settings), "", "{settings}");
    }
}

#[test]
fn warns_about_risky_settings() {
    let config =
        |text: &str| -> octopus_mcp::config::Config { serde_json::from_str(text).unwrap() };
    let hash = "0".repeat(64);
    let shared =
        r#"{"auth":{"mode":"proxy"},"tools":{"read_only":false},"octopus":{"api_key":"API-1"}}"#;
    for (text, message) in [
        (r#"{"auth":{"allow_anonymous":true}}"#.to_owned(), "everyone who reaches"),
        (
            format!(r#"{{"auth":{{"mode":"tokens","tokens":{{"a":{{"sha256":"{hash}"}}}}}}}}"#),
            "'a' never expires",
        ),
        (r#"{"http":{"listen":"0.0.0.0:80"},"auth":{"mode":"tokens"}}"#.to_owned(), "clear text"),
        (r#"{"http":{"listen":"0.0.0.0:80"}}"#.to_owned(), "count as one address"),
        (r#"{"auth":{"mode":"oauth"}}"#.to_owned(), "http.public_url"),
        (r#"{"http":{"trusted_proxies":["10.0.0.0/4"]}}"#.to_owned(), "is very large"),
        (
            r#"{"auth":{"mode":"oauth"},"policy":{"rules":[{"name":"r","callers":["alice"]}]}}"#
                .to_owned(),
            "the rule 'r' allows callers by a name",
        ),
        (shared.to_owned(), "limits.store"),
    ] {
        let risks = config(&text).warnings();
        assert!(risks.iter().any(|risk| risk.contains(message)), "{text}: {risks:?}");
    }
    assert_eq!(config("{}").warnings(), [""; 0]);
    let mut with_store = config(shared);
    with_store.limits.store =
        octopus_mcp::config::StoreAddress::parse("redis://127.0.0.1").unwrap();
    assert_eq!(with_store.warnings(), [""; 0]);
}
