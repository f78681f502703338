"""Events on objects, as `kubectl describe` shows them: what a controller did, or could not do."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError, NotFound
from kubekit.ratelimit import RateLimiter
from kubekit.resource import EVENTS, Object

log = logging.getLogger(__name__)

REMEMBERED = 1024
"""Events whose repetition is counted on the first one rather than written anew."""

MAX_MESSAGE = 1024
"""Characters of a message; the API refuses longer ones."""

EventKind = Literal["Normal", "Warning"]
_Series = tuple[str, EventKind, str, str]


@dataclass(slots=True)
class _Written:
    name: str
    namespace: str
    count: int


class EventRecorder:
    """Writes events in the name of `component`. It never raises: an event that cannot be written is only
    logged.

    Beyond `rate` a second (`burst` at once) events are dropped, so that a failing loop does not flood the
    cluster.
    """

    def __init__(self, cluster: Cluster, component: str, rate: float = 5, burst: int = 50) -> None:
        self._cluster = cluster
        self._component = component
        self._limiter = RateLimiter(rate, burst)
        self._written: OrderedDict[_Series, _Written] = OrderedDict()

    async def normal(self, obj: Object, reason: str, message: str) -> None:
        """Something went as it should. `reason` is one CamelCase word, `message` is for people."""
        await self._record(obj, "Normal", reason, message)

    async def warning(self, obj: Object, reason: str, message: str) -> None:
        """Something did not go as it should."""
        await self._record(obj, "Warning", reason, message)

    async def _record(self, obj: Object, kind: EventKind, reason: str, message: str) -> None:
        message = message[:MAX_MESSAGE]
        if not self._limiter.take():
            log.debug("event dropped, too many at once: %s %s %s", kind, reason, message)
            return
        series = (obj["metadata"]["uid"], kind, reason, message)
        try:
            written = self._written.get(series)
            if written is None or not await self._repeat(written):
                self._remember(series, await self._write(obj, kind, reason, message))
        except KubernetesError as error:
            log.warning("event %s on %s was not written: %s", reason, obj["metadata"]["name"], error)

    async def _write(self, obj: Object, kind: EventKind, reason: str, message: str) -> _Written:
        metadata = obj["metadata"]
        # Events of cluster-scoped objects live in "default", where kubectl looks for them.
        namespace = metadata.get("namespace") or "default"
        name = f"{metadata['name']}.{time.time_ns():x}"
        at = _timestamp()
        body: Object = {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": obj["apiVersion"],
                "kind": obj["kind"],
                "name": metadata["name"],
                "namespace": metadata.get("namespace"),
                "uid": metadata["uid"],
                "resourceVersion": metadata.get("resourceVersion"),
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        }
        await self._cluster.create(EVENTS, body)
        return _Written(name, namespace, 1)

    async def _repeat(self, written: _Written) -> bool:
        """Counts an event once more. Gives False when the API dropped it (they live for an hour)."""
        body = {"count": written.count + 1, "lastTimestamp": _timestamp()}
        try:
            await self._cluster.patch(EVENTS, written.name, body, written.namespace)
        except NotFound:
            return False
        written.count += 1
        return True

    def _remember(self, series: _Series, written: _Written) -> None:
        self._written[series] = written
        self._written.move_to_end(series)
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)


def _timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
