//! Approval tokens, which bind an approval to a call and a preview.
//!
//! The token of an approval request is sealed and sent to the client, which returns it with the
//! approval. It is valid only for the call and the approval method that it was issued for.

use std::time::Duration;

use uuid::Uuid;

use super::{
    ApprovalError, ApprovalMethod, ChangePreview, PreviewLine, Seal, UnsealError,
    idempotency::KeyDigest,
};

/// Lifetime of an approval request: 5 minutes.
pub(super) const APPROVAL_TTL: Duration = Duration::from_mins(5);

/// Identifies an approval request: the bytes of the ID of its change.
pub(super) type Nonce = [u8; 16];

/// The content of an approval token.
pub(crate) struct ApprovalToken {
    pub(super) nonce: Nonce,
    /// Time of the approval request, as a version 7 UUID.
    pub(super) requested: Uuid,
    pub(super) preview_digest: [u8; 16],
    pub(super) line_digests: Vec<[u8; 4]>,
    pub(super) method: ApprovalMethod,
}

impl ApprovalToken {
    /// Creates the token of an approval request that is issued now.
    pub(super) fn new(change_id: Uuid, preview: &ChangePreview, method: ApprovalMethod) -> Self {
        Self {
            nonce: change_id.into_bytes(),
            // The ID of the change is older than the request. An equal change may have ended
            // between the two.
            requested: Uuid::now_v7(),
            preview_digest: preview.digest(),
            line_digests: preview.lines.iter().map(PreviewLine::digest).collect(),
            method,
        }
    }

    /// Seals the token for a call.
    pub(super) fn seal(&self, seal: &Seal, call: &KeyDigest) -> String {
        let mut bytes = self.nonce.to_vec();
        bytes.extend(self.requested.into_bytes());
        bytes.extend(self.preview_digest);
        bytes.extend(self.line_digests.iter().flatten());
        seal.seal(&bytes, &token_purpose(call, self.method), APPROVAL_TTL)
    }

    /// Verifies a sealed token.
    ///
    /// # Errors
    ///
    /// Returns [`ApprovalError::Rejected`] if the token has expired, was issued for another call or
    /// method, or is unknown.
    pub(super) fn open(
        sealed: &str,
        seal: &Seal,
        call: &KeyDigest,
        method: ApprovalMethod,
    ) -> Result<Self, ApprovalError> {
        let foreign = ApprovalError::Rejected(
            "nothing was changed: the approval is not valid for this call. It covers only the \
             caller, tool and arguments that were shown",
        );
        let bytes =
            seal.open(sealed, &token_purpose(call, method)).map_err(|error| match error {
                UnsealError::Expired => ApprovalError::Rejected(
                    "nothing was changed: the approval request expired after 5 minutes",
                ),
                UnsealError::Invalid => foreign.clone(),
                UnsealError::Unknown => ApprovalError::Rejected(match method {
                    ApprovalMethod::Person => {
                        "nothing was changed: unknown approval request: the server restarted, or \
                         another replica issued it"
                    }
                    _ => {
                        "nothing was changed: unknown code: the server restarted, another replica \
                         issued it, or it is not a code"
                    }
                }),
            })?;
        Self::from_bytes(&bytes, method).ok_or(foreign)
    }

    fn from_bytes(bytes: &[u8], method: ApprovalMethod) -> Option<Self> {
        let (nonce, rest) = bytes.split_first_chunk()?;
        let (requested, rest) = rest.split_first_chunk()?;
        let (preview_digest, lines) = rest.split_first_chunk()?;
        let (line_digests, rest) = lines.as_chunks();
        rest.is_empty().then(|| Self {
            nonce: *nonce,
            requested: Uuid::from_bytes(*requested),
            preview_digest: *preview_digest,
            line_digests: line_digests.to_vec(),
            method,
        })
    }
}

fn token_purpose(call: &KeyDigest, method: ApprovalMethod) -> Vec<u8> {
    let mut purpose = match method {
        ApprovalMethod::Person => b"person".to_vec(),
        _ => b"code".to_vec(),
    };
    purpose.extend(call);
    purpose
}
