//! TLS termination, and reloading of certificate files.

use std::fs;

use octopus_mcp::config::TlsSettings;
use octopus_sample::keys;

use crate::support::{TestServer, wait_until_some};

use super::LIST_TOOLS;

/// Writes a self-signed certificate for localhost and its key, and returns the certificate.
fn write_pair(folder: &std::path::Path) -> reqwest::Certificate {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let pair = rcgen::generate_simple_self_signed(names).unwrap();
    let pem = pair.cert.pem();
    fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.pem"), &pem).unwrap();
    reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()
}

async fn can_list_tools(server: &TestServer, trusted: &reqwest::Certificate) -> bool {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted.clone()]);
    let request = client.build().unwrap().post(&server.url).body(LIST_TOOLS);
    let request = request.header("content-type", "application/json");
    let answer = request.header("x-octopus-apikey", keys::ADMIN).send().await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test]
async fn tls_certificate_is_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_pair(folder.path());
    let server = TestServer::with(|config| {
        config.http.tls = TlsSettings {
            certificate: Some(folder.path().join("cert.pem")),
            key: Some(folder.path().join("key.pem")),
            ..TlsSettings::default()
        };
    })
    .await;
    assert!(server.url.starts_with("https://"), "{}", server.url);
    assert!(can_list_tools(&server, &first).await);
    let second = write_pair(folder.path());
    wait_until_some(async || can_list_tools(&server, &second).await.then_some(())).await;
    assert!(!can_list_tools(&server, &first).await);
    fs::write(folder.path().join("cert.pem"), "broken").unwrap();
    for _ in 0..3 {
        assert!(can_list_tools(&server, &second).await, "an invalid certificate file is ignored");
    }
}
