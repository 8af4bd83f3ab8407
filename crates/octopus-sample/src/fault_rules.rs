//! Rules for which fault applies to which request.

use http::Method;
use parking_lot::{Mutex, MutexGuard};

use super::fault::Fault;

/// Faults of one sample instance. The first fault that matches a request applies.
#[derive(Debug, Default)]
pub struct FaultRules {
    faults: Mutex<Vec<Fault>>,
}

impl FaultRules {
    /// Adds a fault after the existing ones.
    pub fn add(&self, fault: Fault) {
        self.locked().push(fault);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.locked().clear();
    }

    /// Returns the fault that matches a request, after its delay.
    pub(super) async fn next_fault(&self, method: &Method, path: &str) -> Option<Fault> {
        let fault = self.take(method, path)?;
        fault.wait().await;
        Some(fault)
    }

    fn take(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut faults = self.locked();
        let position = faults.iter().position(|fault| fault.matches(method, path))?;
        let used = faults.get_mut(position)?.use_once();
        faults.retain(|fault| !fault.is_used_up());
        Some(used)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock()
    }
}
