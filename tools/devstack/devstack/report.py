"""What a person sees while the stack comes up: a line for each step that is done, and what is under way."""

import sys
import threading
import time
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status

_NAME_WIDTH = 20


class Report:
    """Writes to `stream`. On a terminal a last line shows what is under way; elsewhere notes are lines.

    Steps may run in several threads at once.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stdout, highlight=False, soft_wrap=True)
        self._lock = threading.Lock()
        self._under_way: dict[str, float] = {}
        self._notes: dict[str, str] = {}
        self._status: Status | None = None

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(escape(text))

    def begin(self, step: str) -> None:
        with self._lock:
            self._under_way[step] = time.monotonic()
            self._refresh()

    def note(self, step: str, text: str) -> None:
        """What a step is doing."""
        with self._lock:
            self._notes[step] = text
            if self._console.is_terminal:
                self._refresh()
            else:
                self._line("…", "dim", step, text)

    def done(self, step: str, text: str) -> None:
        self._end("✓", "green", step, text)

    def failed(self, step: str, why: str) -> None:
        self._end("✗", "red", step, why)

    def close(self) -> None:
        """Takes the line of what is under way off the terminal."""
        with self._lock:
            self._under_way.clear()
            self._refresh()

    def _end(self, mark: str, colour: str, step: str, text: str) -> None:
        with self._lock:
            seconds = time.monotonic() - self._under_way.pop(step, time.monotonic())
            self._notes.pop(step, None)
            self._line(mark, colour, step, text, seconds)
            self._refresh()

    def _line(self, mark: str, colour: str, step: str, text: str, seconds: float | None = None) -> None:
        took = f"  [dim]{seconds:.1f} s[/dim]" if seconds is not None else ""
        self._console.print(f"[{colour}]{mark}[/{colour}] {step:<{_NAME_WIDTH}} {escape(text)}{took}")

    def _refresh(self) -> None:
        if not self._console.is_terminal:
            return
        if not self._under_way:
            if self._status is not None:
                self._status.stop()
                self._status = None
            return
        text = escape(", ".join(self._described(step) for step in self._under_way))
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _described(self, step: str) -> str:
        note = self._notes.get(step)
        return f"{step} ({note})" if note else step
