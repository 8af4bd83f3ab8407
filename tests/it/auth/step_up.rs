//! Step-up challenges (`insufficient_scope`): sent only if more scopes help, because a client would
//! otherwise request tokens in an endless loop.

use octopus_mcp::config::{Config, GroupScope, InstanceSettings, ListSetting, Secret, TokenScope};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::test_issuer::{Signer, TestIssuer};
use crate::support::{Reply, TestServer};

struct StepUpFixture {
    signer: Signer,
    issuer: TestIssuer,
    server: TestServer,
}

/// Path below `/mcp` and headers of a request.
type Target<'a> = (&'a str, &'a [(&'a str, &'a str)]);

const DEFAULT_TARGET: Target<'static> = ("", &[]);

impl StepUpFixture {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let signer = Signer::new("one");
        let issuer = TestIssuer::start(&[&signer]);
        let server = TestServer::with(|config| {
            issuer.configure(config);
            config.tools.read_only = false;
            change(config);
        })
        .await;
        Self { signer, issuer, server }
    }

    async fn call(
        &self,
        target: Target<'_>,
        claims: &Value,
        tool: &str,
        arguments: Value,
    ) -> Reply {
        let token = self.signer.sign(&self.issuer.claims_with(claims));
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params });
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("x-octopus-apikey", ""), ("authorization", &*authorization)];
        headers.extend(target.1);
        self.server.post_at(target.0, &headers, body.to_string()).await
    }

    /// Checks that a write tool gives the same response to this token as an unknown tool.
    async fn assert_hidden(&self, target: Target<'_>, claims: &Value) {
        let hidden = self.call(target, claims, "deploy_release", json!({})).await;
        let none = self.call(target, claims, "no_such_tool", json!({})).await;
        assert_eq!((hidden.status, hidden.header("www-authenticate")), (200, ""), "{target:?}");
        assert_eq!(hidden.error_code(), -32602, "{target:?}: {}", hidden.text);
        assert_eq!(hidden.text.replace("deploy_release", "no_such_tool"), none.text);
    }
}

/// Checks that a reply is a challenge for these scopes.
#[track_caller]
fn assert_requests_scopes(reply: &Reply, scopes: &str) {
    assert_eq!(reply.status, 403, "{}", reply.text);
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains(&format!("scope=\"{scopes}\"")), "{challenge}");
}

fn read_claims() -> Value {
    json!({ "scope": "octopus:read" })
}

fn grant_readers(config: &mut Config) {
    config.auth.group_scopes =
        vec![GroupScope { group: "readers".to_owned(), scope: TokenScope::Read }];
}

#[tokio::test]
async fn challenge_requests_more_scopes_if_they_help() {
    let setup = StepUpFixture::with(|_| {}).await;
    let challenged = setup.call(DEFAULT_TARGET, &read_claims(), "deploy_release", json!({})).await;
    assert_requests_scopes(&challenged, "octopus:read octopus:deploy");
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/projects", "body": {} });
    let challenged = setup.call(DEFAULT_TARGET, &read_claims(), "execute", post).await;
    assert_requests_scopes(&challenged, "octopus:read octopus:deploy");
}

#[tokio::test]
async fn no_challenge_for_scopes_from_groups_or_defaults() {
    let of_group = StepUpFixture::with(grant_readers).await;
    of_group
        .assert_hidden(DEFAULT_TARGET, &json!({ "scope": "openid", "groups": ["readers"] }))
        .await;
    let default = |config: &mut Config| {
        config.auth.oauth.issuers[0].default_scope = Some(TokenScope::Read);
    };
    StepUpFixture::with(default)
        .await
        .assert_hidden(DEFAULT_TARGET, &json!({ "scope": "openid" }))
        .await;
}

