//! Requests that end without an answer of the offering.

use std::time::Duration;

use rmcp::ErrorData;

/// Why there is no answer.
pub(super) enum Ended {
    Refused(ErrorData),
    Cancelled,
    TookTooLong(Duration),
    Stopping,
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
                    "this took longer than {limit} s; request less, or if it was a change, check \
                     whether it was made before you call again"
                )
            }
            Ended::Stopping => "this server is stopping; call again in a moment".to_owned(),
            Ended::Broken => "the server failed while it answered; please report this".to_owned(),
        };
        Self::internal_error(message, None)
    }
}
