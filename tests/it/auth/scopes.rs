//! Scopes that tokens grant, and scopes that calls require.

use octopus_mcp::config::GroupScope;
use serde_json::{Value, json};

use super::{
    call_with_token, metadata_url,
    test_issuer::{Signer, TestIssuer},
};
use crate::support::{Reply, TestServer};

struct ScopeFixture {
    signer: Signer,
    issuer: TestIssuer,
    server: TestServer,
}

impl ScopeFixture {
    async fn new() -> Self {
        let signer = Signer::new("one");
        let issuer = TestIssuer::start(&[&signer]);
        let server = TestServer::with(|config| {
            issuer.configure(config);
            config.tools.read_only = false;
            config.tools.allow_deletes = true;
            let group = "deployers".to_owned();
            let scope = octopus_mcp::config::TokenScope::Deploy;
            config.auth.group_scopes = vec![GroupScope { group, scope }];
        })
        .await;
        Self { signer, issuer, server }
    }

    async fn call(&self, scope: &str, tool: &str, arguments: Value) -> Reply {
        let token = self.signer.sign(&self.issuer.claims_with(&json!({ "scope": scope })));
        call_with_token(&self.server, &token, tool, &arguments).await
    }

    fn assert_requires_scope(&self, reply: &Reply, scopes: &str, required: &str, granted: &str) {
        assert_eq!((reply.status, &reply.json()["id"]), (403, &json!("x")), "{}", reply.text);
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scopes}\", resource_metadata=\"{}\", \
             error_description=\"this needs the scope {required}, and the token has {granted}\"",
            metadata_url(&self.server)
        );
        assert_eq!(reply.header("www-authenticate"), challenge);
    }
}

fn deploy_arguments() -> Value {
    json!({
        "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
        "environmentNames": ["Staging"],
    })
}

#[tokio::test]
async fn write_tool_requires_the_deploy_scope() {
    let setup = ScopeFixture::new().await;
    let rejected = setup.call("octopus:read", "deploy_release", deploy_arguments()).await;
    let scopes = "octopus:read octopus:deploy";
    setup.assert_requires_scope(&rejected, scopes, "octopus:deploy", "octopus:read");
    for scope in ["octopus:deploy", "octopus:admin", "octopus:read octopus:deploy"] {
        let accepted = setup.call(scope, "deploy_release", deploy_arguments()).await;
        assert_eq!(accepted.status, 200, "{scope}: {}", accepted.text);
    }
}

#[tokio::test]
async fn higher_scopes_include_lower_ones() {
    let setup = ScopeFixture::new().await;
    for scope in ["octopus:read", "octopus:deploy", "octopus:admin"] {
        let read = setup.call(scope, "list_spaces", json!({})).await;
        assert_eq!(read.json()["result"]["structuredContent"]["totalResults"], 2, "{scope}");
    }
}

#[tokio::test]
async fn execute_requires_the_scope_of_its_method() {
    let setup = ScopeFixture::new().await;
    let call = async |scope: &str, method: &str, arguments_to_add: Value| {
        let mut arguments = json!({ "method": method, "path": "/api/Spaces-1/projects" });
        for (name, value) in arguments_to_add.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        setup.call(scope, "execute", arguments).await
    };
    let read = call("octopus:read", "GET", json!({})).await;
    assert_ne!(read.json()["result"]["isError"], true, "{}", read.text);
    for arguments_to_add in
        [json!({}), json!({ "confirm": true }), json!({ "idempotencyKey": "1", "body": {} })]
    {
        let rejected = call("octopus:read", "POST", arguments_to_add).await;
        let scopes = "octopus:read octopus:deploy";
        setup.assert_requires_scope(&rejected, scopes, "octopus:deploy", "octopus:read");
    }
    let rejected = call("octopus:read", "DELETE", json!({})).await;
    setup.assert_requires_scope(
        &rejected,
        "octopus:read octopus:admin",
        "octopus:admin",
        "octopus:read",
    );
    let rejected = call("octopus:deploy", "DELETE", json!({ "confirm": "x" })).await;
    let scopes = "octopus:read octopus:deploy octopus:admin";
    setup.assert_requires_scope(&rejected, scopes, "octopus:admin", "octopus:deploy");
    assert_eq!(call("octopus:admin", "DELETE", json!({})).await.status, 200);
}

#[tokio::test]
async fn tool_aliases_require_the_same_scope() {
    let setup = ScopeFixture::new().await;
    let catalog = octopus_mcp::app::catalog();
    let mut names = 0;
    for toolset in catalog.toolsets() {
        for tool in toolset
            .tools
            .iter()
            .filter(|tool| tool.metadata.min_tier > octopus_mcp::policy::Tier::Read)
        {
            for alias in
                tool.metadata.aliases.iter().filter(|alias| alias.required_argument.is_none())
            {
                let rejected = setup.call("octopus:read", alias.name, json!({})).await;
                assert_eq!(rejected.status, 403, "{}: {}", alias.name, rejected.text);
                names += 1;
            }
            let rejected = setup.call("octopus:read", tool.metadata.name, json!({})).await;
            assert_eq!(rejected.status, 403, "{}: {}", tool.metadata.name, rejected.text);
            names += 1;
        }
    }
    assert!(names > 3, "{names}");
}

#[tokio::test]
async fn group_grants_scope_that_the_token_lacks() {
    let setup = ScopeFixture::new().await;
    let claims = json!({ "scope": "openid", "groups": ["deployers"] });
    let token = setup.signer.sign(&setup.issuer.claims_with(&claims));
    let accepted =
        call_with_token(&setup.server, &token, "deploy_release", &deploy_arguments()).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text);
    let claims = json!({ "scope": "openid", "groups": ["readers"] });
    let token = setup.signer.sign(&setup.issuer.claims_with(&claims));
    let rejected = call_with_token(&setup.server, &token, "list_spaces", &json!({})).await;
    assert_eq!(rejected.status, 403, "{}", rejected.text);
}
