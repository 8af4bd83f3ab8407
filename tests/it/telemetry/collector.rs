//! An OpenTelemetry collector over TLS, for OTLP over HTTP and gRPC. It stores all received data.

use std::{
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use octopus_mcp::{
    config::HttpSettings,
    http::{self, Listening},
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value::Value as Any},
    logs::v1::LogRecord,
    metrics::v1::Metric,
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message;
use tonic::{Request, Response, Status, service::Routes};

use crate::support::SelfSigned;

/// The received data.
#[derive(Debug, Default)]
pub struct Received {
    pub spans: Vec<Span>,
    pub metrics: Vec<Metric>,
    pub logs: Vec<LogRecord>,
    pub resources: Vec<Resource>,
    /// The `x-token` header of each export request.
    pub tokens: Vec<Option<String>>,
}

type SharedReceived = Arc<Mutex<Received>>;

/// The collector and its certificate.
pub struct Collector {
    pub endpoint: String,
    pub certificate: PathBuf,
    received: SharedReceived,
    _tls: SelfSigned,
    _listening: Listening,
}

impl Collector {
    pub async fn start() -> Self {
        let tls = SelfSigned::new();
        let certificates = tls.load().await;
        let shared = SharedReceived::default();
        let over_http = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .route("/v1/logs", post(logs))
            .with_state(Arc::clone(&shared));
        let over_grpc = Routes::new(TraceServiceServer::new(GrpcService(Arc::clone(&shared))))
            .add_service(MetricsServiceServer::new(GrpcService(Arc::clone(&shared))))
            .add_service(LogsServiceServer::new(GrpcService(Arc::clone(&shared))))
            .into_axum_router();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let router = over_http.merge(over_grpc);
        let listening =
            http::listen(socket, router, certificates.as_ref(), &HttpSettings::default()).unwrap();
        let endpoint = format!("https://localhost:{}", listening.address.port());
        Self {
            endpoint,
            certificate: tls.certificate.clone(),
            received: shared,
            _tls: tls,
            _listening: listening,
        }
    }

    pub fn received(&self) -> Received {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

/// Returns the text of an attribute.
pub fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|one| one.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text.clone()),
        Any::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

impl Received {
    fn token(&mut self, headers: &HeaderMap) {
        let token = headers.get("x-token").map(|value| value.to_str().unwrap().to_owned());
        self.tokens.push(token);
    }

    fn traces(&mut self, request: ExportTraceServiceRequest) {
        for one in request.resource_spans {
            self.resources.extend(one.resource);
            self.spans.extend(one.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }

    fn metrics(&mut self, request: ExportMetricsServiceRequest) {
        for one in request.resource_metrics {
            self.resources.extend(one.resource);
            self.metrics.extend(one.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
        }
    }

    fn logs(&mut self, request: ExportLogsServiceRequest) {
        for one in request.resource_logs {
            self.resources.extend(one.resource);
            self.logs.extend(one.scope_logs.into_iter().flat_map(|scope| scope.log_records));
        }
    }
}

async fn traces(State(data): State<SharedReceived>, headers: HeaderMap, body: Bytes) {
    let mut data = data.lock().unwrap();
    data.token(&headers);
    data.traces(ExportTraceServiceRequest::decode(body).unwrap());
}

async fn metrics(State(data): State<SharedReceived>, headers: HeaderMap, body: Bytes) {
    let mut data = data.lock().unwrap();
    data.token(&headers);
    data.metrics(ExportMetricsServiceRequest::decode(body).unwrap());
}

async fn logs(State(data): State<SharedReceived>, headers: HeaderMap, body: Bytes) {
    let mut data = data.lock().unwrap();
    data.token(&headers);
    data.logs(ExportLogsServiceRequest::decode(body).unwrap());
}

/// The gRPC services.
struct GrpcService(SharedReceived);

#[tonic::async_trait]
impl TraceService for GrpcService {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut data = self.0.lock().unwrap();
        data.token(request.metadata().as_ref());
        data.traces(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for GrpcService {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut data = self.0.lock().unwrap();
        data.token(request.metadata().as_ref());
        data.metrics(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for GrpcService {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut data = self.0.lock().unwrap();
        data.token(request.metadata().as_ref());
        data.logs(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
