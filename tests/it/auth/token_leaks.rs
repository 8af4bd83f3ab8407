//! Caller tokens do not appear in logs of any level, errors, responses or requests to Octopus.

use std::{fmt::Write as _, fs};

use octopus_sample::{Sample, keys};
use serde_json::json;

use super::{
    LIST_SPACES,
    test_issuer::{AUDIENCE, Signer, TestIssuer, now},
};
use crate::{
    cli::{ServerProcess, program},
    support::{client, send, serve},
};

const KNOWN_TOKEN: &str = "omcp_1111111111111111111111111111111111111111111111111111111111111111";
const UNKNOWN_TOKEN: &str = "omcp_2222222222222222222222222222222222222222222222222222222222222222";
const MALFORMED_TOKEN: &str = "half-a-token-33333333333333333333";

#[tokio::test]
async fn tokens_appear_in_no_log_response_or_upstream_request() {
    let (sample, signer) = (Sample::new(), Signer::new("one"));
    let issuer = TestIssuer::start(&[&signer]);
    let octopus = serve(sample.router());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let hash = crate::auth::tokens::sha256_hex(KNOWN_TOKEN);
    let settings = format!(
        "[octopus]\nurl = \"http://{}\"\napi_key = \"{}\"\n[auth]\nmode = \"tokens,oauth\"\n\
         [auth.tokens.agent]\nsha256 = \"{hash}\"\n[[auth.oauth.issuers]]\nissuer = \"{}\"\n\
         audiences = [\"{AUDIENCE}\"]\n",
        octopus.address,
        keys::ADMIN,
        issuer.url
    );
    fs::write(&path, settings).unwrap();
    let valid = signer.sign(&issuer.claims());
    let expired = signer.sign(&issuer.claims_with(&json!({ "exp": now() - 600 })));
    let scopeless = signer.sign(&issuer.claims_with(&json!({ "scope": "openid" })));
    let unknown_key = Signer::new("stranger").sign(&issuer.claims());
    let other_issuer =
        signer.sign(&issuer.claims_with(&json!({ "iss": "https://other.example.com" })));
    let tampered = format!("{}x", signer.sign(&issuer.claims_with(&json!({ "sub": "tampered" }))));
    let jwts = [&valid, &expired, &scopeless, &unknown_key, &other_issuer, &tampered];
    for format in ["text", "json"] {
        let config = path.to_str().unwrap();
        let mut command =
            program(&["--listen=127.0.0.1:0", "--log-format", format, "--config", config]);
        command.env("OCTOPUS_MCP_TELEMETRY__LOG_FILTER", "trace");
        let serving = ServerProcess::start(command);
        let mut outputs = serving.startup_message.clone();
        let http = client();
        let mut statuses = Vec::new();
        let tokens = jwts.into_iter().map(String::as_str).chain([
            KNOWN_TOKEN,
            UNKNOWN_TOKEN,
            MALFORMED_TOKEN,
        ]);
        for token in tokens {
            for form in [format!("Bearer {token}"), token.to_owned()] {
                let request = http.post(&serving.url).body(LIST_SPACES);
                let request = request.header("content-type", "application/json");
                let answer = send(request.header("authorization", form)).await;
                statuses.push(answer.status);
                let _ = write!(outputs, "{answer:?}");
            }
        }
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 1, "{statuses:?}");
        let (code, log) = serving.stop();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("token rejected"), "{log}");
        outputs.push_str(&log);
        for secret in
            [KNOWN_TOKEN, UNKNOWN_TOKEN, MALFORMED_TOKEN].into_iter().map(|token| &token[8..30])
        {
            assert!(!outputs.contains(secret), "{format}: {secret}");
        }
        for jwt in jwts {
            for part in jwt.split('.').skip(1) {
                assert!(!outputs.contains(part), "{format}: {part}");
            }
        }
    }
    let journal = format!("{:?}", sample.journal());
    for jwt in jwts {
        assert!(!journal.contains(jwt.as_str()));
    }
    assert!(!journal.contains("omcp_"));
}
