//! Progress notifications of running calls (MCP specification, "Progress").

use std::time::Duration;

use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use tokio::sync::mpsc;

/// Time limit for sending one progress notification.
const PROGRESS_SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a call and forwards its progress to the client if the request has a progress token.
pub(super) async fn forward_progress<T>(
    mut updates: mpsc::Receiver<(u64, String)>,
    context: &RequestContext<RoleServer>,
    call: impl Future<Output = T>,
) -> T {
    let mut call = std::pin::pin!(call);
    let token = context.meta.get_progress_token();
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            Some((amount, message)) = updates.recv() => {
                let Some(token) = &token else { continue };
                #[expect(clippy::cast_precision_loss, reason = "the protocol's numbers are floats")]
                let progress = ProgressNotificationParam::new(token.clone(), amount as f64)
                    .with_message(message);
                // The timeout prevents a client that does not read from blocking the call.
                let sent = context.peer.notify_progress(progress);
                let _ = tokio::time::timeout(PROGRESS_SEND_TIMEOUT, sent).await;
            }
        }
    }
}
