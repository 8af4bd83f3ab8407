//! Routes that others can take the place of while they serve.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{Router, extract::Request};
use tower::{ServiceExt, service_fn};

/// Routes that others can take the place of. A clone is the same ones.
#[derive(Debug, Clone)]
pub struct Swap(Arc<ArcSwap<Router>>);

impl Swap {
    /// Begins with these.
    pub fn new(router: Router) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(router)))
    }

    /// From now on every request goes there. Those that are being answered end where they began.
    pub fn swap(&self, router: Router) {
        self.0.store(Arc::new(router));
    }

    /// What a listener serves.
    pub fn router(&self) -> Router {
        let routes = self.clone();
        Router::new().fallback_service(service_fn(move |request: Request| {
            let now = Router::clone(&routes.0.load());
            now.oneshot(request)
        }))
    }
}
