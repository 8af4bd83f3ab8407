//! The contract with Octopus: every request that a tool, a resource or a completion sends is an
//! operation with known parameters and fields, and every body of the sample instance and of real
//! servers has the type that the operation states.

mod calls;
mod forms;
mod walk;
