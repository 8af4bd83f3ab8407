//! The middleware layers, one file or folder each, numbered from the outermost layer.
//!
//! [`router`](mod@super::router) documents their order.

mod hold;
mod keyed_limit;

pub(super) mod admission;
pub(super) mod authentication;
pub(super) mod context;
pub(super) mod cors;
pub(super) mod endpoint;
pub(super) mod message;
pub(super) mod protocol;
pub(super) mod rate_limit;
pub(super) mod session;
pub(super) mod trace;
