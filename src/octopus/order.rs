//! A request that changes Octopus, whole and ready to be sent, and the leave that it takes.

use std::fmt::{self, Write as _};

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Bounded, Bounds, Error, Path};

/// The methods that change things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Makes a thing, or starts one.
    Post,
    /// Puts a whole document in the place of the one before.
    Put,
    /// Changes a part of a document.
    Patch,
    /// Removes a thing.
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        })
    }
}

/// A request that changes Octopus. What a person agreed to is this very value.
#[derive(Debug, Clone)]
pub struct Order {
    /// The method.
    pub method: Method,
    /// The path and query.
    pub path: Path,
    /// The body, sent as JSON.
    pub body: Option<Value>,
}

impl Order {
    /// Makes a thing, or starts one.
    pub fn post(path: Path, body: Value) -> Self {
        Self { method: Method::Post, path, body: Some(body) }
    }

    /// Puts a whole document in the place of the one before.
    pub fn put(path: Path, body: Value) -> Self {
        Self { method: Method::Put, path, body: Some(body) }
    }

    /// Tells one order from another, whatever the ID of the change (`audit_id`) that its body may
    /// carry: two questions about one and the same change have two IDs.
    pub fn digest(&self, audit_id: Option<&str>) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        if let Some(id) = audit_id.filter(|id| !id.is_empty()) {
            body = body.replace(id, "");
        }
        digest.update(format!("{} {}\n{body}", self.method, self.path));
        digest.finalize().into()
    }
}

/// Leave to send one order. Only the gate for changes gives it (`tool/change.rs`), after somebody
/// agreed; a test holds that.
#[derive(Debug)]
pub struct Permit(());

impl Permit {
    /// Somebody has agreed.
    pub fn after_consent() -> Self {
        Self(())
    }
}

const JSON: &str = "application/json";

/// What Octopus answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self, route: &str) -> Result<T, Error> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        T::deserialize(&mut json).map_err(|error| {
            // Where it is wrong is looked for afterwards: keeping track of that takes time and
            // memory for each value.
            let mut json = serde_json::Deserializer::from_slice(&self.body);
            let found = serde_path_to_error::deserialize::<_, T>(&mut json).err();
            found.map_or_else(
                || self.unreadable(&error, route),
                |error| self.unreadable(&error, route),
            )
        })
    }

    /// Reads the body as JSON of any form, and keeps as much of it as `bounds` allow.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] if the body is not JSON; it names `route`.
    pub fn document(&self, route: &str, bounds: Bounds) -> Result<Bounded, Error> {
        Bounded::parse(&self.body, bounds).map_err(|error| self.unreadable(&error, route))
    }

    /// Returns the SHA-256 of the body, in hexadecimal.
    pub fn digest(&self) -> String {
        let mut digest = String::with_capacity(64);
        for byte in Sha256::digest(&self.body) {
            // Writing to a string cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        digest
    }

    fn unreadable(&self, error: &dyn fmt::Display, route: &str) -> Error {
        if self.content_type == JSON {
            Error::Unexpected { reason: format!("{error} ({route})") }
        } else {
            Error::page(route, &self.content_type)
        }
    }

    /// What says that it is JSON must be that, where there is anything.
    pub(super) fn well_formed(&self, route: &str) -> Result<(), Error> {
        if self.content_type == JSON && !self.body.is_empty() {
            self.json::<IgnoredAny>(route)?;
            // What is ignored may be no text.
            std::str::from_utf8(&self.body).map_err(|error| Error::Unexpected {
                reason: format!("{route} sent JSON that is no text: {error}"),
            })?;
        }
        Ok(())
    }
}

/// A page for browsers is no answer of the API: a proxy, or a sign-in page before it, has sent it.
pub(super) fn no_page(content_type: &str, route: &str) -> Result<(), Error> {
    if content_type == "text/html" {
        return Err(Error::page(route, content_type));
    }
    Ok(())
}
