//! A shared store over TLS (`rediss://`) with a certificate of a private certificate authority.

use std::{fs, path::PathBuf};

use octopus_mcp::{config::Config, store::Store};
use tempfile::TempDir;

use super::{count_served, limit_caller_to, redis::Redis};
use crate::{auth::certificates::TestCa, support::TestServer};

/// Starts a Redis with a certificate of this authority for these names.
async fn redis_with_certificate(authority: &TestCa, names: &[&str]) -> Redis {
    Redis::encrypted(&authority.signs(names, |_| {})).await
}

/// Writes the certificate of an authority to a file.
fn write_certificate(folder: &TempDir, authority: &TestCa) -> PathBuf {
    let path = folder.path().join("ca.pem");
    fs::write(&path, authority.pem()).unwrap();
    path
}

async fn server(redis: &Redis, change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        limit_caller_to(config, 4);
        redis.configure(config);
        change(config);
    })
    .await
}

fn store(server: &TestServer) -> &Store {
    &server.running.as_ref().unwrap().store
}

#[tokio::test]
async fn servers_share_limits_over_tls_with_private_ca() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    let redis = redis_with_certificate(&authority, &["localhost", "127.0.0.1"]).await;
    let ca = write_certificate(&folder, &authority);
    let one = server(&redis, |config| config.limits.store_ca_file = Some(ca.clone())).await;
    let two = server(&redis, |config| config.limits.store_ca_file = Some(ca.clone())).await;
    assert!(!store(&one).is_unavailable() && !store(&two).is_unavailable());
    assert_eq!(count_served(&one, &[], 2).await, 2);
    assert_eq!(count_served(&two, &[], 5).await, 2, "the burst of four is shared");
    assert_eq!((store(&one).failures(), store(&two).failures()), (0, 0));
    let names = redis.key_names().await;
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("octopus-mcp:rate:")));
}

#[tokio::test]
async fn untrusted_store_gets_no_data_and_blocks_no_calls() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), TestCa::new());
    let ca = write_certificate(&folder, &authority);
    let local_names = ["localhost", "127.0.0.1"];
    let right = redis_with_certificate(&authority, &local_names).await;
    let other_authority = redis_with_certificate(&TestCa::new(), &local_names).await;
    let other_name = redis_with_certificate(&authority, &["store.example.com"]).await;
    for (case, redis, file) in [
        ("another authority", &other_authority, Some(&ca)),
        ("another name", &other_name, Some(&ca)),
        ("an authority that no file names", &right, None),
    ] {
        let server = server(redis, |config| config.limits.store_ca_file = file.cloned()).await;
        assert!(store(&server).is_unavailable(), "{case}");
        assert_eq!(count_served(&server, &[], 5).await, 4, "{case}: the server counts on its own");
        assert!(store(&server).failures() > 0, "{case}");
        assert_eq!(redis.key_names().await, Vec::<String>::new(), "{case}");
    }
}

#[tokio::test]
async fn unreadable_ca_file_is_a_configuration_error() {
    let authority = TestCa::new();
    let redis = redis_with_certificate(&authority, &["127.0.0.1"]).await;
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    for path in [folder.path().join("none.pem"), broken] {
        let mut config = Config::default();
        redis.configure(&mut config);
        config.limits.store_ca_file = Some(path.clone());
        let stop = tokio_util::sync::CancellationToken::new();
        let error = Store::open(&config.limits, stop).await.unwrap_err().to_string();
        assert!(error.starts_with("limits.store"), "{}: {error}", path.display());
    }
}
