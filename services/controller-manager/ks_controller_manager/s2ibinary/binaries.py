"""S2iBinaries, where their files lie, and which are left over.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from kubekit.objects import being_deleted, labels
from kubekit.resource import Object, Resource

S2I_BINARIES = Resource("devops.kubesphere.io", "v1alpha1", "s2ibinaries", "S2iBinary", True)
S2I_RUNS = Resource("devops.kubesphere.io", "v1alpha1", "s2iruns", "S2iRun", True)

FINALIZER = "s2ibinary.finalizers.kubesphere.io"
"""On an S2iBinary: its file is deleted before. On an S2iRun of a binary: its binary is."""

BINARY_LABEL = "s2ibinary-name.kubesphere.io"
"""Names the S2iBinary that an S2iRun is of."""

FILE_INDEX = "file"
"""Index of S2iBinaries by `file_of`."""

BINARY_INDEX = "binary"
"""Index of S2iRuns by `binary_key`."""

ABANDONED = timedelta(hours=24)
"""Age of a binary that was never uploaded, and that no run is of, from which on it is left over."""


def file_of(binary: Object) -> str:
    """The key of its file in the store, as v2.1.1 makes it: two binaries may share one."""
    metadata = binary["metadata"]
    return f"{metadata['namespace']}-{metadata['name']}"


def binary_of(run: Object) -> str:
    """The name of the binary that the run is of; empty where it builds from source."""
    return labels(run).get(BINARY_LABEL, "")


def binary_key(run: Object) -> str | None:
    """What finds the runs of one binary."""
    name = binary_of(run)
    return key_in(run["metadata"]["namespace"], name) if name else None


def key_in(namespace: str, binary: str) -> str:
    """The value of `binary_key` for a binary."""
    return f"{namespace}/{binary}"


def others(objects: Iterable[Object], but: Object) -> list[Object]:
    """Those that stay, without the one."""
    uid = but["metadata"]["uid"]
    return [one for one in objects if one["metadata"]["uid"] != uid and not being_deleted(one)]


def abandoned(binary: Object, runs: Collection[Object], now: datetime) -> bool:
    """Whether the binary was never uploaded, and nothing will use it any more."""
    uploaded = (binary.get("status") or {}).get("phase") == "Ready"
    created = datetime.fromisoformat(binary["metadata"]["creationTimestamp"])
    return not uploaded and not runs and not being_deleted(binary) and now - created > ABANDONED


def ended_for(obj: Object) -> timedelta:
    """How long the object has been waiting for its end."""
    return datetime.now(UTC) - datetime.fromisoformat(obj["metadata"]["deletionTimestamp"])
