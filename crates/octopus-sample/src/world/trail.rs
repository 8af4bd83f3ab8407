//! The audit trail of a world.

use std::sync::{Arc, LazyLock};

use super::World;
use crate::history::events::{Events, events};
use crate::version::Version;

/// The audit trail, made when somebody first asks. A clone shares it, so that it tells the same
/// whether it was asked for before a change or after.
#[derive(Clone)]
pub(super) struct Trail {
    pub(super) events: Arc<LazyLock<Events, Box<dyn FnOnce() -> Events + Send>>>,
}

impl Trail {
    /// That of a world as it is now.
    pub(super) fn of(world: &World, version: &Version) -> Self {
        let (world, version) = (world.clone(), version.clone());
        Self::made_by(move || events(&world, &version))
    }

    fn made_by(make: impl FnOnce() -> Events + Send + 'static) -> Self {
        Self { events: Arc::new(LazyLock::new(Box::new(make))) }
    }
}

impl Default for Trail {
    fn default() -> Self {
        Self::made_by(Events::default)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Sample;
    use crate::asking::{ask, get};

    #[tokio::test]
    async fn it_tells_the_same_before_a_change_and_after() {
        let (early, late) = (Sample::new(), Sample::new());
        let path = "Spaces-1/events?take=50";
        let before = get(&early, path).await;
        for sample in [&early, &late] {
            let gone = ask(sample, "DELETE", "Spaces-1/projects/Projects-6", json!(null)).await;
            assert_eq!(gone.0, 200);
            assert_eq!(get(sample, path).await, before);
        }
    }
}
