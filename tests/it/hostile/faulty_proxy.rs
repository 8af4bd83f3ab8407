//! A proxy in front of the sample instance that forwards requests or sends a hostile response,
//! which no HTTP library would produce.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use octopus_mcp::http::Listening;
use octopus_sample::Sample;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::responses::HostileResponse;
use crate::support::{client, serve};

/// A proxy that forwards requests, except those with a configured hostile response.
pub struct FaultyProxy {
    pub address: SocketAddr,
    state: Arc<ProxyState>,
    _sample: Listening,
}

struct ProxyState {
    sample: String,
    http: reqwest::Client,
    /// The method, the end of the path, and the response.
    hostile: Mutex<Option<(&'static str, &'static str, HostileResponse)>>,
}

struct ProxiedRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl FaultyProxy {
    pub async fn start(sample: &Sample) -> Self {
        let listening = serve(sample.router());
        let state = Arc::new(ProxyState {
            sample: format!("http://{}", listening.address),
            http: client(),
            hostile: Mutex::default(),
        });
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let shared_state = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(serve_connection(Arc::clone(&shared_state), stream));
            }
        });
        Self { address, state, _sample: listening }
    }

    pub fn respond_with(&self, method: &'static str, path: &'static str, act: HostileResponse) {
        *self.state.hostile.lock().unwrap() = Some((method, path, act));
    }

    pub fn forward_all(&self) {
        *self.state.hostile.lock().unwrap() = None;
    }
}

async fn serve_connection(state: Arc<ProxyState>, mut stream: TcpStream) {
    while let Some(request) = read_request(&mut stream).await {
        let act = state.hostile.lock().unwrap().filter(|(method, path, _)| {
            request.method == *method && request.path.split('?').next().unwrap().ends_with(path)
        });
        if let Some((_, _, act)) = act {
            // The response ends when the client disconnects.
            return drop(act.send(stream).await);
        }
        let response_bytes = forward(&state, request).await;
        if stream.write_all(&response_bytes).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<ProxiedRequest> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut fields = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (fields.next()?, fields.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&buffer[..read]);
    }
    Some(ProxiedRequest { method, path, headers, body })
}

async fn forward(state: &ProxyState, proxied: ProxiedRequest) -> Vec<u8> {
    let method = proxied.method.parse().unwrap();
    let mut request = state.http.request(method, format!("{}{}", state.sample, proxied.path));
    for (name, value) in &proxied.headers {
        if matches!(name.as_str(), "x-octopus-apikey" | "content-type" | "user-agent") {
            request = request.header(name, value);
        }
    }
    let response = request.body(proxied.body).send().await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let body = response.bytes().await.unwrap();
    let mut response_bytes = format!(
        "HTTP/1.1 {status} Forwarded\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response_bytes.extend_from_slice(&body);
    response_bytes
}

/// Pause between the pieces of a slow response.
pub const SLOW_INTERVAL: Duration = Duration::from_millis(50);
