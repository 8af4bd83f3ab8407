//! What is known of a request before its method runs.
//!
//! One middleware of the HTTP server builds a [`RequestContext`] for each request, with
//! [`Offering::resolve`](super::Offering::resolve), and puts it into the extensions of the request as
//! `Arc<RequestContext>`. rmcp hands these extensions to the handlers, so HTTP layers, protocol and
//! tools read the same value.

use std::sync::Arc;

use crate::{
    auth::Caller,
    octopus::Instance,
    tool::{EffectiveScope, RequestScope, ToolAccess},
};

/// The caller of a request, the scope that the request asks for, and what it can reach with both.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The authenticated caller, with the credentials that came with the request.
    pub caller: Caller,
    /// The scope that the path and the headers of the request ask for.
    pub scope: RequestScope,
    /// The instance and the access of the request. `None` where the offering has no instances, or
    /// where the request names an instance that its caller cannot use.
    pub resolved: Option<Arc<ResolvedScope>>,
}

/// The instance of a request, and what the caller may see and do there.
#[derive(Debug)]
pub struct ResolvedScope {
    /// All instances, and the scope that the request asks for.
    pub effective: Arc<EffectiveScope>,
    /// The instance that the request names, or the default instance.
    pub instance: Arc<Instance>,
    /// Access to tools and resources at that instance, after settings, grants and request scope.
    pub policy: ToolAccess,
}

impl RequestContext {
    /// Creates the context of a request to an offering that has no instances.
    pub fn new(caller: Caller, scope: RequestScope) -> Self {
        Self { caller, scope, resolved: None }
    }
}
