//! Faults: delays, errors and broken responses, as from an unreliable network or server.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// A fault: the requests it applies to, how often it applies, and its effect.
#[derive(Clone, Debug)]
pub struct Fault {
    on: String,
    method: Option<String>,
    times: Option<usize>,
    delay: Duration,
    status: Option<u16>,
    headers: Vec<(String, String)>,
    content: FaultBody,
}

/// Response body of a fault.
#[derive(Clone, Debug)]
enum FaultBody {
    /// No body: the ordinary response follows, unless the fault has a status.
    Ordinary,
    Text(Bytes),
    /// White space of this length in bytes; `None` is endless.
    Filler(Option<usize>),
    /// A partial body, after which the connection breaks.
    CutOff(String),
    /// The request is executed, and its response is lost.
    Lost,
}

impl Fault {
    /// Creates a fault for every path that contains this text, ignoring case.
    #[must_use]
    pub fn on(path_part: &str) -> Self {
        Self {
            on: path_part.to_lowercase(),
            method: None,
            times: None,
            delay: Duration::ZERO,
            status: None,
            headers: Vec::new(),
            content: FaultBody::Ordinary,
        }
    }

    /// Restricts the fault to one HTTP method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_uppercase());
        self
    }

    /// Limits how often the fault applies (default: always).
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times.max(1));
        self
    }

    /// Waits before it responds. A fault with only a delay returns the ordinary response.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Responds with this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds or replaces a response header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends this body. The content type is JSON unless [`Fault::header`] sets another.
    #[must_use]
    pub fn body(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Sends these bytes as body.
    #[must_use]
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.content = FaultBody::Text(Bytes::copy_from_slice(body));
        self
    }

    /// Sends malformed JSON with the content type of JSON.
    #[must_use]
    pub fn malformed_json(self) -> Self {
        self.body("{\"Items\":[{\"Id\":\"Projects-1\",")
    }

    /// Sends an HTML page, like a proxy or a maintenance page.
    #[must_use]
    pub fn html(self) -> Self {
        self.header("Content-Type", "text/html").body("<html><body>Bad gateway</body></html>")
    }

    /// Redirects to this address, with 302 unless [`Fault::status`] sets another status.
    #[must_use]
    pub fn redirect(mut self, location: &str) -> Self {
        self.status = self.status.or(Some(302));
        self.header(LOCATION.as_str(), location)
    }

    /// Sends `bytes` bytes of white space, which JSON allows before a value.
    #[must_use]
    pub fn huge(mut self, bytes: usize) -> Self {
        self.content = FaultBody::Filler(Some(bytes));
        self
    }

    /// Sends endless white space.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.content = FaultBody::Filler(None);
        self
    }

    /// Sends partial JSON and then breaks the connection.
    #[must_use]
    pub fn cut_off(mut self) -> Self {
        self.content =
            FaultBody::CutOff("{\"ItemType\":\"Project\",\"TotalResults\":11,".to_owned());
        self
    }

    /// Executes the request, and breaks the connection instead of responding.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.content = FaultBody::Lost;
        self
    }

    /// Returns whether the fault applies to a request.
    pub(super) fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method.as_str())
            && path.to_lowercase().contains(&self.on)
    }

    /// Counts one use and returns a copy of the fault.
    pub(super) fn use_once(&mut self) -> Self {
        let used = self.clone();
        self.times = self.times.map(|times| times.saturating_sub(1));
        used
    }

    /// Returns whether the fault is used up.
    pub(super) fn is_used_up(&self) -> bool {
        self.times == Some(0)
    }

    /// Waits for the delay of the fault.
    pub(super) async fn wait(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// Returns whether the response is lost after the request is executed.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.content, FaultBody::Lost)
    }

    /// Returns the response of the fault; `None` if the ordinary response follows.
    pub(super) fn response(self) -> Option<Response> {
        let body = match self.content {
            FaultBody::Lost => return None,
            FaultBody::Ordinary => {
                self.status?;
                Body::empty()
            }
            FaultBody::Text(text) => Body::from(text),
            FaultBody::Filler(length) => filler(length),
            FaultBody::CutOff(beginning) => cut_off(beginning),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            self.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).ok();
            if let Some((name, value)) = name.zip(HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        Some(response)
    }
}

/// Returns the body of a lost response: it breaks the connection.
pub(super) fn nothing() -> Body {
    cut_off(String::new())
}

fn filler(length: Option<usize>) -> Body {
    static CHUNK: Bytes = Bytes::from_static(&[b' '; 16 * 1024]);
    let chunks = stream::unfold(length, |left| async move {
        let size = left.unwrap_or(CHUNK.len()).min(CHUNK.len());
        let left = left.map(|left| left - size);
        (size > 0).then(|| (Ok::<_, io::Error>(CHUNK.slice(..size)), left))
    });
    Body::from_stream(chunks)
}

fn cut_off(beginning: String) -> Body {
    let parts = stream::unfold(Some(beginning), |rest| async move {
        if let Some(beginning) = rest.filter(|text| !text.is_empty()) {
            return Some((Ok(Bytes::from(beginning)), Some(String::new())));
        }
        // The partial body has to be sent before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut off on demand");
        Some((Err(broken), None))
    });
    Body::from_stream(parts)
}
