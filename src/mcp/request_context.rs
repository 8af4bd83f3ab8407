//! The context of a request, resolved before its method runs.
//!
//! The HTTP layer `resolve_context` builds a [`RequestContext`] for each request with
//! [`McpProvider::resolve`](super::McpProvider::resolve). It inserts the context into the
//! extensions of the request as `Arc<RequestContext>`. rmcp passes these extensions to the
//! handlers, so HTTP layers, protocol and tools read the same value.

use std::sync::Arc;

use crate::{
    access::{EffectiveScope, RequestScope, ToolAccess},
    auth::Caller,
    octopus::Instance,
};

/// The caller of a request, its requested scope and its effective scope.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The authenticated caller, with the credentials of the request.
    pub caller: Caller,
    /// The scope that the path and the headers request.
    pub scope: RequestScope,
    /// The instance and the access of the request. `None` if the provider has no instances, or if
    /// the caller cannot use the requested instance.
    pub resolved: Option<Arc<ResolvedScope>>,
}

/// The instance of a request, and the caller's access to it.
#[derive(Debug)]
pub struct ResolvedScope {
    /// The effective scope, over all instances.
    pub effective: Arc<EffectiveScope>,
    /// The requested instance, or the default instance.
    pub instance: Arc<Instance>,
    /// Access to tools and resources at that instance, after settings, grants and request scope.
    pub policy: ToolAccess,
}

impl RequestContext {
    /// Creates the context of a request to a provider without instances.
    pub fn new(caller: Caller, scope: RequestScope) -> Self {
        Self { caller, scope, resolved: None }
    }
}
