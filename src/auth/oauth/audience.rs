//! Checks the audience of a token.

use serde_json::Value;
use url::Url;

use super::Claims;
use crate::config;

/// The default audiences of this server, for issuers without configured audiences.
#[derive(Debug)]
pub(super) struct Audience {
    /// The public URL without a trailing slash.
    base_url: Option<String>,
}

impl Audience {
    pub(super) fn new(public_url: Option<&Url>) -> Self {
        let base = public_url.map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self { base_url: base }
    }

    /// Returns whether the token was issued for the endpoint with this path.
    ///
    /// Configured audiences of the issuer are compared exactly. Without them, the audience must be
    /// the URL of the endpoint or of a parent path. So a token for one instance is rejected at
    /// another instance.
    pub(super) fn accepts(
        &self,
        claims: &Claims,
        issuer: &config::IssuerSettings,
        path: &str,
    ) -> bool {
        let audiences: Vec<&str> = match claims.get(&issuer.audience_claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !issuer.audiences.0.is_empty() {
            return audiences
                .iter()
                .any(|one| issuer.audiences.0.iter().any(|accepted| accepted == one));
        }
        let Some(base) = &self.base_url else { return false };
        let endpoint = format!("{base}{}", path.trim_end_matches('/'));
        audiences.iter().any(|one| is_at_or_above(one.trim_end_matches('/'), base, &endpoint))
    }
}

fn is_at_or_above(audience: &str, base: &str, endpoint: &str) -> bool {
    let rest = endpoint.strip_prefix(audience);
    audience.starts_with(base) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepts(audiences: &[&str], claim: &str, claims: &Value, path: &str) -> bool {
        let issuer = config::IssuerSettings {
            audiences: config::ListSetting(audiences.iter().map(|one| (*one).to_owned()).collect()),
            audience_claim: claim.to_owned(),
            ..config::IssuerSettings::default()
        };
        let audience = Audience::new(Some(&"https://mcp.example.com".parse().unwrap()));
        audience.accepts(claims.as_object().unwrap(), &issuer, path)
    }

    #[test]
    fn compares_configured_audiences_exactly() {
        let configured = ["api://octopus", "0f6d"];
        for (claims, is_accepted) in [
            (json!({ "aud": "api://octopus" }), true),
            (json!({ "aud": ["other", "0f6d"] }), true),
            (json!({ "aud": "api://octopus/" }), false),
            (json!({ "aud": [] }), false),
            (json!({ "aud": 7 }), false),
            (json!({}), false),
        ] {
            assert_eq!(accepts(&configured, "aud", &claims, "/mcp"), is_accepted, "{claims}");
        }
        let cognito = json!({ "client_id": "0f6d" });
        assert!(accepts(&configured, "client_id", &cognito, "/mcp"));
        assert!(!accepts(&configured, "aud", &cognito, "/mcp"));
    }

    #[test]
    fn default_audience_is_endpoint_or_parent_path() {
        for (audience, path, is_accepted) in [
            ("https://mcp.example.com/mcp", "/mcp", true),
            ("https://mcp.example.com/mcp/", "/mcp", true),
            ("https://mcp.example.com/mcp", "/mcp/i/test", true),
            ("https://mcp.example.com", "/mcp/i/test", true),
            ("https://mcp.example.com/mcp/i/test", "/mcp/i/test/", true),
            ("https://mcp.example.com/mcp/i/test", "/mcp/i/test/Default", true),
            ("https://mcp.example.com/mcp/i/test", "/mcp/i/production", false),
            ("https://mcp.example.com/mcp/i/test", "/mcp", false),
            ("https://mcp.example.com/mcp/i/t", "/mcp/i/test", false),
            ("https://mcp.example.co", "/mcp", false),
            ("https://mcp.example.com.evil.example", "/mcp", false),
            ("https", "/mcp", false),
            ("", "/mcp", false),
        ] {
            let claims = json!({ "aud": audience });
            assert_eq!(accepts(&[], "aud", &claims, path), is_accepted, "{audience} at {path}");
        }
    }
}
