//! A shared store over TLS (`rediss://`), whose certificate is issued by a private certificate
//! authority.

use std::{fs, path::PathBuf};

use octopus_mcp::{config::Config, store::Store};
use tempfile::TempDir;

use super::{few, redis::Redis, served};
use crate::{callers::certificate::Authority, support::TestServer};

/// Starts a Redis with a certificate of this authority for these names.
async fn redis(authority: &Authority, names: &[&str]) -> Redis {
    Redis::encrypted(&authority.signs(names, |_| {})).await
}

/// Writes the certificate of an authority to a file.
fn written(folder: &TempDir, authority: &Authority) -> PathBuf {
    let path = folder.path().join("ca.pem");
    fs::write(&path, authority.pem()).unwrap();
    path
}

async fn server(redis: &Redis, change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        few(config, 4);
        redis.store(config);
        change(config);
    })
    .await
}

fn store(server: &TestServer) -> &Store {
    &server.running.as_ref().unwrap().store
}

#[tokio::test]
async fn two_servers_count_together_in_a_store_behind_tls_whose_authority_a_file_names() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let redis = redis(&authority, &["localhost", "127.0.0.1"]).await;
    let ca = written(&folder, &authority);
    let one = server(&redis, |config| config.limits.store_ca_file = Some(ca.clone())).await;
    let two = server(&redis, |config| config.limits.store_ca_file = Some(ca.clone())).await;
    assert!(!store(&one).is_away() && !store(&two).is_away());
    assert_eq!(served(&one, &[], 2).await, 2);
    assert_eq!(served(&two, &[], 5).await, 2, "the burst of four is shared");
    assert_eq!((store(&one).failures(), store(&two).failures()), (0, 0));
    let names = redis.names().await;
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("octopus-mcp:rate:")));
}

#[tokio::test]
async fn a_store_that_cannot_show_who_it_is_hears_nothing_and_stops_nobody() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let ca = written(&folder, &authority);
    let ours = ["localhost", "127.0.0.1"];
    let right = redis(&authority, &ours).await;
    let other_authority = redis(&Authority::new(), &ours).await;
    let other_name = redis(&authority, &["store.example.com"]).await;
    for (what, redis, file) in [
        ("another authority", &other_authority, Some(&ca)),
        ("another name", &other_name, Some(&ca)),
        ("an authority that no file names", &right, None),
    ] {
        let server = server(redis, |config| config.limits.store_ca_file = file.cloned()).await;
        assert!(store(&server).is_away(), "{what}");
        assert_eq!(served(&server, &[], 5).await, 4, "{what}: the server counts on its own");
        assert!(store(&server).failures() > 0, "{what}");
        assert_eq!(redis.names().await, Vec::<String>::new(), "{what}");
    }
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_read_is_a_mistake_and_no_missing_store() {
    let authority = Authority::new();
    let redis = redis(&authority, &["127.0.0.1"]).await;
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    for path in [folder.path().join("none.pem"), broken] {
        let mut config = Config::default();
        redis.store(&mut config);
        config.limits.store_ca_file = Some(path.clone());
        let stop = tokio_util::sync::CancellationToken::new();
        let mistake = Store::open(&config.limits, stop).await.unwrap_err();
        assert!(mistake.starts_with("limits.store"), "{}: {mistake}", path.display());
    }
}
