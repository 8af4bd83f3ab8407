//! The signals that the process listens for.

use futures::Stream;

/// Listens from now on for the signals that end the process, Ctrl-C and SIGTERM, and gives what
/// waits for one: whoever says that the server runs has called this before.
pub fn signalled() -> impl Future<Output = ()> + Send {
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

/// Listens from now on for SIGHUP, which asks for the settings to be read again.
pub fn hangups() -> impl Stream<Item = ()> + Unpin + Send {
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
