//! Captures log lines in tests of the log formats.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::layer::SubscriberExt;

/// The captured text. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the text that `work` writes to the buffer through this layer.
pub(super) fn logged_with<L>(layer: L, buffer: &Buffer, work: impl FnOnce()) -> String
where
    L: tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync,
{
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
}
