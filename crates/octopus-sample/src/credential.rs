//! Credentials of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::query::Query;
use super::response::ApiError;
use super::tokens::Tokens;
use super::users::User;

/// Returns the user of a request, by API key (header or `apikey` parameter) or access token.
pub(super) fn credential(
    headers: &HeaderMap,
    query: &Query,
    tokens: &Tokens,
) -> Result<&'static User, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(key) = text("x-octopus-apikey").or_else(|| query.text("apikey")) {
        return User::with_key(key).ok_or(ApiError::BadKey);
    }
    let header = text(AUTHORIZATION.as_str()).unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let token = token.trim();
            let user = User::with_access_token(token).or_else(|| tokens.user(token));
            user.ok_or(ApiError::NotLoggedIn)
        }
        _ => Err(ApiError::NotLoggedIn),
    }
}

/// Removes the API key from a query, for the journal.
pub(super) fn without_key(query: &str) -> String {
    let is_key = |pair: &&str| !pair.to_ascii_lowercase().starts_with("apikey=");
    query.split('&').filter(is_key).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Uri};

    use super::*;
    use crate::keys;

    #[test]
    fn keys_and_access_tokens_are_not_interchangeable() {
        let bearer = |token: &str| format!("Bearer {token}");
        let rows = [
            ("authorization", bearer(keys::ADMIN_ACCESS_TOKEN), "/", Ok("Users-1")),
            ("authorization", bearer(keys::ADMIN), "/", Err(ApiError::NotLoggedIn)),
            ("x-octopus-apikey", keys::WITHOUT_TASK_VIEW.to_owned(), "/", Ok("Users-43")),
            ("x-octopus-apikey", keys::ADMIN_ACCESS_TOKEN.to_owned(), "/", Err(ApiError::BadKey)),
            ("accept", "*/*".to_owned(), "/", Err(ApiError::NotLoggedIn)),
            ("accept", "*/*".to_owned(), "/?ApiKey=API-NONE", Err(ApiError::BadKey)),
        ];
        for (header, value, uri, expected) in rows {
            let value = HeaderValue::try_from(value).unwrap();
            let headers = HeaderMap::from_iter([(HeaderName::from_static(header), value)]);
            let query = Query::of(&Uri::from_static(uri));
            let found = credential(&headers, &query, &Tokens::default());
            assert_eq!(found.map(|user| user.id), expected, "{header} {uri}");
        }
    }
}
