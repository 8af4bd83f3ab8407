//! Clients that do not read their responses lose their connections.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use futures::stream;
use octopus_mcp::{
    config::{DurationSetting, HttpSettings},
    http,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use crate::support::TestServer;

const LIMIT: DurationSetting = DurationSetting(Duration::from_secs(1));
const TIMEOUT: Duration = Duration::from_secs(20);

/// Encodes an HTTP/2 frame (RFC 9113, section 4.1) with a payload of less than 256 bytes.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// SETTINGS payload with an initial window of 0 bytes (RFC 9113, section 6.5.2): the server must
/// not send a body.
const ZERO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

/// Returns the bytes of an HTTP/2 connection with these settings and a GET request for a path.
pub fn http2_request(path: &str, settings: &[u8]) -> Vec<u8> {
    let text =
        |name, text: &str| [&[name, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    // Indexes of the HPACK static table (RFC 7541, appendix A): 2 GET, 6 http, 4 :path, 1
    // :authority.
    let head = [vec![0x82, 0x86], text(0x04, path), text(0x01, "localhost")].concat();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    [preface, frame(4, 0, 0, settings), frame(1, 5, 1, &head)].concat()
}

/// Returns the types and flags of frames.
pub fn frame_types(mut frames: &[u8]) -> Vec<(u8, u8)> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, flags, _, _, _, _, rest @ ..] = frames {
        kinds.push((*kind, *flags));
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        frames = rest.get(length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test]
async fn closes_http2_connection_with_zero_window() {
    let server = TestServer::with(|config| config.http.header_timeout = LIMIT).await;
    let main = server.running.as_ref().unwrap().main.address;
    let mut connection = TcpStream::connect(main).await.unwrap();
    connection.write_all(&http2_request("/mcp", ZERO_WINDOW)).await.unwrap();
    let mut received = Vec::new();
    let ended = tokio::time::timeout(TIMEOUT, connection.read_to_end(&mut received));
    let _ = ended.await.expect("the connection was not closed");
    let kinds = frame_types(&received);
    // The server sent HEADERS (type 1) without END_STREAM (flag 1), and no DATA (type 0).
    assert!(kinds.iter().any(|(kind, flags)| *kind == 1 && flags & 1 == 0), "{kinds:?}");
    assert!(kinds.iter().all(|(kind, _)| *kind != 0), "{kinds:?}");
}

#[tokio::test]
async fn closes_connection_that_does_not_read_its_response() {
    let ended = CancellationToken::new();
    let ends = ended.clone();
    let endless = get(async move || {
        let guard = ends.drop_guard();
        let pieces = stream::repeat_with(move || {
            let _held = &guard;
            Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16_000]))
        });
        Body::from_stream(pieces)
    });
    let times =
        HttpSettings { header_timeout: LIMIT, idle_timeout: LIMIT, ..HttpSettings::default() };
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let router = Router::new().route("/", endless);
    let listening = http::listen(socket, router, None, &times).unwrap();
    let mut connection = TcpStream::connect(listening.address).await.unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let ended = tokio::time::timeout(TIMEOUT, ended.cancelled());
    ended.await.expect("the connection was not closed");
}
