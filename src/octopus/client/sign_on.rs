//! Recognizes the sign-on of an identity-aware proxy in front of an instance.
//!
//! Such a proxy answers a request without its cookie with a redirect to a sign-on service (SAML,
//! OAuth 2.0 or WS-Federation), or with a page that contains a sign-in form. Octopus itself never
//! redirects requests to its API there.

use url::Url;

/// Words that a label of the host or a segment of the path equals.
const WORDS: [&str; 21] = [
    "login",
    "signin",
    "sign-in",
    "sso",
    "saml",
    "saml2",
    "oauth",
    "oauth2",
    "openid-connect",
    "authorize",
    "auth",
    "adfs",
    "idp",
    "accounts",
    "okta",
    "auth0",
    "onelogin",
    "authelia",
    "authentik",
    "keycloak",
    "cloudflareaccess",
];
/// Parameters of sign-on requests: SAML 2.0 (HTTP Redirect binding), OAuth 2.0 (RFC 6749, section
/// 4.1.1) and WS-Federation.
const PARAMETERS: [&str; 6] =
    ["samlrequest", "relaystate", "client_id", "response_type", "redirect_uri", "wtrealm"];
/// Parts of a page with a sign-in form, in lower case.
const FORM_PARTS: [&str; 7] = [
    "type=\"password\"",
    "type='password'",
    "samlrequest",
    "sign in",
    "sign-in",
    "log in",
    "single sign-on",
];
/// The start of a page that is searched, in bytes.
const SEARCHED_BYTES: usize = 64 * 1024;

/// Returns whether a redirect to this URL asks the user to sign on.
pub(in crate::octopus) fn is_sign_on_url(url: &Url) -> bool {
    let is_word = |word: &str| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    let labels = url.host_str().into_iter().flat_map(|host| host.split('.'));
    let segments = url.path_segments().into_iter().flatten();
    let is_parameter = |name: &str| PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known));
    labels.chain(segments).any(is_word) || url.query_pairs().any(|(name, _)| is_parameter(&name))
}

/// Returns whether an HTML page contains a sign-in form or an invitation to sign in. The portal of
/// Octopus, which a wrong URL returns, is not one.
pub(in crate::octopus) fn is_sign_on_page(body: &[u8]) -> bool {
    let start = body.get(..SEARCHED_BYTES).unwrap_or(body);
    let page = String::from_utf8_lossy(start).to_lowercase();
    !page.contains("<title>octopus") && FORM_PARTS.iter().any(|part| page.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_redirects_to_sign_on_services() {
        for (url, expected) in [
            ("https://login.microsoftonline.com/common/oauth2/authorize?client_id=x", true),
            ("https://accounts.google.com/o/oauth2/v2/auth", true),
            ("https://acme.cloudflareaccess.com/cdn-cgi/access/login/octopus", true),
            ("https://idp.example.com/start?SAMLRequest=abc&RelayState=x", true),
            ("https://octopus.example.com/oauth2/start?rd=%2Fapi", true),
            ("https://fs.example.com/adfs/ls/?wa=wsignin1.0&wtrealm=x", true),
            ("https://deploy.example.com/api/spaces", false),
            ("https://octopus.example.com/api/Spaces-1/projects?partialName=login", false),
        ] {
            assert_eq!(is_sign_on_url(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn recognizes_sign_in_pages() {
        for (page, expected) in [
            ("<html>Sign in</html>", true),
            ("<form><input name=p TYPE=\"password\"></form>", true),
            ("<html><title>Octopus Deploy</title>Sign in</html>", false),
            ("<html><body>Bad gateway</body></html>", false),
            ("", false),
        ] {
            assert_eq!(is_sign_on_page(page.as_bytes()), expected, "{page}");
        }
    }
}
