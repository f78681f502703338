"""What an Application's status says: its components, how many are ready, and what went wrong.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ks_controller_manager.application.readiness import READY, STATE
from kubekit.resource import Object, Resource

MAX_LISTED = 1000
"""Components that the status lists; `componentsReady` counts all. An object holds 1.5 MiB at most."""

MAX_MESSAGE = 4096

Component = tuple[Resource, Object]
"""A summary of a component, and the resource that it is of."""


def patch(
    application: Object, components: Sequence[Component], problems: Sequence[str], now: str
) -> dict[str, Any]:
    """The merge patch that has the status say so; empty where it does.

    `problems` say to people what could not be done, `now` is an RFC 3339 time.
    """
    present: dict[str, Any] = application.get("status") or {}
    ready = sum(summary[STATE] == READY for _, summary in components)
    wanted = {
        "observedGeneration": application["metadata"].get("generation", 0),
        "componentsReady": f"{ready}/{len(components)}",
        "components": [_listed(*component) for component in components[:MAX_LISTED]],
        "conditions": _conditions(
            present.get("conditions") or [], _asserted(ready == len(components), problems), now
        ),
    }
    changed = {name: value for name, value in wanted.items() if value != present.get(name, _absent(value))}
    return {"status": changed} if changed else {}


def readiness_changed(application: Object, written: dict[str, Any]) -> dict[str, Any] | None:
    """The condition Ready, where `written` turns it from the one status to the other."""
    old = _condition((application.get("status") or {}).get("conditions") or [], "Ready")
    new = _condition((written.get("status") or {}).get("conditions") or [], "Ready")
    return new if new is not None and new["status"] != (old or {}).get("status") else None


def _absent(value: Any) -> Any:
    """What a field that is not there counts as, so that nothing is written to say nothing."""
    return [] if value == [] else None


def _listed(resource: Resource, summary: Object) -> dict[str, str]:
    metadata = summary["metadata"]
    listed = {
        "group": resource.group,
        "kind": resource.kind,
        "name": metadata["name"],
        "link": resource.path(metadata["namespace"], metadata["name"]),
        "status": summary[STATE],
    }
    return {name: value for name, value in listed.items() if value}


def _asserted(ready: bool, problems: Sequence[str]) -> list[tuple[str, str, str, str]]:
    return [
        ("Ready", "True", "ComponentsReady", "all components ready")
        if ready
        else ("Ready", "False", "ComponentsNotReady", "some components not ready"),
        ("Error", "True", "ErrorSeen", "; ".join(problems)[:MAX_MESSAGE])
        if problems
        else ("Error", "False", "NoError", "No error seen"),
    ]


def _conditions(
    present: list[dict[str, Any]], asserted: list[tuple[str, str, str, str]], now: str
) -> list[dict[str, Any]]:
    """The present conditions, each of those asserted in the place where it is already."""
    result = list(present)
    for name, status, reason, message in asserted:
        old = _condition(result, name)
        if old is None:
            result.append(_made(name, status, reason, message, now, now))
        elif (old["status"], old.get("reason"), old.get("message")) != (status, reason, message):
            since = old.get("lastTransitionTime", now) if old["status"] == status else now
            result[result.index(old)] = _made(name, status, reason, message, now, since)
    return result


def _made(name: str, status: str, reason: str, message: str, now: str, since: str) -> dict[str, Any]:
    return {
        "type": name,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": now,
        "lastTransitionTime": since,
    }


def _condition(conditions: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((one for one in conditions if one.get("type") == name), None)
