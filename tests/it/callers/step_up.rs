//! Step-up challenges (`insufficient_scope`): sent only where more scopes help, because a client would
//! otherwise request tokens in an endless loop.

use octopus_mcp::config::{Config, GroupScope, Instance, List, Scope, Secret};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::issuer::{Signer, TestIssuer};
use crate::support::{Reply, TestServer};

struct Setup {
    signer: Signer,
    issuer: TestIssuer,
    server: TestServer,
}

/// Path below `/mcp` and headers of a request.
type Place<'a> = (&'a str, &'a [(&'a str, &'a str)]);

const USUAL: Place<'static> = ("", &[]);

impl Setup {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let signer = Signer::new("one");
        let issuer = TestIssuer::with(&[&signer]);
        let server = TestServer::with(|config| {
            issuer.trusted(config);
            config.tools.read_only = false;
            change(config);
        })
        .await;
        Self { signer, issuer, server }
    }

    async fn call(&self, target: Place<'_>, claims: &Value, tool: &str, arguments: Value) -> Reply {
        let token = self.signer.sign(&self.issuer.claims_with(claims));
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params });
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("x-octopus-apikey", ""), ("authorization", &*authorization)];
        headers.extend(target.1);
        self.server.post_at(target.0, &headers, body.to_string()).await
    }

    /// Checks that a write tool gives the same response to this token as an unknown tool.
    async fn is_not_there(&self, target: Place<'_>, claims: &Value) {
        let hidden = self.call(target, claims, "deploy_release", json!({})).await;
        let none = self.call(target, claims, "no_such_tool", json!({})).await;
        assert_eq!((hidden.status, hidden.header("www-authenticate")), (200, ""), "{target:?}");
        assert_eq!(hidden.code(), -32602, "{target:?}: {}", hidden.text);
        assert_eq!(hidden.text.replace("deploy_release", "no_such_tool"), none.text);
    }
}

/// Checks that a reply is a challenge for these scopes.
#[track_caller]
fn asks_for(reply: &Reply, scopes: &str) {
    assert_eq!(reply.status, 403, "{}", reply.text);
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains(&format!("scope=\"{scopes}\"")), "{challenge}");
}

fn reading() -> Value {
    json!({ "scope": "octopus:read" })
}

fn readers(config: &mut Config) {
    config.auth.group_scopes = vec![GroupScope { group: "readers".to_owned(), scope: Scope::Read }];
}

#[tokio::test]
async fn a_token_that_names_its_scope_is_asked_for_more_where_more_helps() {
    let setup = Setup::with(|_| {}).await;
    let challenged = setup.call(USUAL, &reading(), "deploy_release", json!({})).await;
    asks_for(&challenged, "octopus:read octopus:deploy");
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/projects", "body": {} });
    let challenged = setup.call(USUAL, &reading(), "execute", post).await;
    asks_for(&challenged, "octopus:read octopus:deploy");
}

#[tokio::test]
async fn a_scope_that_a_group_or_a_default_gives_is_no_reason_to_ask_for_a_token() {
    let of_group = Setup::with(readers).await;
    of_group.is_not_there(USUAL, &json!({ "scope": "openid", "groups": ["readers"] })).await;
    let default = |config: &mut Config| {
        config.auth.oauth.issuers[0].default_scope = Some(Scope::Read);
    };
    Setup::with(default).await.is_not_there(USUAL, &json!({ "scope": "openid" })).await;
}

#[tokio::test]
async fn where_no_claim_holds_scopes_nobody_is_asked_for_one() {
    let setup = Setup::with(|config| {
        readers(config);
        config.auth.oauth.issuers[0].scope_claims = List::default();
    })
    .await;
    let mut claims = reading();
    claims["groups"] = json!(["readers"]);
    setup.is_not_there(USUAL, &claims).await;
    // Callers without any access get no challenge either.
    let challenged = setup.call(USUAL, &reading(), "list_spaces", json!({})).await;
    assert_eq!((challenged.status, challenged.header("www-authenticate")), (403, ""));
    assert!(challenged.message().contains("auth.group_scopes"), "{}", challenged.text);
    assert_eq!(setup.server.sample.journal(), []);
}

#[tokio::test]
async fn a_scope_that_the_metadata_does_not_name_is_never_asked_for() {
    let delete = json!({ "method": "DELETE", "path": "/api/Spaces-1/projects/Projects-1" });
    let setup = Setup::with(|_| {}).await;
    for scope in ["octopus:read", "octopus:deploy", "octopus:admin"] {
        let reply = setup.call(USUAL, &json!({ "scope": scope }), "execute", delete.clone()).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (200, ""), "{}", reply.text);
        let result = &reply.json()["result"];
        let message = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(result["isError"], true, "{}", reply.text);
        assert!(message.contains("does not allow tools that delete things"), "{message}");
    }
    assert_eq!(setup.server.sample.changes(), []);
    let deleting = Setup::with(|config| config.tools.allow_deletes = true).await;
    let challenged = deleting.call(USUAL, &reading(), "execute", delete).await;
    asks_for(&challenged, "octopus:read octopus:admin");
}

#[tokio::test]
async fn a_tool_that_a_token_would_not_bring_is_not_given_away() {
    let everything = json!({ "scope": "octopus:read octopus:deploy octopus:admin" });
    for (reason, change) in [
        ("read_only", (|config| config.tools.read_only = true) as fn(&mut Config)),
        ("toolset", |config| config.tools.toolsets.0 = vec!["projects".to_owned()]),
        ("instance", |config| config.octopus.read_only = true),
    ] {
        let setup = Setup::with(change).await;
        for claims in [reading(), everything.clone()] {
            setup.is_not_there(USUAL, &claims).await;
        }
        assert_eq!(setup.server.sample.changes(), [], "{reason}");
    }
    let setup = Setup::with(|_| {}).await;
    for target in [
        ("/readonly", &[][..]),
        ("/x/projects", &[]),
        ("", &[("x-mcp-readonly", "true")]),
        ("", &[("x-mcp-toolsets", "projects")]),
        ("", &[("x-mcp-tools", "list_spaces")]),
        ("", &[("x-mcp-exclude-tools", "deploy_release")]),
    ] {
        for claims in [reading(), everything.clone()] {
            setup.is_not_there(target, &claims).await;
        }
    }
    let challenged = setup.call(USUAL, &reading(), "deploy_release", json!({})).await;
    asks_for(&challenged, "octopus:read octopus:deploy");
}

#[tokio::test]
async fn what_one_instance_does_not_let_pass_is_asked_for_at_another_alone() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let server = TestServer::several(&["warehouse", "shop"], |config| {
        issuer.trusted(config);
        config.octopus = Instance::default();
        config.tools.read_only = false;
        for instance in config.instances.values_mut() {
            instance.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        }
        config.instances.get_mut("shop").unwrap().read_only = true;
    })
    .await;
    let setup = Setup { signer, issuer, server };
    setup.is_not_there(("/i/shop", &[]), &reading()).await;
    let challenged =
        setup.call(("/i/warehouse", &[]), &reading(), "deploy_release", json!({})).await;
    asks_for(&challenged, "octopus:read octopus:deploy");
}
