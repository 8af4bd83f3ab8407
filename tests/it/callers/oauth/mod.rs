//! Access tokens: accepted forms, and every reason for rejection.

mod algorithms;
mod claims;
mod forms;
mod keys;

use serde_json::Value;

use super::{
    assert_invalid, bearing,
    issuer::{Signer, TestIssuer},
};
use crate::support::TestServer;

const NO_JWT: &str = "the token is not a JWT, or its signing algorithm is not accepted";
const UNKNOWN_ISSUER: &str = "this server does not trust the issuer of the token";
const UNKNOWN_KEY: &str = "the token is signed with a key that its issuer does not publish";
const BAD_SIGNATURE: &str = "the signature of the token is invalid";
const ELSEWHERE: &str = "the token was issued for another resource";

struct Setup {
    signer: Signer,
    issuer: TestIssuer,
    server: TestServer,
}

impl Setup {
    async fn new() -> Self {
        Self::signing(Signer::new("one")).await
    }

    async fn signing(signer: Signer) -> Self {
        let issuer = TestIssuer::with(&[&signer]);
        let server = TestServer::with(|config| issuer.trusted(config)).await;
        Self { signer, issuer, server }
    }

    /// Checks that a valid token is accepted, and rejected with this message after a change of claims.
    async fn refuses(&self, change: &Value, message: &str) {
        let valid = bearing(&self.server, &self.signer.sign(&self.issuer.claims())).await;
        assert_eq!(valid.status, 200, "{}", valid.text);
        self.refuses_token(&self.signer.sign(&self.issuer.claims_with(change)), message).await;
    }

    async fn refuses_token(&self, token: &str, message: &str) {
        let rejected = bearing(&self.server, token).await;
        assert_invalid(&self.server, &rejected, token, message);
    }
}
