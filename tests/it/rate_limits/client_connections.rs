//! A real client with both protocol variants: its connection survives a rate-limited call.

use std::collections::HashMap;

use octopus_sample::keys;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, ServiceError,
    model::{CallToolRequestParams, ProtocolVersion},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};

use super::RATE_LIMITED_CODE;
use crate::support::{TestServer, client, wait_until_some};

async fn assert_connection_survives_rejection(lifecycle: ClientLifecycleMode) {
    let server = TestServer::with(|config| {
        config.limits.caller_rate = 60;
        config.limits.caller_burst = 2;
        config.limits.far_over = 1_000_000;
    })
    .await;
    let key = HeaderName::from_static("x-octopus-apikey");
    let headers = HashMap::from([(key, HeaderValue::from_static(keys::ADMIN))]);
    let config = StreamableHttpClientTransportConfig::with_uri(server.url.clone());
    let transport =
        StreamableHttpClientTransport::with_client(client(), config.custom_headers(headers));
    let connected = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    let call = async || connected.call_tool(CallToolRequestParams::new("list_spaces")).await;
    let error = wait_until_some(async || call().await.err()).await;
    let ServiceError::McpError(error) = error else { panic!("not a JSON-RPC error: {error:?}") };
    assert_eq!(i64::from(error.code.0), RATE_LIMITED_CODE);
    assert!(error.message.contains("retry in 1 second"), "{}", error.message);
    assert_eq!(error.data.unwrap()["retryAfter"], 1);
    assert!(!connected.is_transport_closed());
    let answer = wait_until_some(async || call().await.ok()).await;
    assert_eq!(answer.structured_content.unwrap()["totalResults"], 2);
    connected.cancel().await.unwrap();
}

#[tokio::test]
async fn legacy_client_survives_a_rejected_call() {
    assert_connection_survives_rejection(ClientLifecycleMode::Initialize).await;
}

#[tokio::test]
async fn modern_client_survives_a_rejected_call() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
    assert_connection_survives_rejection(lifecycle).await;
}
