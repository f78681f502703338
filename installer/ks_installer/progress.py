"""Tells how an installation goes: for people on a terminal, as JSON lines for everything else."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, TextIO

import orjson
from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Progress(Protocol):
    """Where the engine reports to."""

    def step(self, component: str, doing: str) -> None:
        """The engine is now doing this for `component`, e.g. "applying Namespace x"."""
        ...

    def done(self, component: str, result: str) -> None:
        """`component` is finished, with what came out of it, e.g. "ready" or "removed"."""
        ...

    def note(self, component: str, text: str) -> None:
        """Something that a user should know and that is no failure."""
        ...

    def close(self) -> None: ...


class TerminalProgress:
    """One live line for what is going on, and one that stays for each component."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Status | None = None
        self._since: dict[str, float] = {}

    def step(self, component: str, doing: str) -> None:
        self._since.setdefault(component, time.monotonic())
        text = f"[bold]{component}[/bold]  {escape(doing)}"
        if self._live is None:
            self._live = self._console.status(text)
            self._live.start()
        else:
            self._live.update(text)

    def done(self, component: str, result: str) -> None:
        seconds = time.monotonic() - self._since.pop(component, time.monotonic())
        self._console.print(f"  {component:<24}{result:<24}{seconds:6.1f} s", highlight=False, markup=False)

    def note(self, component: str, text: str) -> None:
        self._console.print(f"  {component:<24}{text}", highlight=False, markup=False, style="yellow")

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class JsonProgress:
    """One JSON object a line: time (seconds since the epoch), component, event (step, done, note), text."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def step(self, component: str, doing: str) -> None:
        self._write(component, "step", doing)

    def done(self, component: str, result: str) -> None:
        self._write(component, "done", result)

    def note(self, component: str, text: str) -> None:
        self._write(component, "note", text)

    def close(self) -> None:
        self._out.flush()

    def _write(self, component: str, event: str, text: str) -> None:
        line: dict[str, Any] = {
            "time": round(time.time(), 3),
            "component": component,
            "event": event,
            "text": text,
        }
        print(orjson.dumps(line).decode(), file=self._out, flush=True)


def progress_for(output: str, out: TextIO = sys.stdout) -> Progress:
    """The reporter for `output`: "text", "json", or "auto", which is text on a terminal."""
    if output == "text" or (output == "auto" and out.isatty()):
        return TerminalProgress(Console(file=out))
    return JsonProgress(out)
