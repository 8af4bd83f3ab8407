//! The protocol in both eras, as real clients use it. The reaction of clients to each response was
//! measured; each resulting requirement has a test here or in `http`.

mod calls;
mod headers;
mod initialization;
mod lists;
mod messages;
