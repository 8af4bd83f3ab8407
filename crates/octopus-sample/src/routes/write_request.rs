//! A write request, as its routes receive it.

use http::Method;

use super::super::call::Call;
use super::super::request_body::RequestBody;

/// A write request.
pub(super) struct WriteRequest<'a> {
    /// The call, with the database before the change.
    pub(super) call: &'a Call<'a>,
    pub(super) input: &'a RequestBody,
    pub(super) method: &'a Method,
}

impl<'a> WriteRequest<'a> {
    pub(super) const fn new(
        call: &'a Call<'a>,
        input: &'a RequestBody,
        method: &'a Method,
    ) -> Self {
        Self { call, input, method }
    }
}
