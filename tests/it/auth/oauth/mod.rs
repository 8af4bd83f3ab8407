//! Access tokens: accepted forms, and every reason for rejection.

mod algorithms;
mod claims;
mod signing_keys;
mod token_formats;

use serde_json::Value;

use super::{
    assert_invalid_token, list_tools_with_token,
    test_issuer::{Signer, TestIssuer},
};
use crate::support::TestServer;

const NOT_A_JWT: &str = "the token is not a JWT, or its signing algorithm is not accepted";
const UNKNOWN_ISSUER: &str = "this server does not trust the issuer of the token";
const UNKNOWN_KEY: &str = "the token is signed with a key that its issuer does not publish";
const BAD_SIGNATURE: &str = "the signature of the token is invalid";
const OTHER_RESOURCE: &str = "the token was issued for another resource";

struct OAuthFixture {
    signer: Signer,
    issuer: TestIssuer,
    server: TestServer,
}

impl OAuthFixture {
    async fn new() -> Self {
        Self::with_signer(Signer::new("one")).await
    }

    async fn with_signer(signer: Signer) -> Self {
        let issuer = TestIssuer::start(&[&signer]);
        let server = TestServer::with(|config| issuer.configure(config)).await;
        Self { signer, issuer, server }
    }

    /// Checks that a valid token is accepted, and rejected with this message after a claim change.
    async fn assert_rejects_claims(&self, change: &Value, message: &str) {
        let valid =
            list_tools_with_token(&self.server, &self.signer.sign(&self.issuer.claims())).await;
        assert_eq!(valid.status, 200, "{}", valid.text);
        self.assert_rejects_token(&self.signer.sign(&self.issuer.claims_with(change)), message)
            .await;
    }

    async fn assert_rejects_token(&self, token: &str, message: &str) {
        let rejected = list_tools_with_token(&self.server, token).await;
        assert_invalid_token(&self.server, &rejected, token, message);
    }
}
