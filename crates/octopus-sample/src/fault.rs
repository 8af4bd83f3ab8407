//! One fault: what a network or an ailing server does to a client.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// One fault: where it strikes, how often, and what it does there.
#[derive(Clone, Debug)]
pub struct Fault {
    on: String,
    method: Option<String>,
    times: Option<usize>,
    delay: Duration,
    status: Option<u16>,
    headers: Vec<(String, String)>,
    content: Content,
}

/// The body a fault sends.
#[derive(Clone, Debug)]
enum Content {
    /// None of its own: the ordinary answer follows, unless there is a status.
    Ordinary,
    Text(Bytes),
    /// As many bytes as this; `None` for no end.
    Filler(Option<usize>),
    /// A beginning, after which the connection breaks.
    CutOff(String),
    /// The ordinary answer is made, and never arrives.
    Lost,
}

impl Fault {
    /// A fault for every path with this text in it, without regard to case.
    #[must_use]
    pub fn on(path_part: &str) -> Self {
        Self {
            on: path_part.to_lowercase(),
            method: None,
            times: None,
            delay: Duration::ZERO,
            status: None,
            headers: Vec::new(),
            content: Content::Ordinary,
        }
    }

    /// Strikes only this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_uppercase());
        self
    }

    /// Strikes this often and then no more; without it, for ever.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times.max(1));
        self
    }

    /// Waits before it answers. A fault with nothing but a delay gives the ordinary answer.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Answers with this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds a header, or replaces the one it would send.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends this body. The content type is JSON unless [`Fault::header`] says otherwise.
    #[must_use]
    pub fn body(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Sends this body, which need not be text.
    #[must_use]
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.content = Content::Text(Bytes::copy_from_slice(body));
        self
    }

    /// Sends a body that says it is JSON and is not.
    #[must_use]
    pub fn malformed_json(self) -> Self {
        self.body("{\"Items\":[{\"Id\":\"Projects-1\",")
    }

    /// Sends a page of HTML, as a proxy or a maintenance page does.
    #[must_use]
    pub fn html(self) -> Self {
        self.header("Content-Type", "text/html").body("<html><body>Bad gateway</body></html>")
    }

    /// Redirects to this address with 302, unless [`Fault::status`] says otherwise.
    #[must_use]
    pub fn redirect(mut self, location: &str) -> Self {
        self.status = self.status.or(Some(302));
        self.header(LOCATION.as_str(), location)
    }

    /// Sends this many bytes of white space, which JSON allows before a value.
    #[must_use]
    pub fn huge(mut self, bytes: usize) -> Self {
        self.content = Content::Filler(Some(bytes));
        self
    }

    /// Sends white space without end.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.content = Content::Filler(None);
        self
    }

    /// Sends a beginning of JSON and then breaks the connection.
    #[must_use]
    pub fn cut_off(mut self) -> Self {
        self.content = Content::CutOff("{\"ItemType\":\"Project\",\"TotalResults\":11,".to_owned());
        self
    }

    /// Does what was asked, and breaks the connection instead of answering.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.content = Content::Lost;
        self
    }

    /// Whether the fault strikes this request.
    pub(super) fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method.as_str())
            && path.to_lowercase().contains(&self.on)
    }

    /// Counts one strike and gives the fault as it was.
    pub(super) fn strike(&mut self) -> Self {
        let struck = self.clone();
        self.times = self.times.map(|times| times.saturating_sub(1));
        struck
    }

    /// Whether the fault has struck as often as it should.
    pub(super) fn is_spent(&self) -> bool {
        self.times == Some(0)
    }

    /// Waits as long as the fault demands.
    pub(super) async fn wait(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// Whether the ordinary answer is made and never arrives.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.content, Content::Lost)
    }

    /// The response of the fault; `None` where the ordinary answer follows.
    pub(super) fn response(self) -> Option<Response> {
        let body = match self.content {
            Content::Lost => return None,
            Content::Ordinary => {
                self.status?;
                Body::empty()
            }
            Content::Text(text) => Body::from(text),
            Content::Filler(length) => filler(length),
            Content::CutOff(beginning) => cut_off(beginning),
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

/// What arrives of an answer that is lost.
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
        // The beginning has to be on its way before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut off on demand");
        Some((Err(broken), None))
    });
    Body::from_stream(parts)
}
