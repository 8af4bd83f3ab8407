//! Signals for shutdown and reload.

use futures::Stream;

/// Installs handlers for Ctrl-C and SIGTERM, and returns a future that waits for one of them.
///
/// The handlers are installed before the function returns. Call it before reporting that the server
/// has started, so that no signal is lost.
pub fn shutdown_signal() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let received = |kind| {
            let signal = signal(kind);
            async move {
                match signal {
                    Ok(mut signal) => drop(signal.recv().await),
                    Err(_) => std::future::pending().await,
                }
            }
        };
        let interrupted = received(SignalKind::interrupt());
        let terminated = received(SignalKind::terminate());
        async move {
            tokio::select! { () = interrupted => {}, () = terminated => {} }
        }
    }
    #[cfg(not(unix))]
    async {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// Installs a handler for SIGHUP, and returns a stream with an item for each signal. SIGHUP reloads
/// the configuration. On other platforms than Unix, the stream never yields.
pub fn reload_signals() -> impl Stream<Item = ()> + Unpin + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = signal(SignalKind::hangup()).ok();
        Box::pin(futures::stream::unfold(hangup, |hangup| async {
            let Some(mut hangup) = hangup else { return std::future::pending().await };
            match hangup.recv().await {
                Some(()) => Some(((), Some(hangup))),
                None => std::future::pending().await,
            }
        }))
    }
    #[cfg(not(unix))]
    futures::stream::pending()
}
