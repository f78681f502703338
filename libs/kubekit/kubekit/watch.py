"""Watch events of the API:
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from kubekit.errors import KubernetesError, error_of
from kubekit.resource import Object

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change of a watched object. A BOOKMARK carries nothing but a resource version."""

    type: EventType
    object: Object

    @property
    def resource_version(self) -> str:
        """Where to resume after this event."""
        return str(self.object["metadata"]["resourceVersion"])


def parse_event(line: bytes) -> WatchEvent:
    """Decodes a line of a watch. Raises what an ERROR event reports, such as Gone."""
    try:
        decoded = orjson.loads(line)
        kind, body = cast("str", decoded["type"]), cast("dict[str, Any]", decoded["object"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise KubernetesError(f"a watch sent what is no event: {line[:200]!r}") from error
    if kind == "ERROR":
        raise error_of(int(body.get("code") or 500), body)
    return WatchEvent(cast("EventType", kind), body)