#[tokio::test]
async fn no_challenge_without_scope_claims() {
    let setup = StepUpFixture::with(|config| {
        grant_readers(config);
        config.auth.oauth.issuers[0].scope_claims = ListSetting::default();
    })
    .await;
    let mut claims = read_claims();
    claims["groups"] = json!(["readers"]);
    setup.assert_hidden(DEFAULT_TARGET, &claims).await;
    // Callers without any access get no challenge.
    let challenged = setup.call(DEFAULT_TARGET, &read_claims(), "list_spaces", json!({})).await;
    assert_eq!((challenged.status, challenged.header("www-authenticate")), (403, ""));
    assert!(challenged.error_message().contains("auth.group_scopes"), "{}", challenged.text);
    assert_eq!(setup.server.sample.journal(), []);
}

#[tokio::test]
async fn never_requests_scopes_missing_from_the_metadata() {
    let delete = json!({ "method": "DELETE", "path": "/api/Spaces-1/projects/Projects-1" });
    let setup = StepUpFixture::with(|_| {}).await;
    for scope in ["octopus:read", "octopus:deploy", "octopus:admin"] {
        let reply =
            setup.call(DEFAULT_TARGET, &json!({ "scope": scope }), "execute", delete.clone()).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (200, ""), "{}", reply.text);
        let result = &reply.json()["result"];
        let message = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(result["isError"], true, "{}", reply.text);
        assert!(message.contains("does not allow tools that delete things"), "{message}");
    }
    assert_eq!(setup.server.sample.changes(), []);
    let deleting = StepUpFixture::with(|config| config.tools.allow_deletes = true).await;
    let challenged = deleting.call(DEFAULT_TARGET, &read_claims(), "execute", delete).await;
    assert_requests_scopes(&challenged, "octopus:read octopus:admin");
}

#[tokio::test]
async fn hidden_tools_are_indistinguishable_from_unknown_ones() {
    let everything = json!({ "scope": "octopus:read octopus:deploy octopus:admin" });
    for (reason, change) in [
        ("read_only", (|config| config.tools.read_only = true) as fn(&mut Config)),
        ("toolset", |config| config.tools.toolsets.0 = vec!["projects".to_owned()]),
        ("instance", |config| config.octopus.read_only = true),
    ] {
        let setup = StepUpFixture::with(change).await;
        for claims in [read_claims(), everything.clone()] {
            setup.assert_hidden(DEFAULT_TARGET, &claims).await;
        }
        assert_eq!(setup.server.sample.changes(), [], "{reason}");
    }
    let setup = StepUpFixture::with(|_| {}).await;
    for target in [
        ("/readonly", &[][..]),
        ("/x/projects", &[]),
        ("", &[("x-mcp-readonly", "true")]),
        ("", &[("x-mcp-toolsets", "projects")]),
        ("", &[("x-mcp-tools", "list_spaces")]),
        ("", &[("x-mcp-exclude-tools", "deploy_release")]),
    ] {
        for claims in [read_claims(), everything.clone()] {
            setup.assert_hidden(target, &claims).await;
        }
    }
    let challenged = setup.call(DEFAULT_TARGET, &read_claims(), "deploy_release", json!({})).await;
    assert_requests_scopes(&challenged, "octopus:read octopus:deploy");
}

#[tokio::test]
async fn read_only_instance_hides_write_tools_without_challenge() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let server = TestServer::with_instances(&["warehouse", "shop"], |config| {
        issuer.configure(config);
        config.octopus = InstanceSettings::default();
        config.tools.read_only = false;
        for instance in config.instances.values_mut() {
            instance.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        }
        config.instances.get_mut("shop").unwrap().read_only = true;
    })
    .await;
    let setup = StepUpFixture { signer, issuer, server };
    setup.assert_hidden(("/i/shop", &[]), &read_claims()).await;
    let challenged =
        setup.call(("/i/warehouse", &[]), &read_claims(), "deploy_release", json!({})).await;
    assert_requests_scopes(&challenged, "octopus:read octopus:deploy");
}
