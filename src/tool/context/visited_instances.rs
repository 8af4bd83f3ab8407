//! The other instances that a call reached.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::octopus::{Instance, Session};

/// The sessions of a call at other instances than its own. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct VisitedInstances(Arc<Mutex<Vec<Visit>>>);

type Visit = (Arc<Instance>, Session);

impl VisitedInstances {
    pub(super) fn add(&self, instance: &Arc<Instance>, session: &Session) {
        let mut visits = self.0.lock();
        visits.push((Arc::clone(instance), session.clone()));
    }

    /// Returns the instances and their sessions.
    pub fn sessions(&self) -> Vec<(Arc<Instance>, Session)> {
        self.0.lock().clone()
    }
}
