//! Rules about callers who authenticate with access tokens.

use octopus_mcp::config::AuthMode;
use serde_json::json;

use super::{deploy_arguments, set_rules};
use crate::{
    auth::{
        call_with_token,
        test_issuer::{Signer, TestIssuer},
    },
    support::TestServer,
};

/// Two issuers can assign the same user name, so only `issuer|subject` identifies a caller.
#[tokio::test]
async fn impersonated_caller_name_does_not_match_a_rule() {
    let (first, second) = (Signer::new("one"), Signer::new("two"));
    let (issuer, other_issuer) = (TestIssuer::start(&[&first]), TestIssuer::start(&[&second]));
    let caller = format!("{}|alice-1", issuer.url);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.auth.oauth.issuers.push(other_issuer.settings());
        assert!(config.auth_modes().has(AuthMode::Oauth));
        config.tools.read_only = false;
        let list = json!([
            { "name": "alice", "effect": "confirm", "callers": [caller] },
            { "name": "others", "effect": "deny" },
        ]);
        set_rules(config, &list);
    })
    .await;
    let is = |subject: &str, name: &str| json!({ "sub": subject, "scope": "octopus:deploy", "preferred_username": name, "email": name });
    for (token, is_allowed) in [
        (first.sign(&issuer.claims_with(&is("alice-1", "Alice"))), true),
        (first.sign(&issuer.claims_with(&is("mallory", "alice-1"))), false),
        (first.sign(&issuer.claims_with(&is("mallory", &caller))), false),
        (second.sign(&other_issuer.claims_with(&is("alice-1", "Alice"))), false),
    ] {
        let reply =
            call_with_token(&server, &token, "deploy_release", &deploy_arguments(&["Staging"]))
                .await;
        let message = reply.text.contains("rule 'others'");
        assert_eq!(message, !is_allowed, "{}", reply.text);
        assert_eq!(reply.text.contains("Rule: alice"), is_allowed, "{}", reply.text);
    }
}
