"""Tells how an installation goes: for people on a terminal, as JSON lines for everything else."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, TextIO

import orjson
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress(Protocol):
    """Where the engine reports to."""

    def begin(self, doing: str, components: int) -> None:
        """So many components are going to be worked on, e.g. "installing"."""
        ...

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
    """A bar for the whole, a live line for each component at work, one that stays for each that is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._since: dict[str, float] = {}
        self._lines: dict[str, TaskID] = {}
        self._whole: TaskID | None = None
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    def begin(self, doing: str, components: int) -> None:
        self._bars.start()
        self._whole = self._bars.add_task(f"[bold]{doing}[/bold]", total=components)

    def step(self, component: str, doing: str) -> None:
        self._since.setdefault(component, time.monotonic())
        self._bars.start()
        text = f"{component}  {escape(doing)}"
        if component in self._lines:
            self._bars.update(self._lines[component], description=text)
        else:
            self._lines[component] = self._bars.add_task(text, total=None)

    def done(self, component: str, result: str) -> None:
        seconds = time.monotonic() - self._since.pop(component, time.monotonic())
        if component in self._lines:
            self._bars.remove_task(self._lines.pop(component))
        if self._whole is not None:
            self._bars.advance(self._whole)
        self._console.print(f"  {component:<24}{result:<24}{seconds:6.1f} s", highlight=False, markup=False)

    def note(self, component: str, text: str) -> None:
        self._console.print(f"  {component:<24}{text}", highlight=False, markup=False, style="yellow")

    def close(self) -> None:
        self._bars.stop()


class JsonProgress:
    """One JSON object a line: time (seconds since the epoch), component, event, text.

    Events are begin, step, done and note.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def begin(self, doing: str, components: int) -> None:
        self._write("", "begin", f"{doing} {components} components")

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
