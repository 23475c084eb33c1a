"""Our spans as a request of OTLP, by OpenTelemetry's own SDK. Import it only where the extra ``[otel]`` is checked."""

from datetime import UTC, datetime, timedelta
from functools import cache

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # stubs would be one more package
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from litmus import __version__

from . import spans
from .engine_runs import EngineRun

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CODES = {"ok": StatusCode.OK, "error": StatusCode.ERROR, "unset": StatusCode.UNSET}


def request(run: EngineRun, *, cluster: str) -> bytes:
    """The body of the request for one run."""
    trace = spans.trace_id(run)
    encoded: bytes = encode_spans([_readable(span, trace, cluster) for span in spans.of(run)]).SerializeToString()
    return encoded


def rejected(body: bytes) -> str:
    """Why the collector left spans out though it answered with success; '' if it did not."""
    try:
        partial = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return ""  # it took the request, and answers with something of its own
    return f"it rejected {partial.rejected_spans} spans: {partial.error_message}" if partial.rejected_spans else ""


@cache
def _resource(cluster: str) -> Resource:
    """What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say counts more than what we do."""
    ours = {SERVICE_NAME: "litmus", "service.version": __version__}
    named = ours | ({"k8s.cluster.name": cluster} if cluster else {})
    return Resource(named).merge(OTELResourceDetector().detect())


def _readable(span: spans.Span, trace: int, cluster: str) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        context=_context(trace, span.id),
        parent=_context(trace, span.parent) if span.parent else None,
        resource=_resource(cluster),
        attributes=span.attributes,
        events=[Event(moment.name, moment.attributes, _nanoseconds(moment.at)) for moment in span.moments],
        links=[Link(_context(trace, linked)) for linked in span.links],
        status=Status(_CODES[span.status], span.why or None),
        start_time=_nanoseconds(span.start),
        end_time=_nanoseconds(span.end),
        instrumentation_scope=InstrumentationScope("litmus", __version__),
    )


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _nanoseconds(when: datetime) -> int:
    """In whole numbers: a float has no room for them."""
    return (when - _EPOCH) // _MICROSECOND * 1000
