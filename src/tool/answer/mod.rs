//! TODO

pub(super) mod depth;
pub(super) mod truncate;
pub(super) mod found;
pub(super) mod list;
pub(super) mod names;
pub(super) mod sanitize;
pub(super) mod uri;

