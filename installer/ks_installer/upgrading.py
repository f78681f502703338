"""What an upgrade would mean, told before anything is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from ks_installer.planning import CHANGE, CREATE, DELETE, REFUSED, Step
from ks_installer.preflight import ERROR, OK, WARNING, Finding
from ks_installer.state import READY, State


def report(state: State, steps: Sequence[Step]) -> list[Finding]:
    """The findings on what is installed and what would change; errors stand in the way of an upgrade."""
    return [
        _versions(state),
        *_standing(state),
        _changes(steps),
        *_restarts(steps),
        *_deletions(steps),
        *(Finding("refused", ERROR, f"{step.ref.title}: {step.reason}") for step in _with(steps, REFUSED)),
    ]


def _versions(state: State) -> Finding:
    if not state.records:
        return Finding("versions", WARNING, "nothing is installed: this would be a first installation")
    return Finding(
        "versions", OK, f"from {state.version or 'an unknown version'} to {version('ks-installer')}"
    )


def _standing(state: State) -> Iterable[Finding]:
    for name, record in state.records.items():
        if record.phase != READY:
            text = f"{name} is {record.phase} now" + (f": {record.message}" if record.message else "")
            yield Finding("components", WARNING, text)


def _changes(steps: Sequence[Step]) -> Finding:
    counts = Counter(step.action for step in steps)
    text = ", ".join(f"{counts[action]} to {action}" for action in (CREATE, CHANGE, DELETE))
    return Finding("changes", OK, text)


def _restarts(steps: Sequence[Step]) -> Iterable[Finding]:
    for step in _with(steps, CHANGE):
        if step.restarts_pods:
            fields = ", ".join(path.removeprefix("spec.template.") for path in step.paths[:4])
            yield Finding("new pods", OK, f"{step.ref.title} ({fields})")


def _deletions(steps: Sequence[Step]) -> Iterable[Finding]:
    for step in _with(steps, DELETE):
        yield Finding("deleted", WARNING, step.ref.title)


def _with(steps: Iterable[Step], action: str) -> list[Step]:
    return [step for step in steps if step.action == action]
