"""Which requests are audited, and the way of their events to the sinks. No request waits for it."""

from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, Metric

from ks_apigateway.audit import event
from ks_apigateway.audit.file import FileSink
from ks_apigateway.audit.lane import Lane, Sink
from ks_apigateway.audit.redaction import holds_secrets
from ks_apigateway.audit.settings import AuditSection, Level
from ks_apigateway.audit.stdout import StdoutSink
from ks_apigateway.audit.webhook import WebhookSink
from ks_apigateway.proxy.request import Request
from ks_apigateway.proxy.tap import Tap, is_plain_json
from kubekit.rbac import RequestInfo

_WITH_BODIES = frozenset((Level.REQUEST, Level.REQUEST_RESPONSE))


class Note(NamedTuple):
    """How a request is audited."""

    level: Level
    info: RequestInfo


class Trail:
    """Makes events of requests whose `audit` says so, and gives them to every sink."""

    def __init__(self, settings: AuditSection) -> None:
        """Raises OSError when a sink cannot be used as it is configured."""
        self._settings = settings
        self.lanes = [Lane(sink, settings.queue) for sink in _sinks(settings)]

    def begin(self, request: Request, level: Level | None, *, is_public: bool) -> None:
        """Notes on `request` how it is audited; `level` is its route's, None for the general one.

        A request whose answer lasts is told of at once, besides the event at its end.
        """
        level = level or self._settings.level
        if level is Level.NONE:
            return
        info = event.meaning_of(request)
        if info.verb in self._settings.omit_verbs:
            return
        if level in _WITH_BODIES and (is_public or holds_secrets(info)):
            level = Level.METADATA
        request.audit = Note(level, info)
        if level in _WITH_BODIES:
            request.tap = Tap(
                self._settings.max_body,
                request=is_plain_json(request.head.fields),
                answer=level is Level.REQUEST_RESPONSE,
            )

    def started(self, request: Request) -> None:
        """An admitted request goes on its way."""
        if request.audit is not None and (request.long_running or request.upgrade):
            self._put(request, event.RECEIVED, 0)

    def ended(self, request: Request, status: int) -> None:
        """A request has ended with `status`."""
        if request.audit is not None:
            self._put(request, event.COMPLETE, status)

    def start(self) -> None:
        """Begins to write."""
        for lane in self.lanes:
            lane.start()

    async def stop(self) -> None:
        """Writes what waits, and ends."""
        for lane in self.lanes:
            await lane.stop()

    def metrics(self) -> Iterator[Metric]:
        """Events by sink and what became of them."""
        family = CounterMetricFamily(
            "gateway_audit_events",
            "Audit events: written, dropped because too many waited, or lost because the sink took none.",
            labels=("sink", "outcome"),
        )
        for lane in self.lanes:
            for outcome in ("written", "dropped", "lost"):
                family.add_metric((lane.sink.name, outcome), getattr(lane, outcome))
        yield family

    def _put(self, request: Request, stage: str, status: int) -> None:
        assert isinstance(request.audit, Note)
        line = event.encode(request, request.audit.info, request.audit.level, stage, status)
        for lane in self.lanes:
            lane.put(line)


def _sinks(settings: AuditSection) -> Iterator[Sink]:
    if settings.stdout:
        yield StdoutSink()
    if settings.file is not None:
        yield FileSink(settings.file)
    if settings.webhook is not None:
        yield WebhookSink(settings.webhook)
