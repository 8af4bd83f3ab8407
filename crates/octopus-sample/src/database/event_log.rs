//! Event log of a database.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::collection::Collection;

/// Events of all spaces, newest first.
#[derive(Default)]
pub(crate) struct Events {
    pub(crate) all: Collection,
    /// IDs of the events that are listed only with `internal=true`.
    pub(crate) internal: HashSet<String>,
}

/// Event log, generated on first use. Clones share it, so that changes of the database do not
/// change it.
#[derive(Clone)]
pub(super) struct EventLog {
    pub(super) events: Arc<LazyLock<Events, Box<dyn FnOnce() -> Events + Send>>>,
}

impl EventLog {
    /// Creates an event log that `make` generates on first use.
    pub(super) fn new(make: impl FnOnce() -> Events + Send + 'static) -> Self {
        Self { events: Arc::new(LazyLock::new(Box::new(make))) }
    }
}

impl Default for EventLog {
    fn default() -> Self {
        Self::new(Events::default)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Sample;
    use crate::test_client::{get, send};

    #[tokio::test]
    async fn event_log_is_independent_of_changes() {
        let (early, late) = (Sample::new(), Sample::new());
        let path = "Spaces-1/events?take=50";
        let before = get(&early, path).await;
        for sample in [&early, &late] {
            let deleted = send(sample, "DELETE", "Spaces-1/projects/Projects-6", json!(null)).await;
            assert_eq!(deleted.0, 200);
            assert_eq!(get(sample, path).await, before);
        }
    }
}
