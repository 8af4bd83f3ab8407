//! Faults on demand: which fault strikes which request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;

use super::fault::Fault;

/// The faults of one sample instance. The first that matches a request applies.
#[derive(Debug, Default)]
pub struct Trouble {
    faults: Mutex<Vec<Fault>>,
}

impl Trouble {
    /// Adds a fault behind those that are there.
    pub fn add(&self, fault: Fault) {
        self.locked().push(fault);
    }

    /// Ends all trouble.
    pub fn clear(&self) {
        self.locked().clear();
    }

    /// Waits as the matching fault demands, and gives it.
    pub(super) async fn meet(&self, method: &Method, path: &str) -> Option<Fault> {
        let fault = self.take(method, path)?;
        fault.wait().await;
        Some(fault)
    }

    fn take(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut faults = self.locked();
        let position = faults.iter().position(|fault| fault.matches(method, path))?;
        let struck = faults.get_mut(position)?.strike();
        faults.retain(|fault| !fault.is_spent());
        Some(struck)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
