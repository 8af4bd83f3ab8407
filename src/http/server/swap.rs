//! A router that can be replaced while it serves.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{Router, extract::Request};
use tower::{ServiceExt, service_fn};

/// A router that can be replaced. Clones share the router.
#[derive(Debug, Clone)]
pub struct Swap(Arc<ArcSwap<Router>>);

impl Swap {
    /// Creates a swap that serves with this router.
    pub fn new(router: Router) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(router)))
    }

    /// Replaces the router for new requests. Requests in progress end in their router.
    pub fn swap(&self, router: Router) {
        self.0.store(Arc::new(router));
    }

    /// Returns the router for a listener.
    pub fn router(&self) -> Router {
        let routes = self.clone();
        Router::new().fallback_service(service_fn(move |request: Request| {
            let router = Router::clone(&routes.0.load());
            router.oneshot(request)
        }))
    }
}
