"""What the commands print: tables for people, one JSON object a line for everything else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import orjson

from ks_installer.objects import Change, Ref
from ks_installer.planning import KEEP, Step
from ks_installer.preflight import Finding
from ks_installer.state import State

_MASKED = "(not shown)"


def print_plan(steps: Sequence[Step], output: str) -> None:
    """Each object that would change, with the fields and their values; those of Secrets are not shown."""
    if _as_json(output):
        for step in steps:
            told = [
                {"path": c.path, "before": b, "after": a} for c in step.changes for b, a in [_values(step, c)]
            ]
            _print_json(
                component=step.component,
                action=step.action,
                object=str(step.ref),
                fields=step.paths,
                changes=told,
                reason=step.reason,
            )
        return
    changing = [step for step in steps if step.action != KEEP]
    for step in changing:
        fields = f"  ({', '.join(step.paths)})" if step.paths else ""
        print(
            f"{step.action:<8}{step.component:<20}{step.ref.title}{fields}{step.reason and ': '}{step.reason}"
        )
        for change in step.changes:
            before, after = _values(step, change)
            print(f"            {change.path}: {_short(before)} -> {_short(after)}")
    print(f"{len(changing)} of {len(steps)} objects would change")


def print_status(state: State, rows: Sequence[tuple[str, str, str]], output: str) -> None:
    """A line for each component: name, phase, message."""
    if _as_json(output):
        for name, phase, message in rows:
            _print_json(component=name, phase=phase, message=message)
        return
    if not rows:
        print("nothing is installed")
    for name, phase, message in rows:
        print(f"{name:<20}{phase:<10}{len(state.records[name].objects):>4} objects  {message}".rstrip())


def print_findings(findings: Sequence[Finding], output: str) -> None:
    """A line for each check: level, what was checked, what was found."""
    for one in findings:
        if _as_json(output):
            _print_json(check=one.check, level=one.level, message=one.message)
        else:
            print(f"{one.level:<9}{one.check:<15}{one.message}")


def print_images(listed: Sequence[tuple[str, str]], output: str, *, both: bool) -> None:
    """A line for each image: where it comes from and, when `both`, where it is to be."""
    for image, place in listed:
        if output == "json":
            _print_json(image=image, mirrored=place)
        else:
            print(f"{image} {place}" if both else image)


def _values(step: Step, change: Change) -> tuple[Any, Any]:
    return (_MASKED, _MASKED) if _is_secret(step.ref) else (change.before, change.after)


def _is_secret(ref: Ref) -> bool:
    return ref.kind == "Secret"


def _short(value: Any) -> str:
    text = "(none)" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:97]}..."


def _print_json(**line: Any) -> None:
    print(orjson.dumps(line).decode())


def _as_json(output: str) -> bool:
    return output == "json" or (output == "auto" and not sys.stdout.isatty())
