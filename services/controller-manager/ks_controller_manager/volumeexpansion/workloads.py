"""Stopping and starting the workload of a claim, with what is needed to start it written on it.  Pure.

One patch stops a workload and records on it how it ran, one starts it and takes the record away, so
whatever happens in between, the record says what is left to do.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kubekit.objects import annotations, controller_of
from kubekit.resource import Object

RECORD_ANNOTATION = "kubesphere.io/stopped-for-expansion"
"""On a workload that is stopped for a claim: a JSON object of `claim`, `replicas`, `since`."""

STOPPED_INDEX = "stopped-for"
"""Index of workloads by `claims_waited_for`."""

MAX_ORDINALS = 1000
"""Replicas of a StatefulSet whose claims are looked at; the record may have been edited to say anything."""


class Record(NamedTuple):
    """For which claim a workload was stopped, how many replicas it had, and when (seconds since 1970)."""

    claim: str
    replicas: int
    since: float


def record_of(workload: Object) -> Record | None:
    """None where the workload was not stopped for a claim, or where what is written cannot be read."""
    text = annotations(workload).get(RECORD_ANNOTATION)
    if not text:
        return None
    try:
        found = json.loads(text)
        since = datetime.fromisoformat(found["since"]).timestamp()
        return Record(str(found["claim"]), max(0, int(found["replicas"])), since)
    except (ValueError, TypeError, KeyError):
        return None


def stopped(workload: Object, claim: str, now: float) -> dict[str, Any]:
    """The merge patch that stops the workload for the claim."""
    since = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    written = {"claim": claim, "replicas": replicas(workload), "since": since}
    return _patch(workload, json.dumps(written, separators=(",", ":")), 0)


def started(workload: Object, record: Record) -> dict[str, Any]:
    """The merge patch that starts it as it was; one that somebody else has started stays as it is then."""
    return _patch(workload, None, record.replicas if replicas(workload) == 0 else None)


def replicas(workload: Object) -> int:
    """How many replicas it is to have."""
    asked = (workload.get("spec") or {}).get("replicas")
    return asked if isinstance(asked, int) else 1


def claims_waited_for(workload: Object) -> list[str]:
    """What finds the stopped workloads that mount a claim once they run; nothing finds those that run."""
    record = record_of(workload)
    if record is None:
        return []
    namespace = workload["metadata"]["namespace"]
    return [claim_key(namespace, name) for name in claims_of(workload, record)]


def claim_key(namespace: str | None, claim: str) -> str:
    """The value of `claims_waited_for` for a claim."""
    return f"{namespace}/{claim}"


def claims_of(workload: Object, record: Record) -> list[str]:
    """The claims that the workload mounts with as many replicas as it had, and the one it was stopped for."""
    spec: dict[str, Any] = workload.get("spec") or {}
    names = [record.claim, *mounted({"spec": (spec.get("template") or {}).get("spec") or {}})]
    first, count = (spec.get("ordinals") or {}).get("start") or 0, min(record.replicas, MAX_ORDINALS)
    for template in spec.get("volumeClaimTemplates") or []:
        prefix = f"{template['metadata']['name']}-{workload['metadata']['name']}"
        names += [f"{prefix}-{ordinal}" for ordinal in range(first, first + count)]
    return list(dict.fromkeys(names))


def mounted(pod: Object) -> list[str]:
    """The claims that a pod mounts."""
    volumes: list[dict[str, Any]] = (pod.get("spec") or {}).get("volumes") or []
    claims = [(volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in volumes]
    return [name for name in claims if name]


def running(pod: Object) -> bool:
    """Whether the pod may still hold its volumes."""
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def owner_of(obj: Object) -> tuple[str, str]:
    """Kind and name of what controls a pod or ReplicaSet; empty where nothing does."""
    reference = controller_of(obj)
    if reference is None or reference["apiVersion"].partition("/")[0] != "apps":
        return "", ""
    return reference["kind"], reference["name"]


def _patch(workload: Object, record: str | None, replicas: int | None) -> dict[str, Any]:
    metadata = workload["metadata"]
    patch: dict[str, Any] = {
        "metadata": {
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "annotations": {RECORD_ANNOTATION: record},
        }
    }
    return patch if replicas is None else patch | {"spec": {"replicas": replicas}}
