//! Complete responses with their unparsed body.

use std::fmt;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, de::IgnoredAny};
use sha2::{Digest, Sha256};

use super::{
    error::Error,
    json::bounded::{BoundedJson, JsonBounds},
    sign_on::is_sign_on_page,
};

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// A response of Octopus with its unparsed body.
#[derive(Debug, Clone)]
pub struct RawResponse {
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl RawResponse {
    /// Parses the body as JSON.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] with `route` and the position if the body does not
    /// have the form of `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self, route: &str) -> Result<T, Error> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        T::deserialize(&mut json).map_err(|error| {
            // Parse again to locate the error: tracking the position during the first pass would
            // cost time and memory for each value.
            let mut json = serde_json::Deserializer::from_slice(&self.body);
            let found = serde_path_to_error::deserialize::<_, T>(&mut json).err();
            found.map_or_else(
                || self.parse_error(&error, route),
                |error| self.parse_error(&error, route),
            )
        })
    }

    /// Parses a JSON body of any form, and keeps as much of it as `bounds` allow.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnexpectedResponse`] with `route` if the body is not JSON.
    pub fn document(&self, route: &str, bounds: JsonBounds) -> Result<BoundedJson, Error> {
        BoundedJson::parse(&self.body, bounds).map_err(|error| self.parse_error(&error, route))
    }

    /// Returns the SHA-256 of the body in hexadecimal.
    pub fn digest(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(&self.body))
    }

    fn parse_error(&self, error: &dyn fmt::Display, route: &str) -> Error {
        if self.content_type == HTML && is_sign_on_page(&self.body) {
            let received = format!("{route} returned '{HTML}' with a sign-in page");
            Error::SignOnPage { received }
        } else if self.content_type == JSON {
            Error::UnexpectedResponse { reason: format!("{error} ({route})") }
        } else {
            Error::not_json(route, &self.content_type)
        }
    }

    /// Rejects a body that claims to be JSON by its media type but is not. An empty body is
    /// accepted.
    pub(in crate::octopus) fn ensure_json(&self, route: &str) -> Result<(), Error> {
        if self.content_type == JSON && !self.body.is_empty() {
            self.json::<IgnoredAny>(route)?;
            // `IgnoredAny` skips invalid UTF-8 in strings.
            std::str::from_utf8(&self.body).map_err(|error| Error::UnexpectedResponse {
                reason: format!("{route} returned JSON that is not valid UTF-8: {error}"),
            })?;
        }
        Ok(())
    }
}

/// Rejects HTML pages: a proxy or a sign-in page in front of Octopus sends these instead of the
/// API.
pub(in crate::octopus) fn reject_html(content_type: &str, route: &str) -> Result<(), Error> {
    if content_type == HTML {
        return Err(Error::not_json(route, content_type));
    }
    Ok(())
}
