//! Authentication with TLS client certificates.

use std::{fs, path::Path};

use octopus_mcp::{
    auth::{AuthMethod, Authenticators, TokenScope},
    config::{
        AuthMode, AuthModes, ClientCertificates, Config, GroupScope, Secret, SubjectName,
        TlsSettings,
    },
    telemetry::Metrics,
};
use octopus_sample::keys;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};

use super::LIST_TOOLS;
use crate::support::{Reply, TestServer, send};

/// A certificate authority for servers and clients.
pub struct TestCa(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its private key.
pub struct IssuedCertificate {
    pub pem: String,
    der: Vec<u8>,
    pub key: String,
}

impl TestCa {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Example authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Returns the CA certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate for these subject alternative names.
    pub fn signs(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> IssuedCertificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        IssuedCertificate {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: key.serialize_pem(),
        }
    }

    /// Issues a client certificate with this common name.
    fn names(&self, name: &str) -> IssuedCertificate {
        self.signs(&[], |params| {
            params.distinguished_name.push(DnType::CommonName, name);
            params.distinguished_name.push(DnType::OrganizationalUnitName, "freight");
        })
    }

    /// Writes the server certificate, its key and the CA certificate to a folder.
    fn write(&self, folder: &Path) {
        let server = self.signs(&["localhost", "127.0.0.1"], |_| {});
        fs::write(folder.join("cert.pem"), server.pem).unwrap();
        fs::write(folder.join("key.pem"), server.key).unwrap();
        fs::write(folder.join("ca.pem"), self.0.pem()).unwrap();
    }

    /// Returns a client that trusts the CA, with or without a client certificate.
    fn client(&self, pair: Option<&IssuedCertificate>) -> reqwest::Client {
        let trusted = reqwest::Certificate::from_pem(self.0.pem().as_bytes()).unwrap();
        let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]);
        if let Some(pair) = pair {
            let both = format!("{}{}", pair.key, pair.pem);
            builder = builder.identity(reqwest::Identity::from_pem(both.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }
}

fn tls_settings(folder: &Path, clients: ClientCertificates) -> TlsSettings {
    TlsSettings {
        certificate: Some(folder.join("cert.pem")),
        key: Some(folder.join("key.pem")),
        client_ca: Some(folder.join("ca.pem")),
        client_certificates: clients,
    }
}

async fn server(folder: &Path, clients: ClientCertificates) -> TestServer {
    TestServer::with(|config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Certificate]));
        config.http.tls = tls_settings(folder, clients);
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    })
    .await
}

fn list_tools_request(client: &reqwest::Client, server: &TestServer) -> reqwest::RequestBuilder {
    client.post(&server.url).header("content-type", "application/json").body(LIST_TOOLS)
}

/// Checks that the server ends the TLS handshake with this alert (RFC 8446, section 6.2).
async fn assert_handshake_fails(request: reqwest::RequestBuilder, alert: &str) {
    let error = format!("{:?}", request.send().await.unwrap_err());
    assert!(error.contains(&format!("received fatal alert: {alert}")), "{error}");
}

#[tokio::test]
async fn accepts_only_callers_with_a_named_certificate() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    authority.write(folder.path());
    let server = server(folder.path(), ClientCertificates::Optional).await;
    let client = authority.client(Some(&authority.names("build-agent")));
    let known: Reply = send(list_tools_request(&client, &server)).await;
    assert_eq!(known.status, 200, "{}", known.text);
    let anonymous = send(list_tools_request(&authority.client(None), &server)).await;
    assert_eq!((anonymous.status, anonymous.json()["id"].as_str()), (401, Some("x")));
    assert!(anonymous.error_message().contains("certificate"), "{}", anonymous.text);
    let without_name = authority.client(Some(&authority.signs(&[], |_| {})));
    let without_name = send(list_tools_request(&without_name, &server)).await;
    assert_eq!(without_name.status, 401, "{}", without_name.text);
    assert!(
        without_name.error_message().contains("certificate contains no caller name"),
        "{}",
        without_name.text
    );
}

#[tokio::test]
async fn known_certificate_is_exempt_from_the_failure_limit() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    authority.write(folder.path());
    let server = TestServer::with(|config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Certificate]));
        config.http.tls = tls_settings(folder.path(), ClientCertificates::Optional);
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.limits.failed_rate = 1;
        config.limits.failed_burst = 2;
    })
    .await;
    let known = authority.client(Some(&authority.names("build-agent")));
    assert_eq!(send(list_tools_request(&known, &server)).await.status, 200);
    let anonymous = authority.client(None);
    for status in [401, 401, 429] {
        assert_eq!(send(list_tools_request(&anonymous, &server)).await.status, status);
    }
    assert_eq!(send(list_tools_request(&known, &server)).await.status, 200);
    let other = authority.client(Some(&authority.names("other-agent")));
    assert_eq!(
        send(list_tools_request(&other, &server)).await.status,
        429,
        "the exemption is per caller"
    );
}

