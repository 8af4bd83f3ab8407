//! Tells a client how far its call is.

use std::time::Duration;

use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use tokio::sync::mpsc;

/// How long a client may take to accept a progress notification.
const PROGRESS_LIMIT: Duration = Duration::from_secs(1);

/// Runs a call, and tells the client how far it is where the client asked to be told.
pub(super) async fn forwarding<T>(
    mut told: mpsc::Receiver<(u64, String)>,
    context: &RequestContext<RoleServer>,
    call: impl Future<Output = T>,
) -> T {
    let mut call = std::pin::pin!(call);
    let token = context.meta.get_progress_token();
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            Some((amount, message)) = told.recv() => {
                let Some(token) = &token else { continue };
                #[expect(clippy::cast_precision_loss, reason = "the protocol's numbers are floats")]
                let progress = ProgressNotificationParam::new(token.clone(), amount as f64)
                    .with_message(message);
                // A client that does not read does not hold up the call for long.
                let sent = context.peer.notify_progress(progress);
                let _ = tokio::time::timeout(PROGRESS_LIMIT, sent).await;
            }
        }
    }
}
