//! Error of the selection of a credential.

use super::error::Error;

/// Reason why a caller has no Octopus credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The request must contain the caller's own credential.
    #[error(
        "calls to the instance '{0}' need your own Octopus credential; send the header \
         X-Octopus-ApiKey: API-... with your API key"
    )]
    Missing(String),
    /// The request contains a credential although another one acts.
    #[error(
        "this server has its own Octopus credential for the instance '{0}'; remove the header \
         X-Octopus-ApiKey from the request"
    )]
    NotAccepted(String),
    /// None of the caller's groups has a credential.
    #[error(
        "none of your groups has an Octopus credential at the instance '{0}'; the operator of \
         this server can add one under instances.{0}.groups"
    )]
    NoGroup(String),
    /// The caller has no token to exchange.
    #[error(
        "the instance '{0}' requires an access token of the authorization server, which is \
         exchanged for an Octopus token; you authenticated in another way"
    )]
    NoToken(String),
    /// Octopus rejected the token exchange.
    #[error(
        "Octopus at the instance '{0}' rejected the exchange of your token: {1}. An Octopus \
         administrator should compare the issuer, subject and audience of the service account's \
         OIDC identity with those of your token"
    )]
    ExchangeRejected(String, String),
    /// The request to Octopus failed.
    #[error(transparent)]
    Octopus(#[from] Error),
    /// The instance supports no token exchange, or is misconfigured.
    #[error("the Octopus credential for the instance '{0}' is not available: {1}")]
    Unavailable(String, String),
}
