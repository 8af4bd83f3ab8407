//! Tokens of callers: in no log at any level, no error, no answer, and nothing that Octopus hears.

use std::{fmt::Write as _, fs};

use octopus_mcp::sample::{Sample, keys};
use serde_json::json;

use super::{
    SPACES,
    issuer::{AUDIENCE, Signer, TestIssuer, now},
};
use crate::{
    commands::{Serving, program},
    support::{client, reply, serve},
};

const KNOWN: &str = "omcp_1111111111111111111111111111111111111111111111111111111111111111";
const UNKNOWN: &str = "omcp_2222222222222222222222222222222222222222222222222222222222222222";
const HALF: &str = "half-a-token-33333333333333333333";

#[tokio::test]
async fn tokens_are_in_no_output_whatever_comes_of_them() {
    let (sample, signer) = (Sample::new(), Signer::new("one"));
    let issuer = TestIssuer::with(&[&signer]);
    let octopus = serve(sample.router());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let hash = super::tokens::hash(KNOWN);
    let settings = format!(
        "[octopus]\nurl = \"http://{}\"\napi_key = \"{}\"\n[auth]\nmode = \"tokens,oauth\"\n\
         [auth.tokens.agent]\nsha256 = \"{hash}\"\n[[auth.oauth.issuers]]\nissuer = \"{}\"\n\
         audiences = [\"{AUDIENCE}\"]\n",
        octopus.address,
        keys::ADMIN,
        issuer.url
    );
    fs::write(&path, settings).unwrap();
    let good = signer.sign(&issuer.claims());
    let expired = signer.sign(&issuer.claims_with(&json!({ "exp": now() - 600 })));
    let scopeless = signer.sign(&issuer.claims_with(&json!({ "scope": "openid" })));
    let stranger = Signer::new("stranger").sign(&issuer.claims());
    let other = signer.sign(&issuer.claims_with(&json!({ "iss": "https://other.example.com" })));
    let tampered = format!("{}x", signer.sign(&issuer.claims_with(&json!({ "sub": "tampered" }))));
    let jwts = [&good, &expired, &scopeless, &stranger, &other, &tampered];
    for format in ["text", "json"] {
        let config = path.to_str().unwrap();
        let mut command =
            program(&["--listen=127.0.0.1:0", "--log-format", format, "--config", config]);
        command.env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", "trace");
        let serving = Serving::start(command);
        let mut seen = serving.welcome.clone();
        let http = client();
        let mut statuses = Vec::new();
        let tokens = jwts.into_iter().map(String::as_str).chain([KNOWN, UNKNOWN, HALF]);
        for token in tokens {
            for form in [format!("Bearer {token}"), token.to_owned()] {
                let request = http.post(&serving.url).body(SPACES);
                let request = request.header("content-type", "application/json");
                let answer = reply(request.header("authorization", form)).await;
                statuses.push(answer.status);
                let _ = write!(seen, "{answer:?}");
            }
        }
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 1, "{statuses:?}");
        let (code, log) = serving.stop();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("token rejected"), "{log}");
        seen.push_str(&log);
        for secret in [KNOWN, UNKNOWN, HALF].into_iter().map(|token| &token[8..30]) {
            assert!(!seen.contains(secret), "{format}: {secret}");
        }
        for jwt in jwts {
            for part in jwt.split('.').skip(1) {
                assert!(!seen.contains(part), "{format}: {part}");
            }
        }
    }
    let heard = format!("{:?}", sample.journal());
    for jwt in jwts {
        assert!(!heard.contains(jwt.as_str()));
    }
    assert!(!heard.contains("omcp_"));
}
