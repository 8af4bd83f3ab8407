//! Authenticates callers by the Octopus credential of a request.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE},
};

use super::Auth;
use crate::{
    auth::Caller,
    http::rejection::{Rejection, code},
    octopus::Credentials,
};

/// The header with the API key of the caller.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-octopus-apikey");

/// Returns the headers that contain credentials. They must not be logged.
pub(in crate::http) fn credential_headers() -> [HeaderName; 4] {
    [API_KEY, AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE]
}

/// Returns the caller of a request, identified by its Octopus credential. `auth` is
/// [`Auth::Octopus`] or [`Auth::None`].
///
/// # Errors
///
/// Returns 401 for a credential that is missing, malformed or not accepted in this mode, and 400
/// for two credentials.
pub(super) fn caller(auth: &Auth, headers: &HeaderMap) -> Result<Caller, Rejection> {
    let key = single(headers, &API_KEY)?;
    let authorization = single(headers, &AUTHORIZATION)?;
    let credentials = match (key, authorization, auth) {
        (Some(_), Some(_), _) => {
            return Err(Rejection::bad_request(
                code::INVALID_REQUEST,
                "the request has two credentials; send X-Octopus-ApiKey or Authorization, not both",
            ));
        }
        (Some(key), None, _) => {
            Credentials::api_key(key).map_err(|error| invalid(&error.to_string()))?
        }
        (None, Some(authorization), Auth::Octopus) => access_token(authorization)?,
        (None, Some(_), _) => {
            return Err(invalid(
                "this server does not accept the Authorization header; send your key in \
                 X-Octopus-ApiKey, or no credential to use the configured one",
            ));
        }
        (None, None, Auth::Octopus) => return Err(missing()),
        (None, None, _) => return Ok(Caller::default()),
    };
    Ok(Caller::from_octopus_credentials(credentials))
}

/// Returns the value of a header that must appear at most once.
///
/// # Errors
///
/// Returns 400 if the header appears more than once or is not ASCII text.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| {
                let message = format!("the header {name} is not ASCII text");
                Rejection::bad_request(code::INVALID_REQUEST, message)
            })?;
            Ok(Some(text))
        }
        (Some(_), Some(_)) => {
            let message = format!("the header {name} appears more than once; send it once");
            Err(Rejection::bad_request(code::INVALID_REQUEST, message))
        }
    }
}

/// Returns the token of an Authorization header with the scheme `Bearer` (RFC 6750, section 2.1),
/// which can be empty.
pub(super) fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start())
}

/// Parses an Octopus access token.
fn access_token(authorization: &str) -> Result<Credentials, Rejection> {
    let token = bearer_token(authorization).ok_or_else(|| {
        invalid("the Authorization header must be `Bearer` and an Octopus access token")
    })?;
    Credentials::access_token(token).map_err(|error| invalid(&error.to_string()))
}

/// Returns the challenge for an Octopus credential (RFC 9110, section 11.6.1). It names the header,
/// because no authorization server issues the credential and clients can only show it to the user.
pub(in crate::http) fn api_key_challenge(error: Option<&str>) -> HeaderValue {
    let error = error.map_or_else(String::new, |error| format!(", error=\"{error}\""));
    let text = format!(
        "Bearer realm=\"Octopus Deploy: send the header X-Octopus-ApiKey with your API \
         key\"{error}"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"))
}

fn missing() -> Rejection {
    Rejection::new(
        StatusCode::UNAUTHORIZED,
        "the request has no Octopus credential; send the header X-Octopus-ApiKey: API-... with \
         your API key, or Authorization: Bearer with an Octopus access token",
    )
    .with_header(WWW_AUTHENTICATE, api_key_challenge(None))
}

fn invalid(message: &str) -> Rejection {
    Rejection::new(StatusCode::UNAUTHORIZED, message)
        .with_header(WWW_AUTHENTICATE, api_key_challenge(Some("invalid_token")))
}
