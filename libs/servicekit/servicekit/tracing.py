"""OpenTelemetry traces, exported over OTLP/HTTP where tracing.endpoint says so.

Only a service that is configured to trace imports this module, and with it the SDK.
"""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from servicekit import context
from servicekit.keys import CONFIG, REQUEST_ID
from servicekit.metrics import method_of, route_of
from servicekit.sections import TracingConfig

_W3C = TraceContextTextMapPropagator()
_FLUSH_TIMEOUT = 5.0
"""Seconds that a stopping service waits for its last spans to get out."""


def make_provider(name: str, version: str, config: TracingConfig) -> TracerProvider:
    """What records the spans of the service `name` and sends them to the configured endpoint."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": name, "service.version": version}),
        sampler=ParentBased(TraceIdRatioBased(config.sample_ratio)),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=config.endpoint.rstrip("/") + "/v1/traces", timeout=_FLUSH_TIMEOUT)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def install(app: web.Application, name: str, version: str) -> Middleware:
    """Has `app` flush its spans when it stops; gives the middleware that makes them."""
    provider = make_provider(name, version, app[CONFIG].tracing)

    async def flush(app: web.Application) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(provider.shutdown)

    app.cleanup_ctx.append(flush)
    return make_middleware(provider.get_tracer("servicekit"))


def make_middleware(tracer: Tracer) -> Middleware:
    """One span a request, continuing the trace of its `traceparent`."""

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        route, method = route_of(request), method_of(request)
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "url.path": request.path,
            "ks.request_id": request[REQUEST_ID],
        }
        parent = _W3C.extract(request.headers)
        with tracer.start_as_current_span(
            f"{method} {route}".rstrip(), parent, SpanKind.SERVER, attributes
        ) as span:
            carrier: dict[str, str] = {}
            _W3C.inject(carrier)
            context.traceparent.set(carrier.get("traceparent", ""))
            response = await handler(request)
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= 500:
                span.set_status(StatusCode.ERROR)
            return response

    return record
