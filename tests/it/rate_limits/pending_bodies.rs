//! Requests with a pending body: they hold concurrency permits before the caller is authenticated.

use octopus_mcp::config::{Config, Networks};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{LIST, RATE_LIMITED_CODE};
use crate::support::{Reply, TestServer, wait_until_some};

const FORWARDED: &str = "x-forwarded-for";

fn trust_local_proxies(config: &mut Config) {
    config.http.trusted_proxies = Networks(vec!["127.0.0.0/8".parse().unwrap()]);
    config.limits.concurrent_requests = 6;
    config.limits.unread_requests_per_address = 3;
}

/// Sends the head of a request and the first bytes of its body only.
async fn send_partial_request(server: &TestServer, address: &str) -> TcpStream {
    let socket = server.running.as_ref().unwrap().main.address;
    let mut connection = TcpStream::connect(socket).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         X-Forwarded-For: {address}\r\nContent-Length: 100\r\n\r\n{{\"jsonrpc\""
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection
}

async fn from(server: &TestServer, address: &str) -> Reply {
    server.post(&[(FORWARDED, address)], LIST).await
}

#[tokio::test]
async fn slow_bodies_of_one_address_leave_permits_for_others() {
    let server = TestServer::with(trust_local_proxies).await;
    let mut connections = Vec::new();
    for _ in 0..3 {
        connections.push(send_partial_request(&server, "203.0.113.7").await);
    }
    let rejected = wait_until_some(async || {
        let reply = from(&server, "203.0.113.7").await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    assert_eq!((rejected.status, rejected.error_code()), (429, RATE_LIMITED_CODE), "{rejected:?}");
    assert_eq!(rejected.header("retry-after"), "1");
    assert!(
        rejected.error_message().contains("have not sent their bodies yet"),
        "{}",
        rejected.text
    );
    // Further requests from this address get no more permits.
    for _ in 0..10 {
        let mut more = send_partial_request(&server, "203.0.113.7").await;
        let mut answer = [0; 12];
        more.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 429");
        connections.push(more);
    }
    assert_eq!(from(&server, "203.0.113.8").await.status, 200);
    // A closed connection releases its permits.
    drop(connections);
    wait_until_some(async || (from(&server, "203.0.113.7").await.status == 200).then_some(()))
        .await;
}

#[tokio::test]
async fn ipv6_network_shares_the_permits_of_one_address() {
    let server = TestServer::with(trust_local_proxies).await;
    let mut connections = Vec::new();
    for address in ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::9"] {
        connections.push(send_partial_request(&server, address).await);
    }
    wait_until_some(async || (from(&server, "2001:db8:1:2::77").await.status == 429).then_some(()))
        .await;
    assert_eq!(from(&server, "2001:db8:1:3::77").await.status, 200);
}

#[tokio::test]
async fn running_calls_hold_no_pending_body_permit() {
    let server = TestServer::with(|config| {
        trust_local_proxies(config);
        config.limits.unread_requests_per_address = 1;
    })
    .await;
    let fault = octopus_sample::Fault::on("/spaces");
    server.sample.faults().add(fault.delay(std::time::Duration::from_mins(1)));
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_spaces"}}"#;
    let check = async {
        wait_until_some(async || (!server.sample.journal().is_empty()).then_some(())).await;
        assert_eq!(server.post(&[], LIST).await.status, 200);
    };
    tokio::select! { _ = server.post(&[], call) => panic!("the call must still be running"), () = check => {} }
}
