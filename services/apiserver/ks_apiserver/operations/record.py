"""How far a drain has come, as an annotation of its node: it outlives the page and the process.

Whoever may read nodes can read it, so it counts pods and names none.
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson

from kubekit.objects import annotations
from kubekit.resource import Object

ANNOTATION = "operations.kubesphere.io/drainage"
STALE_AFTER = timedelta(seconds=60)
"""A drain that has not said anything for so long has lost its process."""

State = Literal["running", "succeeded", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class Record:
    """`total` pods were to go, `left` are still there. Times are RFC 3339; `updated` is when it was last
    written.
    """

    state: State
    user: str
    started: str
    updated: str
    total: int = 0
    left: int = 0
    message: str = ""

    @property
    def is_running(self) -> bool:
        """Whether some process works on it."""
        return self.state == "running"


def now() -> str:
    """This moment, as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def begun(user: str) -> Record:
    """The record of a drain that begins."""
    moment = now()
    return Record("running", user, moment, moment)


def of(node: Object) -> Record | None:
    """The record of the node's last drain, None where there is none that makes sense."""
    text = annotations(node).get(ANNOTATION)
    if text is None:
        return None
    try:
        record = Record(**orjson.loads(text))
        silent = datetime.now(UTC) - datetime.fromisoformat(record.updated)
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return None
    if record.is_running and silent > STALE_AFTER:
        return replace(record, state="interrupted", message="the service that drained ended; drain again")
    return record


def patch(record: Record, spec: dict[str, Any] | None = None) -> Object:
    """The merge patch that writes `record`, and `spec` with it, on its node."""
    change: Object = {"metadata": {"annotations": {ANNOTATION: orjson.dumps(asdict(record)).decode()}}}
    return change if spec is None else {**change, "spec": spec}
