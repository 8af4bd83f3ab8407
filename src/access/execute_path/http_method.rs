//! HTTP methods of calls of `execute`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{octopus::WriteMethod, policy::Tier};

/// HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates an object or starts an action.
    Post,
    /// Replaces an object.
    Put,
    /// Changes part of an object.
    Patch,
    /// Deletes an object.
    Delete,
}

impl HttpMethod {
    /// Returns the tier of requests with this method.
    pub fn tier(self) -> Tier {
        match self {
            Self::Get => Tier::Read,
            Self::Post | Self::Put | Self::Patch => Tier::Write,
            Self::Delete => Tier::Delete,
        }
    }

    /// Returns the method of a change request; `None` for GET.
    pub fn change_method(self) -> Option<WriteMethod> {
        Some(match self {
            Self::Get => return None,
            Self::Post => WriteMethod::Post,
            Self::Put => WriteMethod::Put,
            Self::Patch => WriteMethod::Patch,
            Self::Delete => WriteMethod::Delete,
        })
    }
}