#[tokio::test]
async fn handshake_rejects_foreign_and_expired_certificates() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    authority.write(folder.path());
    let server = server(folder.path(), ClientCertificates::Optional).await;
    let foreign = TestCa::new().names("build-agent");
    let client = authority.client(Some(&foreign));
    // The foreign CA has the same name, so verification of the signature fails.
    assert_handshake_fails(list_tools_request(&client, &server), "DecryptError").await;
    let expired = authority.signs(&[], |params| {
        params.distinguished_name.push(DnType::CommonName, "build-agent");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 1);
    });
    let client = authority.client(Some(&expired));
    assert_handshake_fails(list_tools_request(&client, &server), "CertificateExpired").await;
}

#[tokio::test]
async fn required_mode_rejects_connections_without_certificate() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    authority.write(folder.path());
    let server = server(folder.path(), ClientCertificates::Required).await;
    let client = authority.client(None);
    assert_handshake_fails(list_tools_request(&client, &server), "CertificateRequired").await;
    let client = authority.client(Some(&authority.names("build-agent")));
    assert_eq!(send(list_tools_request(&client, &server)).await.status, 200);
}

#[tokio::test]
async fn rejects_certificate_together_with_token() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    authority.write(folder.path());
    let server = TestServer::with(|config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Certificate, AuthMode::Tokens]));
        config.http.tls = tls_settings(folder.path(), ClientCertificates::Optional);
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    })
    .await;
    let client = authority.client(Some(&authority.names("build-agent")));
    let both = list_tools_request(&client, &server).header("authorization", "Bearer omcp_x");
    let rejected = send(both).await;
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(rejected.error_message().contains("two proofs of identity"), "{}", rejected.text);
}

#[tokio::test]
async fn caller_name_comes_from_the_configured_subject_field() {
    let authority = TestCa::new();
    let pair = authority.signs(&[], |params| {
        params.distinguished_name.push(DnType::CommonName, "build-agent");
        params.distinguished_name.push(DnType::OrganizationalUnitName, "freight");
        params.subject_alt_names = vec![
            SanType::URI("spiffe://example.com/agent".try_into().unwrap()),
            SanType::DnsName("agent.example.com".try_into().unwrap()),
            SanType::Rfc822Name("agent@example.com".try_into().unwrap()),
        ];
    });
    for (subject, name) in [
        (SubjectName::Cn, "build-agent"),
        (SubjectName::Uri, "spiffe://example.com/agent"),
        (SubjectName::Dns, "agent.example.com"),
        (SubjectName::Email, "agent@example.com"),
    ] {
        let mut config = Config::default();
        config.auth.mode = Some(AuthModes(vec![AuthMode::Certificate]));
        config.auth.certificate.subject = subject;
        let scope = TokenScope::Deploy;
        config.auth.group_scopes = vec![GroupScope { group: "freight".to_owned(), scope }];
        let identity = Authenticators::from_config(&config, |_| Ok(()), &Metrics::default())
            .unwrap()
            .authenticate_certificate(&pair.der)
            .unwrap();
        assert_eq!((identity.method, identity.subject.as_str()), (AuthMethod::Certificate, name));
        assert_eq!(identity.issuer.as_deref(), Some("Example authority"));
        assert!(identity.groups.contains("freight") && identity.expires.is_some());
        assert_eq!(identity.grants.scope, TokenScope::Deploy);
    }
}

#[tokio::test]
async fn rejects_unreadable_and_expired_certificates() {
    let authority = TestCa::new();
    let mut config = Config::default();
    config.auth.mode = Some(AuthModes(vec![AuthMode::Certificate]));
    let authenticators =
        Authenticators::from_config(&config, |_| Ok(()), &Metrics::default()).unwrap();
    assert_eq!(
        authenticators.authenticate_certificate(&authority.names("maria").der).unwrap().subject,
        "maria"
    );
    for der in [&b""[..], b"no certificate", &authority.names("maria").der[..100]] {
        let error = authenticators.authenticate_certificate(der).unwrap_err();
        assert_eq!(error.to_string(), "the client certificate cannot be parsed");
    }
    let expired = authority.signs(&[], |params| {
        params.distinguished_name.push(DnType::CommonName, "maria");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 1);
    });
    // A certificate can expire while its connection is open.
    let error = authenticators.authenticate_certificate(&expired.der).unwrap_err();
    assert_eq!(error.to_string(), "the client certificate has expired");
}
