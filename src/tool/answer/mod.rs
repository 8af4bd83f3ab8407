//! Builds answers: pages of lists, names of documents and resource URIs, and the steps that every
//! answer passes before it is sent.
//!
//! [`sanitize`] removes invisible characters and redacts secrets, [`depth`] limits the nesting,
//! [`part`] selects the requested part of a document, and [`truncate`] cuts the answer to its
//! maximum size.

mod depth;
mod found;
mod list;
mod names;
pub(super) mod part;
pub(super) mod sanitize;
pub(super) mod truncate;
mod uri;

pub use self::{
    found::{OneOrList, merged_schema, present_arguments, reject_list_filters},
    list::{List, NamedId},
    names::{NamesById, find_ids, named_id},
    part::Continuation,
    uri::{checked_path_part, resource_uri},
};
