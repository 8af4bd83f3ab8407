//! Requests that end without an answer from the provider.

use std::time::Duration;

use rmcp::ErrorData;

/// The reason why a request has no answer.
pub(super) enum Ended {
    /// The provider returned this error.
    Refused(ErrorData),
    /// The client cancelled the request.
    Cancelled,
    /// The request exceeded this time limit.
    TookTooLong(Duration),
    /// The server is shutting down.
    Stopping,
    /// The provider panicked.
    Broken,
}

impl From<Ended> for ErrorData {
    fn from(ended: Ended) -> Self {
        let message = match ended {
            Ended::Refused(error) => return error,
            Ended::Cancelled => "the request was cancelled".to_owned(),
            Ended::TookTooLong(limit) => {
                let limit = limit.as_secs();
                format!(
                    "the request took longer than {limit} s; narrow the request, or if it was a \
                     change, check whether it was made before you retry"
                )
            }
            Ended::Stopping => "the server is stopping; retry in a few seconds".to_owned(),
            Ended::Broken => {
                "internal server error; report this to the operator of the server".to_owned()
            }
        };
        Self::internal_error(message, None)
    }
}
