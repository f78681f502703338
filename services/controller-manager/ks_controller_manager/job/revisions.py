"""The runs of a Job as its annotation `revisions` lists them.  Pure.

A Job is run again by deleting it and creating it anew with its annotations, so each uid is one run. The
annotation is a JSON object from the number of the run, counted from 1, to what became of it, with the keys
of v2.1.1; its clients show it as the history of the Job.
"""

from __future__ import annotations

import json
from typing import Any

from kubekit.objects import annotations
from kubekit.resource import Object

REVISIONS_ANNOTATION = "revisions"

MAX_REVISIONS = 100
"""Runs that are remembered; the annotations of an object hold 256 KiB at most."""

MAX_MESSAGE = 1024
"""Characters of each message that are remembered, for the same reason."""

RUNNING = "running"
FAILED = "failed"
COMPLETED = "completed"

_NEVER = "0001-01-01T00:00:00Z"
"""How v2.1.1 writes the completion of what has not completed: Go's zero time."""

Revision = dict[str, Any]


def patch(job: Object) -> dict[str, Any]:
    """The merge patch that records the Job's present run; empty where it is recorded as it is.

    Empty too where the annotation is not ours to read: what a user wrote there stays.
    """
    recorded = _recorded(job)
    if recorded is None:
        return {}
    present = current(job)
    number = next(
        (number for number, revision in recorded.items() if revision.get("uid") == present["uid"]),
        max(recorded, default=0) + 1,
    )
    if recorded.get(number) == present:
        return {}
    kept = dict(sorted((recorded | {number: present}).items())[-MAX_REVISIONS:])
    metadata = job["metadata"]
    return {
        "metadata": {
            # Both bind the patch to the run that it was computed from.
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "annotations": {REVISIONS_ANNOTATION: json.dumps(kept, separators=(",", ":"))},
        }
    }


def present_run(job: Object, patch: dict[str, Any]) -> tuple[int, Revision]:
    """The number of the Job's present run, and what a patch of it records of that."""
    runs = json.loads(patch["metadata"]["annotations"][REVISIONS_ANNOTATION])
    uid = job["metadata"]["uid"]
    return next((int(number), run) for number, run in runs.items() if run.get("uid") == uid)


def readable(job: Object) -> bool:
    """Whether the annotation can hold the Job's runs, rather than what a user wrote there."""
    return _recorded(job) is not None


def current(job: Object) -> Revision:
    """What became of the present run so far.

    Numbers that are 0 are left out, as in v2.1.1.
    """
    status: dict[str, Any] = job.get("status") or {}
    conditions = [one for one in status.get("conditions") or [] if one.get("status") == "True"]
    failures = [one for one in conditions if one["type"] == "Failed"]
    revision = {
        "status": _outcome({one["type"] for one in conditions}),
        "reasons": [one.get("reason", "") for one in failures],
        "messages": [one.get("message", "")[:MAX_MESSAGE] for one in failures],
        "succeed": status.get("succeeded"),
        "desire": (job.get("spec") or {}).get("completions"),
        "failed": status.get("failed"),
    }
    return {name: value for name, value in revision.items() if value} | {
        "uid": job["metadata"]["uid"],
        "start-time": job["metadata"]["creationTimestamp"],
        "completion-time": status.get("completionTime") or _NEVER,
    }


def _outcome(conditions: set[str]) -> str:
    if "Complete" in conditions:
        return COMPLETED
    return FAILED if "Failed" in conditions else RUNNING


def _recorded(job: Object) -> dict[int, Revision] | None:
    """The runs by number; None where the annotation holds something else."""
    text = annotations(job).get(REVISIONS_ANNOTATION)
    if not text:
        return {}
    try:
        runs = {int(number): revision for number, revision in json.loads(text).items()}
    except (ValueError, AttributeError):
        return None
    return runs if all(isinstance(revision, dict) for revision in runs.values()) else None
