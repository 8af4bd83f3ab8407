//! Limits the memory that large bodies occupy in this process at the same time.
//!
//! A reader declares the maximum number of bytes that it can need (its claim) and reserves them in
//! steps while they arrive. Most responses of Octopus do not state their length, so a reader cannot
//! reserve the exact size before it starts. A step is granted only if all readers can still finish
//! afterwards, one after the other. This is the [banker's algorithm] for one resource. It prevents
//! the deadlock in which every reader holds a part and waits for the rest.
//!
//! One owner (a caller or an address) holds at most half of the budget. So the large reads of one
//! caller cannot block the reads of another. The first [`UNRESERVED_BYTES`] bytes of a body need no
//! reservation: small reads never wait.
//!
//! [banker's algorithm]: https://en.wikipedia.org/wiki/Banker%27s_algorithm

mod memory;
pub(in crate::octopus) mod response_memory;
mod state;
#[cfg(test)]
mod tests;

pub use memory::{Exhausted, MemoryBudget, Reservation, UNRESERVED_BYTES};
pub use response_memory::ResponseMemory;
