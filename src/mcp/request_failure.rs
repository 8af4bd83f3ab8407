//! Reasons why a request ends without an answer from the provider.

use std::time::Duration;

use rmcp::ErrorData;

/// Reason why a request has no answer.
pub(super) enum RequestFailure {
    /// The provider returned this error.
    Provider(ErrorData),
    /// The client cancelled the request.
    Cancelled,
    /// The request exceeded this time limit.
    TimedOut(Duration),
    /// The server is shutting down.
    Stopping,
    /// The provider panicked.
    Panicked,
}

impl From<RequestFailure> for ErrorData {
    fn from(ended: RequestFailure) -> Self {
        let message = match ended {
            RequestFailure::Provider(error) => return error,
            RequestFailure::Cancelled => "the request was cancelled".to_owned(),
            RequestFailure::TimedOut(limit) => {
                let limit = limit.as_secs();
                format!(
                    "the request took longer than {limit} s; narrow the request, or if it was a \
                     change, check whether it was made before you retry"
                )
            }
            RequestFailure::Stopping => "the server is stopping; retry in a few seconds".to_owned(),
            RequestFailure::Panicked => {
                "internal server error; report this to the operator of the server".to_owned()
            }
        };
        Self::internal_error(message, None)
    }
}
