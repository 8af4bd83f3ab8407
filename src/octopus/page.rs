//! Pages of lists.

use serde::Deserialize;

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many items to leave out from the start.
    pub skip: u32,
    /// How many items to give at most.
    pub take: u32,
}

/// One page of a list, as Octopus sends it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many items the whole list has.
    #[serde(default)]
    pub total_results: u32,
}
