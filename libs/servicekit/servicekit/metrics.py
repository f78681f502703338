"""What Prometheus reads at /metrics; names and buckets follow OpenTelemetry for HTTP servers."""

import os
from functools import cache

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    Histogram,
    generate_latest,
)

REQUEST_DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests, by the template of the route.",
    ("http_request_method", "http_route", "http_response_status_code"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
ACTIVE_REQUESTS = Gauge(
    "http_server_active_requests", "HTTP requests being served.", multiprocess_mode="livesum"
)

KNOWN_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def observe(request: web.Request, status: int, seconds: float) -> None:
    """Records one request. Labels are bounded: an unknown method or path does not make a new one."""
    duration(method_of(request), route_of(request), status).observe(seconds)


@cache
def duration(method: str, route: str, status: int) -> Histogram:
    """The histogram of these labels: to look it up by them takes longer than to observe."""
    return REQUEST_DURATION.labels(method, route, status)


def method_of(request: web.Request) -> str:
    """The method, or `_OTHER` for one that clients make up."""
    return request.method if request.method in KNOWN_METHODS else "_OTHER"


def route_of(request: web.Request) -> str:
    """The template of the request's path; empty where no route matches."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


async def expose(request: web.Request) -> web.StreamResponse:
    """All metrics of this process; with several workers, those of all of them together."""
    registry = REGISTRY
    if MULTIPROCESS_DIRECTORY in os.environ:
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
