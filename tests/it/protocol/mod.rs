//! The protocol in both eras, as real clients speak it. What clients do with each answer was
//! measured; each demand that follows from it has its test here or in `http`.

mod calls;
mod greetings;
mod headers;
mod lists;
mod messages;
