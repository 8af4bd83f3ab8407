//! Traces: a span for each request, call and upstream request, within the trace of the client (W3C
//! Trace Context).
//!
//! Every request has a trace ID, even if no traces are exported. The ID is part of logs and audit
//! records and is forwarded to Octopus.

use std::collections::HashMap;

use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{Sampler as Samplers, SdkTracer, SdkTracerProvider},
};
use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::{
    collector::{resource, span_exporter},
    error::TelemetryError,
    masking,
};
use crate::config::{CollectorSettings, Sampler};

/// Creates the tracer provider with the sampler and exporter of the settings.
pub(super) fn provider(settings: &CollectorSettings) -> Result<SdkTracerProvider, TelemetryError> {
    let builder = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_sampler(sampler(settings.sampler, settings.sampler_arg));
    Ok(match span_exporter(settings)? {
        Some(exporter) => {
            builder.with_batch_exporter(masking::MaskingSpanExporter(exporter)).build()
        }
        None => builder.build(),
    })
}

fn sampler(sampler: Sampler, ratio: f64) -> Samplers {
    match sampler {
        Sampler::AlwaysOn => Samplers::AlwaysOn,
        Sampler::AlwaysOff => Samplers::AlwaysOff,
        Sampler::TraceIdRatio => Samplers::TraceIdRatioBased(ratio),
        Sampler::ParentBasedAlwaysOn => Samplers::ParentBased(Box::new(Samplers::AlwaysOn)),
        Sampler::ParentBasedAlwaysOff => Samplers::ParentBased(Box::new(Samplers::AlwaysOff)),
        Sampler::ParentBasedTraceIdRatio => {
            Samplers::ParentBased(Box::new(Samplers::TraceIdRatioBased(ratio)))
        }
    }
}

/// Returns the layer that exports the spans of this crate. Spans of dependencies are left out,
/// because they do not help to read a trace of this server.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer: OpenTelemetryLayer<S, SdkTracer> =
        tracing_opentelemetry::layer().with_tracer(provider.tracer("octopus-mcp"));
    layer
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target("octopus_mcp", LevelFilter::INFO))
}

/// Makes a span the child of the trace context in the headers of its request.
pub fn continue_trace(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if parent.span().span_context().is_valid() {
        let _ = span.set_parent(parent);
    }
}

/// Span of an HTTP request, as parent for spans of the same request. Spans of dependencies can be
/// between them.
#[derive(Debug, Clone)]
pub struct RequestSpan(Context);

impl RequestSpan {
    /// Captures the context of this span.
    pub fn new(span: &Span) -> Self {
        Self(span.context())
    }
}

/// Makes a span the child of the span of its HTTP request.
pub fn set_request_parent(span: &Span, request_span: &RequestSpan) {
    let _ = span.set_parent(request_span.0.clone());
}

/// Makes a span the child of the trace context in an MCP message, and links the span of its HTTP
/// request (OpenTelemetry, semantic conventions for MCP, "Context propagation").
pub fn continue_message_trace(
    span: &Span,
    request_span: Option<&RequestSpan>,
    parent: &str,
    state: Option<&str>,
) {
    let mut carrier = HashMap::from([("traceparent".to_owned(), parent.to_owned())]);
    carrier.extend(state.map(|state| ("tracestate".to_owned(), state.to_owned())));
    let parent = TraceContextPropagator::new().extract(&carrier);
    if parent.span().span_context().is_valid() {
        let request_span =
            request_span.map(|request_span| request_span.0.span().span_context().clone());
        if let Some(request_span) = request_span.filter(opentelemetry::trace::SpanContext::is_valid)
        {
            span.add_link(request_span);
        }
        let _ = span.set_parent(parent);
    }
}

/// Sets an attribute that appears only in the trace, not in log lines.
pub fn set_attribute(span: &Span, name: &'static str, value: impl Into<String>) {
    span.set_attribute(name, value.into());
}

/// Returns the trace ID of a span.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != opentelemetry::TraceId::INVALID).then(|| id.to_string())
}

/// Injects the trace context of the current span into the headers of an outgoing request.
pub(super) fn inject_trace_context(headers: &mut HeaderMap) {
    let context: Context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
}
