//! Draining: connections and requests that arrive while the listener stops. The tests connect and
//! write with blocking calls on the only server thread, so the server has read nothing when the
//! drain starts.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::get};
use octopus_mcp::{
    config::TlsSettings,
    http::{Certificates, Listening},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};

use crate::support::{client, serve, serve_with, wait_until_some};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn ok_router() -> Router {
    Router::new().route("/", get(async || "here"))
}

fn connect(address: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    connection
}

fn send_request(address: SocketAddr) -> TcpStream {
    let mut connection = connect(address);
    connection.write_all(REQUEST).unwrap();
    connection
}

/// Reads until the server closes the connection. A reset is an error.
async fn read_to_end(mut connection: TcpStream) -> String {
    let reading = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        connection.read_to_string(&mut text).map(|_| text)
    });
    reading.await.unwrap().unwrap()
}

async fn stop(listening: Listening) {
    listening.stop(Duration::from_secs(20)).await;
}

/// Waits until the address refuses connections.
async fn wait_until_refused(address: SocketAddr) {
    wait_until_some(async || tokio::net::TcpStream::connect(address).await.is_err().then_some(()))
        .await;
}

#[tokio::test]
async fn drain_answers_requests_of_unaccepted_connections() {
    let listening = serve(ok_router());
    let connections: Vec<_> = (0..200).map(|_| send_request(listening.address)).collect();
    stop(listening).await;
    for connection in connections {
        let answer = read_to_end(connection).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("here"), "{answer}");
    }
}

#[tokio::test]
async fn drain_answers_the_next_request_on_a_kept_connection() {
    let listening = serve(ok_router());
    let mut connection = send_request(listening.address);
    let read = tokio::task::spawn_blocking(move || {
        let mut answer = [0; 4096];
        let length = connection.read(&mut answer).unwrap();
        assert!(answer[..length].ends_with(b"here"));
        connection
    });
    let mut connection = read.await.unwrap();
    connection.write_all(REQUEST).unwrap();
    stop(listening).await;
    let answer = read_to_end(connection).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("here"), "{answer}");
}

#[tokio::test]
async fn drain_answers_one_request_of_a_new_connection() {
    let listening = serve(ok_router());
    let address = listening.address;
    let mut connection = connect(address);
    let stopping = tokio::spawn(stop(listening));
    wait_until_refused(address).await;
    connection.write_all(REQUEST).unwrap();
    let answer = read_to_end(connection).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("here"), "{answer}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_drain() {
    let listening = serve(ok_router());
    let address = listening.address;
    let used = send_request(address);
    wait_until_some(async || client().get(format!("http://{address}/")).send().await.ok()).await;
    let idle = connect(address);
    // The silent connection gets 1 s; the deadline would be 20 s.
    tokio::time::timeout(Duration::from_secs(10), stop(listening)).await.unwrap();
    assert!(read_to_end(used).await.ends_with("here"));
    assert_eq!(read_to_end(idle).await, "");
}

#[tokio::test]
async fn drain_deadline_closes_all_connections() {
    let never = Router::new().route("/", get(std::future::pending::<&'static str>));
    let listening = serve(never);
    let address = listening.address;
    let connection = send_request(address);
    let stopping = tokio::spawn(listening.stop(Duration::from_millis(500)));
    tokio::time::timeout(Duration::from_secs(10), stopping).await.unwrap().unwrap();
    assert_eq!(read_to_end(connection).await, "");
}

#[tokio::test]
async fn drain_finishes_http2_streams() {
    let (received, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (notify_received, resume) = (Arc::clone(&received), Arc::clone(&answer));
    let slow = get(async move || {
        notify_received.notify_one();
        resume.notified().await;
        "here"
    });
    let listening = serve(Router::new().route("/", slow));
    let address = listening.address;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let call = tokio::spawn(http2.get(format!("http://{address}/")).send());
    received.notified().await;
    let stopping = tokio::spawn(stop(listening));
    wait_until_refused(address).await;
    answer.notify_one();
    assert_eq!(call.await.unwrap().unwrap().text().await.unwrap(), "here");
    // The client keeps the connection open, and the server sends GOAWAY.
    tokio::time::timeout(Duration::from_secs(10), stopping).await.unwrap().unwrap();
    drop(http2);
}

#[tokio::test]
async fn drain_answers_after_a_pending_tls_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let tls = TlsSettings { certificate: Some(cert), key: Some(key), ..TlsSettings::default() };
    let certificates = Certificates::load(&tls).await.unwrap();

    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(pair.cert.der().clone()).unwrap();
    let settings = rustls::ClientConfig::builder().with_root_certificates(trusted);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(settings.with_no_client_auth()));

    let listening = serve_with(ok_router(), certificates.as_ref());
    let connection = connect(listening.address);
    connection.set_nonblocking(true).unwrap();
    let stopping = tokio::spawn(stop(listening));
    let connection = tokio::net::TcpStream::from_std(connection).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut connection = connector.connect(name, connection).await.unwrap();
    connection.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("here"), "{answer}");
    stopping.await.unwrap();
}
