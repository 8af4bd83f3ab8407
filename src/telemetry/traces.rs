//! Traces: a span for each request, call and question to Octopus, within the trace of whoever asked
//! (W3C Trace Context).
//!
//! Every request has a trace, also where none is sent anywhere: its ID stands in logs and records,
//! and goes on to Octopus.

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
    collector::{resource, traces},
    masked,
};
use crate::config::{Collector, Sampler};

/// What makes spans, and where they go.
pub(super) fn provider(settings: &Collector) -> Result<SdkTracerProvider, String> {
    let builder = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_sampler(sampler(settings.sampler, settings.sampler_arg));
    Ok(match traces(settings)? {
        Some(exporter) => builder.with_batch_exporter(masked::Spans(exporter)).build(),
        None => builder.build(),
    })
}

fn sampler(sampler: Sampler, share: f64) -> Samplers {
    match sampler {
        Sampler::AlwaysOn => Samplers::AlwaysOn,
        Sampler::AlwaysOff => Samplers::AlwaysOff,
        Sampler::Ratio => Samplers::TraceIdRatioBased(share),
        Sampler::ParentOrOn => Samplers::ParentBased(Box::new(Samplers::AlwaysOn)),
        Sampler::ParentOrOff => Samplers::ParentBased(Box::new(Samplers::AlwaysOff)),
        Sampler::ParentOrRatio => {
            Samplers::ParentBased(Box::new(Samplers::TraceIdRatioBased(share)))
        }
    }
}

/// Makes spans of ours those of a trace. Spans of crates say nothing to whoever reads a trace of
/// this server.
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

/// Makes a span a part of the trace that the headers of its request name.
pub fn continued(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if parent.span().span_context().is_valid() {
        let _ = span.set_parent(parent);
    }
}

/// The span of an HTTP request, for what is done for it: whatever spans of crates stand between.
#[derive(Debug, Clone)]
pub struct Around(Context);

impl Around {
    /// This span.
    pub fn of(span: &Span) -> Self {
        Self(span.context())
    }
}

/// Makes a span the child of the one of its HTTP request.
pub fn within(span: &Span, around: &Around) {
    let _ = span.set_parent(around.0.clone());
}

/// Makes a span a part of the trace that a message names itself, and links the one of its transport
/// (OpenTelemetry, semantic conventions for MCP, "Context propagation").
pub fn continued_by(span: &Span, around: Option<&Around>, parent: &str, state: Option<&str>) {
    let mut carried = HashMap::from([("traceparent".to_owned(), parent.to_owned())]);
    carried.extend(state.map(|state| ("tracestate".to_owned(), state.to_owned())));
    let parent = TraceContextPropagator::new().extract(&carried);
    if parent.span().span_context().is_valid() {
        let around = around.map(|around| around.0.span().span_context().clone());
        if let Some(around) = around.filter(opentelemetry::trace::SpanContext::is_valid) {
            span.add_link(around);
        }
        let _ = span.set_parent(parent);
    }
}

/// Notes of a span what stands in the trace alone, and in no line of the log.
pub fn note(span: &Span, name: &'static str, value: impl Into<String>) {
    span.set_attribute(name, value.into());
}

/// The ID of the trace that a span belongs to.
pub fn trace_of(span: &Span) -> Option<String> {
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != opentelemetry::TraceId::INVALID).then(|| id.to_string())
}

/// Puts the trace of the current span into the headers of a request to somebody else.
pub(super) fn carry(headers: &mut HeaderMap) {
    let context: Context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
}
