"""Two programs that each set right what the other writes must not go on for ever.

Who writes one object again and again is met by somebody else who does: a controller manager of another
version, a tool that applies manifests. Past a limit the object stays as it is for a while, and its
reconciliation fails with the reason, for people to see.
"""

from collections import deque
from time import monotonic

import orjson

from kubekit.errors import KubernetesError
from kubekit.resource import Object, Resource
from kubekit.store import Key

REWRITES = 10
"""Rewrites of one object to the very same that are taken for setting right what people change..."""

WINDOW = 600.0
"""...within so many seconds."""

REMEMBERED = 10_000
"""Objects whose rewrites are counted; what was rewritten longest ago is forgotten first."""


class Contested(KubernetesError):
    """Somebody else writes the same object over and over. It is left to them for a while."""


class Contest:
    """Counts how often each object is set right to the same."""

    def __init__(self) -> None:
        self._rewritten: dict[tuple[Resource, Key], tuple[int, deque[float]]] = {}

    def enter(self, resource: Resource, key: Key, wanted: Object) -> None:
        """To be called before each rewrite of what `key` names, with what is written or the patch that does.

        Raises Contested when there were too many of late.
        """
        now, content = monotonic(), _content(wanted)
        known, times = self._rewritten.pop((resource, key), (content, _none()))
        if known != content:
            times = _none()
        self._rewritten[resource, key] = content, times  # the latest at the end
        if len(times) == REWRITES and now - times[0] < WINDOW:
            raise Contested(
                f"{resource.kind} {key} was set right {REWRITES} times within {WINDOW:.0f} s, and is other "
                "again: something else writes it as well, and is to be stopped; see its managedFields",
                reason="Contested",
            )
        times.append(now)
        if len(self._rewritten) > REMEMBERED:
            del self._rewritten[next(iter(self._rewritten))]


def _none() -> deque[float]:
    return deque(maxlen=REWRITES)


def _content(wanted: Object) -> int:
    """What tells one rewrite from another: not the version it is bound to, nor when a condition turned."""
    metadata: Object = wanted.get("metadata") or {}
    kept = {name: value for name, value in metadata.items() if name != "resourceVersion"}
    told: Object = {**wanted, "metadata": kept}
    status: Object = wanted.get("status") or {}
    if status.get("conditions"):
        told["status"] = {**status, "conditions": _timeless(status["conditions"])}
    return hash(orjson.dumps(told))


def _timeless(conditions: list[Object]) -> list[Object]:
    return [
        {name: value for name, value in one.items() if name != "lastTransitionTime"} for one in conditions
    ]
