//! Layer 6: authenticates the caller.
//!
//! The authentication of the caller and the choice of the Octopus credential are separate. A
//! rejected credential is never replaced by another one.

mod auth;
mod challenge;
mod credential;
mod failures;
mod proof;

pub use auth::Auth;
pub(in crate::http) use challenge::Challenge;
pub(in crate::http) use credential::{api_key_challenge, credential_headers};
pub(in crate::http) use failures::{AuthFailures, ProofFingerprint};

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{StatusCode, request::Parts};

use super::endpoint::RejectionFacts;
use crate::{
    auth::Caller,
    http::{
        envelope::Envelope, peer::client_key, public_address::PublicAddresses, rejection::Rejection,
    },
};

/// Settings and counters of this layer.
#[derive(Debug)]
pub(in crate::http) struct Authentication {
    pub(in crate::http) auth: Arc<Auth>,
    pub(in crate::http) failures: Arc<AuthFailures>,
    pub(in crate::http) addresses: Arc<PublicAddresses>,
}

/// Authenticates the caller and removes credential and identity headers from the request.
///
/// - Needs: [`Peer`](crate::http::peer::Peer); the client certificate of the connection.
/// - Adds: [`Caller`] and [`ProofFingerprint`].
/// - Rejects with: 429 (too many failures of this address), 401 with a challenge, 400 (two
///   credentials, malformed headers), 403 (credential without access), 503 (token cannot be
///   verified because the issuer is not available).
pub(in crate::http) async fn authenticate(
    State(authentication): State<Arc<Authentication>>,
    request: Request,
    next: Next,
) -> Response {
    let Authentication { auth, failures, .. } = &*authentication;
    let id = Envelope::id_of(request.extensions());
    let address = client_key(request.extensions());
    let (mut parts, body) = request.into_parts();
    let proof = failures.is_limited().then(|| proof::fingerprint(auth, &parts)).flatten();
    let proof = proof.map(|proof| ProofFingerprint(*proof.as_bytes()));
    if let Err(rejection) = failures.check(&address, proof) {
        return rejection.to(&id);
    }
    match authentication.caller(&parts).await {
        Ok(caller) => {
            for name in credential_headers().into_iter().chain(auth.proxy_headers()) {
                parts.headers.remove(name);
            }
            RejectionFacts::record_caller(&parts.extensions, &caller.identity);
            parts.extensions.insert(caller);
            if let Some(proof) = proof {
                parts.extensions.insert(proof);
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => {
            match failures.record(&address, proof).await {
                Ok(()) => rejection.unauthenticated().to(&id),
                Err(limited) => limited.to(&id),
            }
        }
        Err(rejection) => rejection.to(&id),
    }
}

impl Authentication {
    async fn caller(&self, parts: &Parts) -> Result<Caller, Rejection> {
        match &*self.auth {
            Auth::Open => Ok(Caller::default()),
            Auth::Octopus | Auth::None => credential::caller(&self.auth, &parts.headers),
            Auth::Authenticated(authenticators) => {
                proof::caller(authenticators, &self.addresses, parts).await
            }
        }
    }
}
