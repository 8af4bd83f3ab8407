//! The hostile upstream: the sample instance with large and malformed responses.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode, header::CONTENT_TYPE};
use octopus_sample::Sample;
use serde_json::Value;
use tower::ServiceExt;

use crate::documents::Shape;

/// The changes to the responses of the sample instance.
#[derive(Debug, Clone, Default)]
pub struct UpstreamData {
    /// The shape of JSON documents and their approximate size in bytes.
    pub documents: Option<(Shape, usize)>,
    /// The log of every task.
    pub log: Option<Bytes>,
}

pub struct Upstream {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    sample: Router,
    served: Mutex<UpstreamData>,
    /// Reshaped documents by path and query.
    documents: Mutex<HashMap<String, Bytes>>,
    /// Held while a document is reshaped. Concurrent reshaping would reduce the memory and
    /// processor time of the measured server.
    reshaping: tokio::sync::Mutex<()>,
}

impl Upstream {
    /// Serves from its own threads.
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            sample: Sample::new().router(),
            served: Mutex::default(),
            documents: Mutex::default(),
            reshaping: tokio::sync::Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { url, shared }
    }

    /// Serves this data from now on.
    pub fn serve(&self, served: &UpstreamData) {
        *self.shared.served.lock().unwrap() = served.clone();
        self.shared.documents.lock().unwrap().clear();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let served = shared.served.lock().unwrap().clone();
    let key = request.uri().to_string();
    if let Some(log) = served.log.filter(|_| request.uri().path().ends_with("/raw")) {
        return ([(CONTENT_TYPE, "text/plain")], log).into_response();
    }
    let is_get = request.method() == Method::GET;
    let known = shared.documents.lock().unwrap().get(&key).cloned();
    if let Some(document) = known.filter(|_| is_get) {
        return json(document);
    }
    let response = shared.sample.clone().oneshot(request).await.unwrap();
    let Some((shape, size)) = served.documents else { return response };
    if !is_get || response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let Ok(document) = serde_json::from_slice::<Value>(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    let _reshaping = shared.reshaping.lock().await;
    if let Some(document) = shared.documents.lock().unwrap().get(&key).cloned() {
        return json(document);
    }
    let document = tokio::task::spawn_blocking(move || shape.apply(document, size)).await.unwrap();
    shared.documents.lock().unwrap().insert(key, document.clone());
    json(document)
}

/// Sends every second document in chunks without a length, as Octopus does for most responses.
fn json(document: Bytes) -> Response {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let header = [(CONTENT_TYPE, "application/json")];
    if NUMBER.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
        return (header, document).into_response();
    }
    let pieces = (0..document.len()).step_by(CHUNK_BYTES);
    let pieces = pieces.map(move |start| {
        let end = document.len().min(start + CHUNK_BYTES);
        Ok::<_, Infallible>(document.slice(start..end))
    });
    (header, Body::from_stream(stream::iter(pieces))).into_response()
}

/// Bytes of a chunk.
const CHUNK_BYTES: usize = 32 * 1024;
