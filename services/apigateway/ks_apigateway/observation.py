"""What the gateway tells of its requests: metrics for Prometheus, and the access log.

Counting happens in plain numbers on the hot path; Prometheus' own objects are made when somebody reads
/metrics.
"""

from bisect import bisect_left
from collections.abc import Iterator
from time import monotonic

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ks_apigateway.access_log import CLIENT_CLOSED, AccessLog
from ks_apigateway.audit.trail import Trail
from ks_apigateway.authn.sessions import Sessions
from ks_apigateway.decisions import Decisions
from ks_apigateway.proxy.exchange import Exchange
from ks_apigateway.proxy.server import Server
from ks_apigateway.ratelimit.limiter import Limiter
from ks_apigateway.upstreams import Upstreams
from servicekit.metrics import REQUEST_DURATION

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; those of OpenTelemetry for HTTP servers."""


class Observation:
    """Is told of every request that ended."""

    def __init__(self, log: AccessLog, trail: Trail | None = None) -> None:
        self._log = log
        self._trail = trail
        self._durations: dict[tuple[str, str, int], list[float]] = {}
        self._bytes_out = 0
        self._decisions = Decisions()

    def request_ended(self, exchange: Exchange, *, aborted: bool) -> None:
        """Counts and logs one request."""
        status = CLIENT_CLOSED if aborted and not exchange.status else exchange.status
        request = exchange.request
        key = ("", "", status) if request is None else (request.method_name, request.route, status)
        counts = self._durations.get(key)
        if counts is None:
            counts = self._durations[key] = [0.0] * (len(BUCKETS) + 2)
        seconds = monotonic() - exchange.started
        counts[bisect_left(BUCKETS, seconds)] += 1
        counts[-1] += seconds
        self._bytes_out += exchange.bytes_out
        if request is not None:
            self._decisions.count(request, status, here=exchange.forward is None)
        self._log.add(exchange, status, seconds, aborted=aborted)
        if self._trail is not None and request is not None:
            self._trail.ended(request, status)

    def durations(self) -> Metric:
        """How long requests took, by method, route and status."""
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, by the prefix of the route.",
            labels=("http_request_method", "http_route", "http_response_status_code"),
        )
        for (method, route, status), counts in self._durations.items():
            total = 0.0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*BUCKETS, float("inf")), counts[:-1], strict=True):
                total += count
                buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
            family.add_metric((method, route, str(status)), buckets, counts[-1])
        for own in REQUEST_DURATION.collect():  # of the gateway's own API and operations
            family.samples += [each for each in own.samples if not each.name.endswith("_created")]
        return family

    def counters(self) -> Iterator[Metric]:
        """Bytes of answers, lines of the access log that were dropped, and who was let in."""
        yield from self._decisions.metrics()
        yield CounterMetricFamily("gateway_answer_bytes", "Bytes of answers.", self._bytes_out)
        yield CounterMetricFamily(
            "gateway_access_log_dropped", "Lines of the access log that nobody took.", self._log.dropped
        )
        if self._trail is not None:
            yield from self._trail.metrics()


class GatewayCollector(Collector):
    """What Prometheus reads."""

    def __init__(
        self,
        observation: Observation,
        server: Server,
        upstreams: Upstreams,
        sessions: Sessions,
        limiter: Limiter,
    ) -> None:
        self._observation = observation
        self._server = server
        self._upstreams = upstreams
        self._sessions = sessions
        self._limiter = limiter

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        yield self._observation.durations()
        yield from self._observation.counters()
        yield from self._limiter.metrics()
        yield GaugeMetricFamily(
            "gateway_client_connections", "Connections of clients.", len(self._server.connections)
        )
        yield GaugeMetricFamily("gateway_tunnels", "Upgraded connections.", len(self._server.tunnels))
        yield GaugeMetricFamily(
            "gateway_sessions_tracked", "1 while Redis tells of sessions that end.", self._sessions.is_told
        )
        pools = GaugeMetricFamily(
            "gateway_upstream_connections", "Connections to upstreams.", labels=("upstream", "state")
        )
        for pool in self._upstreams:
            pools.add_metric((pool.name, "idle"), pool.idle)
            pools.add_metric((pool.name, "used"), pool.open - pool.idle)
            pools.add_metric((pool.name, "awaited"), pool.waiting)
        yield pools
