"""A plan as people and programs read it.  Pure."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import yaml

from kubekit.rehearsal import Place, Rehearsed
from kubekit.resource import SECRETS, Object

Action = Literal["create", "change", "delete"]

_SIGNS: dict[Action, str] = {"create": "+", "change": "~", "delete": "-"}
_GIVEN = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"})
"""What the API server keeps in metadata; no writer means to change it."""

_ABSENT: tuple[Any, ...] = (None, {}, [])


@dataclass(frozen=True, slots=True)
class Change:
    """One object that would be written; `before` and `after` are without what the API server keeps."""

    action: Action
    place: Place
    before: Object | None
    after: Object | None
    by: tuple[str, ...]

    @property
    def title(self) -> str:
        """Kind and name, with what would be done."""
        writers = ", ".join(self.by)
        return f"{_SIGNS[self.action]} {self.place.resource.kind} {self.place.key}" + (
            f"  ({self.action} by {writers})" if writers else f"  ({self.action})"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that would be written, and what could not be told.

    `failures` are reconciliations that failed: controller, object and error. `unseen` are controllers that
    did not run, with the reason.
    """

    changes: tuple[Change, ...]
    failures: tuple[tuple[str, str, str], ...]
    unseen: tuple[tuple[str, str], ...]


def changes(rehearsed: dict[Place, Rehearsed]) -> tuple[Change, ...]:
    """The objects that would be other than they are, in the order of their kinds and names."""
    found = (_change(place, written) for place, written in rehearsed.items())
    return tuple(
        sorted((one for one in found if one), key=lambda one: (one.place.resource.kind, str(one.place.key)))
    )


def text(plan: Plan) -> str:
    """For people: each object with a unified diff of its YAML, then what could not be told, then the sum."""
    return "\n".join(_lines(plan)) + "\n"


def document(plan: Plan) -> bytes:
    """For programs: JSON."""
    return orjson.dumps(
        {
            "changes": [_entry(change) for change in plan.changes],
            "failures": [
                {"controller": controller, "object": name, "error": error}
                for controller, name, error in plan.failures
            ],
            "notRun": [{"controller": controller, "reason": reason} for controller, reason in plan.unseen],
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def _entry(change: Change) -> dict[str, Any]:
    resource, key = change.place
    return {
        "action": change.action,
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": key.namespace,
        "name": key.name,
        "by": list(change.by),
        "before": change.before,
        "after": change.after,
    }


def _lines(plan: Plan) -> Iterator[str]:
    for change in plan.changes:
        yield change.title
        yield from (f"    {line}" for line in _diff(change))
    for controller, name, error in plan.failures:
        yield f"! {controller} fails on {name}: {error}"
    for controller, reason in plan.unseen:
        yield f"! {controller} was not tried: {reason}"
    counted = Counter(change.action for change in plan.changes)
    yield f"{counted['create']} to create, {counted['change']} to change, {counted['delete']} to delete"


def _diff(change: Change) -> Iterable[str]:
    if change.after is None:
        return ()
    diff = difflib.unified_diff(_yaml(change.before), _yaml(change.after), n=2, lineterm="")
    return list(diff)[2:]  # without the names of files


def _yaml(obj: Object | None) -> list[str]:
    return [] if obj is None else yaml.safe_dump(obj, sort_keys=True, width=100).splitlines()


def _change(place: Place, written: Rehearsed) -> Change | None:
    before, after = (_plain(place, obj) for obj in (written.before, written.after))
    if before == after:
        return None
    action: Action = "create" if before is None else "delete" if after is None else "change"
    return Change(action, place, before, after, written.by)


def _plain(place: Place, obj: Object | None) -> Object | None:
    """The object without what the API server keeps, and without the content of a Secret."""
    if obj is None:
        return None
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _GIVEN}
    hidden = ("data", "stringData") if place.resource == SECRETS else ()
    shown = {name: _hidden(value) if name in hidden else value for name, value in obj.items()}
    return _without_absent({**shown, "metadata": metadata})


def _hidden(value: Any) -> str:
    return f"hidden; its SHA-256 is {hashlib.sha256(orjson.dumps(value)).hexdigest()}"


def _without_absent(value: Any) -> Any:
    """The API server stores no empty list, mapping or null of its own types."""
    if isinstance(value, dict):
        items: Iterable[tuple[str, Any]] = value.items()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        kept = {name: _without_absent(item) for name, item in items}
        return {name: item for name, item in kept.items() if item not in _ABSENT}
    return value
