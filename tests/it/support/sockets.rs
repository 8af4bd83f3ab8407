//! Both ends of a connection: listening routers, and an HTTP client.

use std::time::Duration;

use octopus_mcp::{
    config::HttpSettings,
    http::{self, Certificates, Listening},
};

/// Serves a router on a free port that the kernel chooses.
pub fn serve(router: axum::Router) -> Listening {
    serve_with(router, None)
}

/// Like [`serve`], over TLS if there are certificates.
pub fn serve_with(router: axum::Router, certificates: Option<&Certificates>) -> Listening {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    http::listen(socket, router, certificates, &HttpSettings::default()).unwrap()
}

/// Returns an HTTP client that ignores proxies of the environment.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1));
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
